/*
 * What a client shows to get back to its backend: a MAC over pool and backend, so that nobody can
 * ask for a backend that was not given to him, nor learn from it what the backends are called. The
 * same key, pool and URL have the same token, wherever and whenever it is made; of several backends
 * with one URL, the addresses of a name, each has its own, by their order. Pure.
 */
#ifndef TINYLB_BALANCE_SESSION_H
#define TINYLB_BALANCE_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "base/slice.h"

/* Characters of a token: hexadecimal. */
#define SESSION_TOKEN_LEN 32

#define SESSION_NONE SIZE_MAX

struct sessions;

/* A key of a text that somebody wrote. */
void session_key(struct slice text, uint8_t key[SIPHASH_KEY_SIZE]);

/* Makes the tokens of all backends of a pool, O(count log count). NULL when memory is short. */
struct sessions *sessions_new(const uint8_t key[SIPHASH_KEY_SIZE], struct slice pool,
	const struct slice *backends, size_t count) __attribute__((warn_unused_result));
void sessions_free(struct sessions *sessions); /* NULL is fine */

/* The backend that has this token, or SESSION_NONE; O(log count), and the time that it takes says
 * nothing of the second half of any token. */
size_t sessions_find(const struct sessions *sessions, struct slice token);

/* Writes the token of a backend. */
void sessions_token(const struct sessions *sessions, size_t index, char out[SESSION_TOKEN_LEN]);

#endif
