"""The corpus of requests and responses, and what runs it. README in this folder explains both."""
