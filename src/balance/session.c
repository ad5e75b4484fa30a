/*
 * A table of tokens in the order of their first halves. Who tries tokens and measures how long that
 * takes may come to know a first half; the second one is compared in one step.
 */
#include "config.h"

#include "balance/session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

#define HALF_LEN ((size_t)SESSION_TOKEN_LEN / 2)

struct token {
	uint64_t half[2];
	size_t index;
};

struct sessions {
	size_t count;
	size_t *places;       /* owned: where each backend's token stands */
	struct token *tokens; /* owned: by first half and index */
};

void session_key(struct slice text, uint8_t key[SIPHASH_KEY_SIZE])
{
	static const uint8_t purpose[SIPHASH_KEY_SIZE] = "tinylb sessions";

	siphash_key(purpose, text, key);
}

static int compare(const void *a, const void *b)
{
	const struct token *left = a;
	const struct token *right = b;

	if (left->half[0] != right->half[0])
		return left->half[0] < right->half[0] ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

static bool is_same(const struct token *a, const struct token *b)
{
	return a->half[0] == b->half[0] && a->half[1] == b->half[1];
}

/* What has the same URL follows each other by now: all but the first get tokens of their own. */
static void tell_apart(struct sessions *s, const uint8_t *pool_key)
{
	uint64_t nth = 0;
	struct token first = { 0 };

	for (size_t i = 0; i < s->count; i++) {
		struct token *token = &s->tokens[i];
		uint64_t name[3];

		if (i == 0 || !is_same(token, &first)) {
			first = *token;
			nth = 0;
			continue;
		}
		name[0] = first.half[0];
		name[1] = first.half[1];
		name[2] = ++nth;
		siphash_128(pool_key, slice_of((const char *)name, sizeof name), token->half);
	}
}

/* Each pool has a key of its own: the same URL has other tokens in other pools. */
static void fill(
	struct sessions *s, const uint8_t *key, struct slice pool, const struct slice *backends)
{
	uint8_t pool_key[SIPHASH_KEY_SIZE];

	siphash_key(key, pool, pool_key);
	for (size_t i = 0; i < s->count; i++) {
		siphash_128(pool_key, backends[i], s->tokens[i].half);
		s->tokens[i].index = i;
	}
	qsort(s->tokens, s->count, sizeof *s->tokens, compare);
	tell_apart(s, pool_key);
	qsort(s->tokens, s->count, sizeof *s->tokens, compare);
	for (size_t i = 0; i < s->count; i++)
		s->places[s->tokens[i].index] = i;
}

struct sessions *sessions_new(const uint8_t key[SIPHASH_KEY_SIZE], struct slice pool,
	const struct slice *backends, size_t count)
{
	struct sessions *s = mem_zalloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->count = count;
	s->places = mem_zalloc(count + 1, sizeof *s->places);
	s->tokens = mem_zalloc(count + 1, sizeof *s->tokens);
	if (s->places == NULL || s->tokens == NULL) {
		sessions_free(s);
		return NULL;
	}
	fill(s, key, pool, backends);
	return s;
}

void sessions_free(struct sessions *s)
{
	if (s == NULL)
		return;
	mem_free(s->places);
	mem_free(s->tokens);
	mem_free(s);
}

static bool read_half(const char *text, uint64_t *half)
{
	*half = 0;
	for (size_t i = 0; i < HALF_LEN; i++) {
		char c = text[i];

		if (c >= '0' && c <= '9')
			*half = *half << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*half = *half << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	return true;
}

size_t sessions_find(const struct sessions *s, struct slice token)
{
	uint64_t half[2];
	size_t low = 0;
	size_t high = s->count;

	if (token.len != SESSION_TOKEN_LEN || !read_half(token.data, &half[0]) ||
		!read_half(token.data + HALF_LEN, &half[1]))
		return SESSION_NONE;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->tokens[middle].half[0] < half[0])
			low = middle + 1;
		else
			high = middle;
	}
	if (low == s->count || s->tokens[low].half[0] != half[0] ||
		s->tokens[low].half[1] != half[1])
		return SESSION_NONE;
	return s->tokens[low].index;
}

void sessions_token(const struct sessions *s, size_t index, char out[SESSION_TOKEN_LEN])
{
	static const char digits[] = "0123456789abcdef";
	const struct token *token = &s->tokens[s->places[index]];

	assert(index < s->count && token->index == index);
	for (size_t i = 0; i < SESSION_TOKEN_LEN; i++) {
		unsigned shift = 60 - 4 * (unsigned)(i % HALF_LEN);

		out[i] = digits[token->half[i / HALF_LEN] >> shift & 15];
	}
}
