/*
 * Reads what was said on one connection, both ways, as runs of requests and of responses: with the
 * parsers of the program, but as somebody who sees all of it and remembers all of it.
 */
#ifndef TINYLB_TESTS_JUDGE_H
#define TINYLB_TESTS_JUDGE_H

#include "fuzz.h"
#include "http/chunk.h"
#include "http/request.h"

/* Bytes, all that ever came. */
struct journal {
	char *bytes; /* owned */
	size_t len;
	size_t cap;
};

void journal_add(struct journal *j, const char *data, size_t len);

enum place {
	PLACE_HEAD, /* before or in a head */
	PLACE_LENGTH,
	PLACE_CHUNKS,
	PLACE_TRAILERS,
	PLACE_UNTIL_CLOSE,
	PLACE_TUNNEL,
	PLACE_BAD,
};

struct reader {
	enum place place;
	size_t at;   /* in the journal: what is before is read */
	size_t seen; /* as request_parse has it */
	uint64_t left;
	struct chunk_decoder chunks;
	int token;      /* that the head names; -1: none */
	size_t content; /* bytes so far */
	unsigned heads; /* final ones */
	unsigned whole; /* messages */
	bool last;      /* nothing may follow on this connection */
};

#define ASKED_MAX 64

/* What is remembered of a request. */
struct asked {
	size_t begin; /* in the journal */
	enum method method;
	int minor;
	bool upgrade;
	bool chunked;
	bool refused; /* by a 411 to its chunks: it may be asked once more, with its length */
	int token;    /* number of the one in its target; -1: none */
	int owner;    /* client whose tokens were seen in it; -1: none yet */
	bool login;   /* by it or its answer, the client logs in, and the connection is its own */
};

/* One connection. */
struct talk {
	struct journal requests;
	struct journal responses;
	struct reader asking;
	struct reader answering;
	struct head_limits limits;
	bool strict_requests;  /* whoever asks is the program: all of it must be well-formed */
	bool strict_responses; /* the same of who answers */
	unsigned interim;
	size_t scanned; /* of the journal that the program wrote, for tokens */
	struct asked asked[ASKED_MAX];
	unsigned asked_count;
	int last_token;
	bool over;     /* less than a whole request was answered: no other one may follow it */
	bool crossed;  /* what was said before it was asked for may be taken for an answer */
	bool too_much; /* more than can be remembered: nothing is claimed any more */
};

/* The memory of the journals stays. A talk that was never used is all zeros. */
void talk_init(struct talk *t, struct head_limits limits);

/* Reads on as far as there are bytes. */
void talk_read(struct talk *t);

/* What the program may not do: begin a request on a connection that owes or was owed something. */
bool talk_is_reusable(const struct talk *t);

/* True where more was said by a backend than it was asked for. */
bool talk_has_surplus(const struct talk *t);

/* True where a request was answered before all of it was here: its rest may come where the answer
 * does not end the connection, but no other request. */
bool talk_is_cut_short(const struct talk *t);

/* Whether the first value of this field is about NTLM or Negotiate (RFC 4559). */
bool talk_has_login(const struct fields *fields, const char *name);

/* What follows a login on the connection is asked by the same client. */
void talk_judge_logins(const struct talk *t);

/* Tokens: texts that nobody can guess, each of which belongs to one client. */
#define TOKEN_LEN  19
#define TOKENS_MAX 64
void tokens_forget(uint64_t secret);
int token_new(int client, char text[TOKEN_LEN]); /* its number, or -1: there are too many */
void token_text(int token, char text[TOKEN_LEN]);
int token_owner(int token);
/* What the fuzzer said as content of the request with this token, or of an answer with it: `len`
 * bytes at `at`. Most such messages have a content that is the token. */
void token_note_said(int token, bool answer, size_t at, const char *data, size_t len);
/* False where the program says something else. */
bool token_is_said(int token, bool answer, size_t at, const char *data, size_t len);
/* The first token in `s`, and in *at where; -1: none. */
int token_find(struct slice s, size_t *at);

#endif
