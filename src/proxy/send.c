/* A request's head as its backend gets it, and again what was sent to a former one. */
#include "config.h"

#include "exchange.h"
#include "http/forward.h"

static const struct slice scheme_http = { "http", 4 };

/* The client's own is written where this is empty; an HTTP/1.0 client may have none. */
static struct slice host_to_send(const struct exchange *x, const struct request *request)
{
	if (x->selection.pool->settings->host == HOST_PRESERVE && !slice_is_empty(request->host))
		return slice_of(NULL, 0);
	return selection_backend(&x->selection)->authority;
}

static int send_head(struct exchange *x, struct request *request)
{
	struct text head = text_over(x->proxy->head_out, sizeof x->proxy->head_out);
	struct forward_request how = {
		.host = host_to_send(x, request),
		.path = selection_backend(&x->selection)->path,
		.peer = client_ip(x->client),
		.scheme = scheme_http,
		.request_id = x->record.id,
		.x_forwarded = (x->proxy->settings->forwarded & FORWARDED_X) != 0,
		.rfc7239 = (x->proxy->settings->forwarded & FORWARDED_RFC7239) != 0,
		.trusted = x->client->trusted,
	};
	struct iovec piece = { .iov_base = head.data };

	if (x->selection.pool->sessions != NULL)
		how.cookie = slice_of_string(x->selection.pool->settings->sticky.cookie);
	forward_request(&head, request, &how);
	if (head.overflow)
		return -1;
	/* The body is in the same buffer, and comes next: both go out together. */
	if (x->more) {
		x->more = false;
		x->head_waits = head.len;
		return 0;
	}
	piece.iov_len = head.len;
	return connection_write(&x->upstream->connection, &piece, 1);
}

/* Sends again what was sent to a former upstream. */
static int send_held(struct exchange *x)
{
	struct evbuffer *held = x->held;
	struct evbuffer_iovec pieces[GATHER_PIECES];
	size_t at = 0;

	while (held != NULL && at < evbuffer_get_length(held)) {
		struct evbuffer_ptr from;
		int count;

		if (evbuffer_ptr_set(held, &from, at, EVBUFFER_PTR_SET) == -1)
			return -1;
		count = evbuffer_peek(held, -1, &from, pieces, GATHER_PIECES);
		count = count < GATHER_PIECES ? count : GATHER_PIECES;
		if (connection_write(&x->upstream->connection, pieces, count) == -1)
			return -1;
		for (int i = 0; i < count; i++)
			at += pieces[i].iov_len;
	}
	return 0;
}

int exchange_send(struct exchange *x, struct request *request)
{
	return send_head(x, request) == -1 || send_held(x) == -1 ? -1 : 0;
}
