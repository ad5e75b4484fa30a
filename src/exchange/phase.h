/* Where an exchange stands, and its deadline for the next bytes. */
#ifndef TINYLB_EXCHANGE_PHASE_H
#define TINYLB_EXCHANGE_PHASE_H

#include "exchange_parts.h"

/* The only places that change the two states. They log each change at debug. */
void phase_set_response(struct exchange *x, enum response_phase phase);
void phase_set_attempt(struct exchange *x, enum attempt_state state);

/* Bytes moved, whichever way: the deadline begins anew. If another one runs, that of connecting, it
 * has to be stopped before. */
static inline void phase_alive(struct exchange *x)
{
	struct exchange_context *context = x->context;

	deadline_put_off(&x->deadline,
		x->response.phase == RESPONSE_TUNNEL ? &context->wait_tunnel : &context->wait_bytes,
		context->loop);
}

/* Bytes that wait for either peer, here and in the kernel. */
size_t phase_unsent(const struct exchange *x);

/* Whether either peer has taken some of what waits for it since the last look. */
bool phase_is_taken(struct exchange *x);

/* Something was sent to the backend, or to the client: stops reading the other side if so much
 * waits there that no more is to be sent now. */
void phase_throttle_client(struct exchange *x);
void phase_throttle_backend(struct exchange *x);

#endif
