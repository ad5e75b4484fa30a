/* What waits to be taken by the client and by the backend. */
#ifndef TINYLB_EXCHANGE_BACKLOG_H
#define TINYLB_EXCHANGE_BACKLOG_H

#include "exchange_parts.h"

/* Bytes that wait for either peer, here and in the kernel. */
size_t backlog_unsent(const struct exchange *x);

/* Whether either peer has taken some of what waits for it since the last look. */
bool backlog_look(struct exchange *x);

/* Something was sent to the backend, or to the client: stops reading the other side if so much
 * waits there that no more is to be sent now. */
void backlog_throttle_client(struct exchange *x);
void backlog_throttle_backend(struct exchange *x);

/* The client took some of what waited: reads the backend again, unless too much still waits. */
void backlog_release_backend(struct exchange *x);

#endif
