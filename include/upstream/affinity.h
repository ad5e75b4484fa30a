/*
 * Affinity (persistence): pools in which the request decides which backend gets it. Equal keys of
 * `hash` meet at one backend, and sessions of `sticky` come back to theirs.
 */
#ifndef TINYLB_UPSTREAM_AFFINITY_H
#define TINYLB_UPSTREAM_AFFINITY_H

#include "http/cookie.h"
#include "upstream/selection.h"

/* Reads from the settings what the pool goes by, which may be nothing. 0, or -1 when memory is
 * short; affinity_fini is allowed then, too. */
int affinity_init(struct pool *pool) __attribute__((warn_unused_result));
void affinity_fini(struct pool *pool);

/* As picker_kind.pick, and sets query->key. The backend of the client's own stream, or that of its
 * session, goes first. PICKER_NONE also if that is full and the request may wait for it:
 * selection->bound says so. */
size_t affinity_pick(struct selection *selection, struct pick *query);

/* Whether a request that is bound has to wait on: its backend serves, and is full. */
bool affinity_must_wait(const struct selection *selection);

/* What the response does with the cookie of the session, in pools that have some. It is set if the
 * client did not show the token of the backend that answers: the value is written to `token`. */
void affinity_set_cookie(const struct selection *selection, struct set_cookie *cookie,
	char token[SESSION_TOKEN_LEN]);

#endif
