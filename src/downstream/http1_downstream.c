/* How clients come, and how they are refused before a request of theirs was read. */
#include "config.h"

#include "downstream/http1_downstream.h"

#include <assert.h>

#include "connections_per_client.h"
#include "http1_downstream_read.h"
#include "http1_exchange.h"
#include "http1_respond.h"

/* A client that lingers and says nothing has this long to close. */
#define LINGER_MS 5000

/* One that was dismissed between two requests has this long: a request may have crossed that. */
#define PART_MS 1000

/* If the response to the first request of a connection takes longer than this, it is watched
 * whether the client leaves meanwhile. */
#define WATCH_MS 100

/* Peers that speak for many clients are not counted. */
static bool is_counted(const struct client *c, const struct address *peer)
{
	return c->downstream->settings->limits.connections_per_client > 0 && !c->trusted &&
	       !address_is_unix(peer);
}

/* False: its address has too many already. A client that there is no memory to count may stay. */
static bool count_in(struct client *c, const struct address *peer)
{
	struct downstream_context *downstream = c->downstream;
	unsigned most = (unsigned)downstream->settings->limits.connections_per_client;

	if (!is_counted(c, peer))
		return true;
	c->source = connections_per_client_enter(&downstream->sources, peer);
	if (c->source == NULL || c->source->connections <= most)
		return true;
	connections_per_client_leave(&downstream->sources, c->source);
	c->source = NULL;
	return false;
}

int http1_downstream_open(struct downstream_context *downstream, int fd, const struct address *peer,
	uint32_t listener)
{
	struct client *c =
		client_open(downstream, &http1_downstream_read_events, fd, peer, listener);

	if (c == NULL)
		return -1;
	if (count_in(c, peer))
		connection_look(&c->connection);
	else
		http1_respond_refuse_unread(c, 429, REASON_CLIENT_LIMIT,
			"your address has too many connections; close some");
	/* If its request came along, nothing more is expected for now. */
	if (connection_is_open(&c->connection) && c->state != CLIENT_BUSY)
		connection_watch(&c->connection);
	return 0;
}

static void head_expired(struct deadline *deadline)
{
	http1_respond_refuse_unread(LIST_ITEM(deadline, struct client, deadline), 408,
		REASON_HEAD_TIMEOUT, "the request did not arrive in time");
}

void http1_downstream_give_way(struct deadline *deadline)
{
	struct client *c = LIST_ITEM(deadline, struct client, deadline);

	assert(c->state == CLIENT_HEAD);
	http1_respond_refuse_unread(
		c, 503, REASON_NO_ROOM, "there is no room for a request that comes slowly");
	if (connection_is_open(&c->connection))
		client_close(c);
}

void http1_downstream_init(struct downstream_context *d)
{
	const struct timeout_settings *t = &d->settings->timeouts;

	list_init(&d->busy);
	cells_init(&d->clients, sizeof(struct client));
	deadline_queue_init(&d->wait_head, d->loop, t->request_header, head_expired);
	deadline_queue_init(&d->wait_request, d->loop, t->idle_client, client_idle_expired);
	deadline_queue_init(&d->wait_watch, d->loop, WATCH_MS, client_watch_expired);
	deadline_queue_init(&d->wait_flush, d->loop, t->response, client_flush_expired);
	deadline_queue_init(&d->wait_close, d->loop, LINGER_MS, client_linger_expired);
	deadline_queue_init(&d->wait_part, d->loop, PART_MS, client_linger_expired);
}

void http1_downstream_fini(struct downstream_context *d)
{
	assert(d->client_count == 0 && list_is_empty(&d->busy));
	cells_fini(&d->clients);
	deadline_queue_fini(&d->wait_head);
	deadline_queue_fini(&d->wait_request);
	deadline_queue_fini(&d->wait_watch);
	deadline_queue_fini(&d->wait_flush);
	deadline_queue_fini(&d->wait_close);
	deadline_queue_fini(&d->wait_part);
}
