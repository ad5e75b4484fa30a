/* Goes through the lists in which clients wait, each in the order in which they came to it. */
#include "config.h"

#include "downstream/clients.h"

#include "client.h"
#include "downstream/http1_downstream.h"
#include "exchange/exchange.h"

/* A client that was idle for less may just have sent its next request. */
#define IDLE_AT_LEAST_US UINT64_C(1000000)

/* A head that takes longer than this gives way when there is no room. */
#define SLOW_HEAD_US UINT64_C(1000000)

static size_t count(const struct list *clients)
{
	size_t n = 0;

	for (const struct list *l = clients->next; l != clients; l = l->next)
		n++;
	return n;
}

size_t clients_count_busy(const struct downstream_context *d)
{
	return count(&d->busy) + count(&d->wait_watch.waiting) + count(&d->wait_head.waiting) +
	       count(&d->wait_flush.waiting);
}

static bool is_since(const struct client *c, uint64_t us)
{
	return c->downstream->loop->now_us - c->since_us >= us;
}

size_t clients_dismiss_idle(struct downstream_context *d, size_t most)
{
	const struct list *idle = &d->wait_request.waiting;
	struct list *next;
	size_t dismissed = 0;

	for (struct list *l = idle->next; l != idle && dismissed < most; l = next) {
		struct client *c = LIST_ITEM(l, struct client, deadline.link);

		next = l->next;
		if (!is_since(c, IDLE_AT_LEAST_US))
			break;
		dismissed += client_dismiss(c);
	}
	return dismissed;
}

static struct client *first_of(const struct deadline_queue *queue)
{
	struct deadline *first = deadline_first(queue);

	return first != NULL ? LIST_ITEM(first, struct client, deadline) : NULL;
}

bool clients_make_room(struct downstream_context *d)
{
	struct client *idle = first_of(&d->wait_request);
	struct client *lingering = client_first_lingering(d);
	struct client *slow = first_of(&d->wait_head);

	if (idle != NULL && is_since(idle, IDLE_AT_LEAST_US))
		client_close(idle);
	else if (lingering != NULL)
		client_close(lingering);
	else if (slow != NULL && is_since(slow, SLOW_HEAD_US))
		http1_downstream_give_way(&slow->deadline);
	else
		return false;
	return true;
}

bool clients_cut_flushing(struct deadline *deadline)
{
	const struct client *c = LIST_ITEM(deadline, struct client, deadline);

	client_flush_expired(deadline);
	return !connection_is_open(&c->connection);
}

static void close_list(struct list *clients)
{
	while (!list_is_empty(clients)) {
		struct client *c = LIST_ITEM(clients->next, struct client, deadline.link);

		if (c->exchange != NULL)
			exchange_stop(c->exchange);
		else
			client_close(c);
	}
}

void clients_close_all(struct downstream_context *d)
{
	close_list(&d->busy);
	close_list(&d->wait_head.waiting);
	close_list(&d->wait_request.waiting);
	close_list(&d->wait_watch.waiting);
	close_list(&d->wait_flush.waiting);
	close_list(&d->wait_close.waiting);
	close_list(&d->wait_part.waiting);
}
