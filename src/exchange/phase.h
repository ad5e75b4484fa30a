/* Where an exchange stands, and its deadline for the next bytes. */
#ifndef TINYLB_EXCHANGE_PHASE_H
#define TINYLB_EXCHANGE_PHASE_H

#include <assert.h>

#include "base/log.h"
#include "exchange_parts.h"

void phase_log_response(const struct exchange *x, enum response_phase phase);
void phase_log_attempt(const struct exchange *x, enum attempt_state state);

/* The only places that change the two states once the exchange has begun. They log each change at
 * debug. */
static inline void phase_set_response(struct exchange *x, enum response_phase phase)
{
	assert(x->response.phase == (phase == RESPONSE_WHOLE ? RESPONSE_BODY : RESPONSE_HEAD));
	assert(phase != RESPONSE_HEAD);
	if (log_wants(LOG_LEVEL_DEBUG))
		phase_log_response(x, phase);
	x->response.phase = phase;
}

/* From no stream to one that connects or is connected, from there on, and back from everywhere. */
static inline void phase_set_attempt(struct exchange *x, enum attempt_state state)
{
	static const uint8_t next[] = {
		[ATTEMPT_NONE] = 1 << ATTEMPT_CONNECTING | 1 << ATTEMPT_SENT,
		[ATTEMPT_CONNECTING] = 1 << ATTEMPT_SENT | 1 << ATTEMPT_NONE,
		[ATTEMPT_SENT] = 1 << ATTEMPT_HEARD | 1 << ATTEMPT_NONE,
		[ATTEMPT_HEARD] = 1 << ATTEMPT_NONE,
	};

	assert((next[x->attempt.state] >> state & 1) != 0);
	assert((state == ATTEMPT_NONE) == (x->attempt.stream == NULL));
	if (log_wants(LOG_LEVEL_DEBUG))
		phase_log_attempt(x, state);
	x->attempt.state = state;
}

/* Bytes moved, whichever way: the deadline begins anew. If another one runs, that of connecting, it
 * has to be stopped before. */
static inline void phase_alive(struct exchange *x)
{
	struct exchange_context *context = x->context;

	deadline_put_off(&x->deadline,
		x->response.phase == RESPONSE_TUNNEL ? &context->wait_tunnel : &context->wait_bytes,
		context->loop);
}

#endif
