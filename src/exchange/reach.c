/*
 * Finds a connection to the backend that was picked: the client's own stream, a kept connection, or
 * a fresh one to its addresses in turn, beginning with the one that answered last.
 */
#include "config.h"

#include "reach.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "exchange/counters.h"
#include "own_stream.h"
#include "phase.h"
#include "redispatch_soon.h"
#include "upstream/load.h"

/* Whether it may turn out that the request cannot be sent again, though a kept connection is dead:
 * by its method, or because there will be too much of it. */
static bool is_sent_once(const struct exchange *x)
{
	const struct request *head = x->request.head;

	if (!method_is_idempotent(head->method))
		return true;
	if (x->request.done)
		return false;
	return head->body.kind != BODY_LENGTH || head->body.length > CONTENT_HELD_MAX;
}

static struct backend_stream *take_kept(struct exchange *x)
{
	struct backend *backend = selection_backend(&x->selection);
	struct backend_stream *own = own_stream_take(x);

	x->attempt.own = own != NULL;
	if (own != NULL || x->attempt.fresh_only)
		return own;
	return backend->ops->take(backend, x, is_sent_once(x));
}

void reach_count_failure(struct exchange *x, const char *why)
{
	counters_connect_error(x->context->place);
	backend_complain(
		selection_backend(&x->selection), x->context->loop->now_us, "cannot connect", why);
}

/* Goes round the addresses. NULL with EUSERS: the backend has all the connections that it may have;
 * with ENOTCONN: no address is left. */
static struct backend_stream *connect_next_address(struct exchange *x)
{
	struct backend *backend = selection_backend(&x->selection);
	struct attempt *attempt = &x->attempt;
	int count = backend_address_count(backend);

	while (attempt->addresses_tried < count) {
		int address = (attempt->first_address + attempt->addresses_tried++) % count;
		struct backend_stream *stream = backend->ops->connect(backend, x, address);

		x->record.tries++;
		if (stream == NULL && errno == EMFILE &&
			backend->ops->make_room(x->context->upstream))
			stream = backend->ops->connect(backend, x, address);
		if (stream != NULL || errno == EUSERS)
			return stream;
		/* What is short here says nothing about the backend. */
		attempt->own_fault |= fd_is_shortage(errno);
		reach_count_failure(x, strerror(errno));
	}
	if (!attempt->own_fault)
		load_failed(&x->selection, ROWS_CONNECT_FAILED);
	errno = ENOTCONN;
	return NULL;
}

bool reach_backend(struct exchange *x)
{
	struct exchange_context *context = x->context;
	struct attempt *attempt = &x->attempt;

	assert(attempt->stream == NULL);
	redispatch_soon(context);
	x->record.sought_us = attempt->sought_us;
	x->record.connected_us = 0;
	attempt->stream = take_kept(x);
	if (attempt->stream != NULL) {
		x->record.tries++;
		x->record.connected_us = context->loop->now_us;
		phase_set_attempt(x, ATTEMPT_SENT);
		phase_alive(x);
		return true;
	}
	attempt->stream = connect_next_address(x);
	if (attempt->stream == NULL) {
		x->selection.tried_count -= errno == EUSERS;
		return false;
	}
	phase_set_attempt(x, ATTEMPT_CONNECTING);
	deadline_start(&x->deadline, &context->wait_connect, context->loop);
	return true;
}
