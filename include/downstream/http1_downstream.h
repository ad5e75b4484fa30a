/* Clients that speak HTTP/1: reads their requests and begins an exchange for each. */
#ifndef TINYLB_DOWNSTREAM_HTTP1_DOWNSTREAM_H
#define TINYLB_DOWNSTREAM_HTTP1_DOWNSTREAM_H

#include "downstream/downstream_context.h"
#include "net/address.h"

/* Sets up what the clients of a worker share: the members of `downstream` above "runtime" must be
 * set, and the rest be zero. */
void http1_downstream_init(struct downstream_context *downstream);
/* No client may be left. */
void http1_downstream_fini(struct downstream_context *downstream);

/* Takes over the accepted, non-blocking `fd` from `peer` to the listener with this index. 0, or -1
 * when memory is short; then fd stays the caller's. */
int http1_downstream_open(struct downstream_context *downstream, int fd, const struct address *peer,
	uint32_t listener) __attribute__((warn_unused_result));

/* Of a client in wait_head, whose deadline this is: closes it, though its request has begun to
 * arrive, because others need the room. */
void http1_downstream_give_way(struct deadline *deadline);

#endif
