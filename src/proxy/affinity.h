/* Who gets a request, in pools that go by what it says: equal keys meet, and sessions come back. */
#ifndef TINYLB_PROXY_AFFINITY_H
#define TINYLB_PROXY_AFFINITY_H

#include "exchange.h"
#include "http/forward.h"

/* What the pool goes by, which may be nothing. 0, or -1 when memory is short; then affinity_fini is
 * fine too. */
int affinity_init(struct pool *pool) __attribute__((warn_unused_result));
void affinity_fini(struct pool *pool);

/* As picker_kind.pick; fills in query->key. Nobody is picked where the session's backend is full,
 * and the request may wait for that: x->bound says so. */
size_t affinity_pick(struct exchange *x, const struct request *request, struct pick *query);

/* Whether a request that is bound still has to wait: its backend is well, and full. */
bool affinity_is_bound(const struct exchange *x);

/* What goes to the client with the answer of a pool that has sessions: nothing where it came with
 * the token of the backend that answers, else that token, which is kept in `token`. */
void affinity_set_cookie(
	const struct exchange *x, struct forward_response *how, char token[SESSION_TOKEN_LEN]);

#endif
