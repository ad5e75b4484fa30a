/* Tokens: made of a secret that is drawn from the input, so that no input can hold its own. */
#include "config.h"

#include "judge.h"

/* The content of a request, or of an answer. */
struct said {
	size_t len; /* bytes that were said, and are those of the token */
	bool other; /* something else was said once: nothing is known */
};

static struct {
	uint64_t secret;
	int count;
	int owner[TOKENS_MAX];
	struct said said[TOKENS_MAX][2];
} tokens;

void tokens_forget(uint64_t secret)
{
	tokens.secret = secret;
	tokens.count = 0;
}

void token_text(int token, char text[TOKEN_LEN])
{
	uint64_t number[2] = { tokens.secret, (uint64_t)token };
	uint64_t hash = fuzz_hash(number, sizeof number);

	memcpy(text, "tk-", 3);
	for (size_t i = 3; i < TOKEN_LEN; i++, hash >>= 4)
		text[i] = "0123456789abcdef"[hash & 15];
}

int token_new(int client, char text[TOKEN_LEN])
{
	if (tokens.count == TOKENS_MAX)
		return -1;
	tokens.owner[tokens.count] = client;
	memset(tokens.said[tokens.count], 0, sizeof tokens.said[tokens.count]);
	token_text(tokens.count, text);
	return tokens.count++;
}

int token_owner(int token)
{
	return tokens.owner[token];
}

/* Whether bytes of a content are those of the token, as far as this goes. */
static bool is_token(int token, size_t at, const char *data, size_t len)
{
	char text[TOKEN_LEN];

	if (at >= TOKEN_LEN || len == 0)
		return true;
	token_text(token, text);
	return memcmp(data, text + at, len < TOKEN_LEN - at ? len : TOKEN_LEN - at) == 0;
}

void token_note_said(int token, bool answer, size_t at, const char *data, size_t len)
{
	struct said *said = &tokens.said[token][answer];

	said->other |= !is_token(token, at, data, len);
	if (at + len > said->len)
		said->len = at + len;
}

bool token_is_said(int token, bool answer, size_t at, const char *data, size_t len)
{
	const struct said *said = &tokens.said[token][answer];

	/* More than was noted comes where nobody read on: there was too much to remember. */
	return said->other || at + len > said->len || is_token(token, at, data, len);
}

static int token_of(const char *text)
{
	char known[TOKEN_LEN];

	for (int i = 0; i < tokens.count; i++) {
		token_text(i, known);
		if (memcmp(text, known, TOKEN_LEN) == 0)
			return i;
	}
	return -1;
}

int token_find(struct slice s, size_t *at)
{
	for (size_t i = 0; i + TOKEN_LEN <= s.len; i++) {
		const char *t = memmem(s.data + i, s.len - i, "tk-", 3);
		int token;

		if (t == NULL || (size_t)(s.data + s.len - t) < TOKEN_LEN)
			return -1;
		i = (size_t)(t - s.data);
		token = token_of(t);
		if (token == -1)
			continue;
		*at = i;
		return token;
	}
	return -1;
}
