/*
 * The list is in the order in which its exchanges began to wait, so the first is also the one whose
 * time is over first: no deadlines are kept. Nothing is allocated for one that waits.
 */
#include "config.h"

#include "queue.h"

#include "affinity.h"
#include "capacity.h"
#include "exchange.h"
#include "pool.h"

static struct exchange *first_in(const struct list *list)
{
	return list_is_empty(list) ? NULL : LIST_ITEM(list->next, struct exchange, link);
}

/* Of those that wait for whichever backend has room. */
static struct exchange *first_of(const struct pool *pool)
{
	return first_in(&pool->queue.waiting);
}

static void publish(struct pool *pool)
{
	const struct exchange *first = first_of(pool);

	atomic_store_explicit(&pool->cells->oldest_us, first != NULL ? first->record.queued_us : 0,
		memory_order_relaxed);
}

/* Since when the first in any other worker waits that has to be waited for; 0: none has. */
static uint64_t oldest_elsewhere(const struct pool *pool)
{
	return rows_oldest(pool->proxy->rows, pool->settings->row, pool->proxy->column,
		pool->queue.ignored_us);
}

static bool is_older(uint64_t one_us, uint64_t other_us)
{
	return one_us != 0 && one_us + QUEUE_EVEN_US < other_us;
}

bool queue_goes_first(const struct exchange *x)
{
	const struct exchange *first = first_of(x->pool);
	uint64_t since_us = x->record.queued_us;

	if (since_us == 0)
		since_us = x->proxy->loop->now_us;
	if (first != NULL && first->record.queued_us <= since_us)
		return true;
	return is_older(oldest_elsewhere(x->pool), since_us);
}

/* Somebody there could go on. False: it could for long. */
static bool is_patient(struct queue *q, uint64_t oldest_us, uint64_t now_us)
{
	if (q->slow_us != oldest_us) {
		q->slow_us = oldest_us;
		q->slow = 0;
	} else if (now_us - q->slow_seen_us < QUEUE_TICK_MS * 1000) {
		return true;
	}
	q->slow_seen_us = now_us;
	return q->slow++ < QUEUE_PATIENCE;
}

/* Whether one that waits since then goes on, now that there is room: if nobody else has waited for
 * longer, but for those who leave the room unused. */
static bool is_its_turn(struct pool *pool, uint64_t since_us)
{
	uint64_t oldest_us = oldest_elsewhere(pool);

	while (is_older(oldest_us, since_us)) {
		if (is_patient(&pool->queue, oldest_us, pool->proxy->loop->now_us))
			return false;
		pool->queue.ignored_us = oldest_us;
		oldest_us = oldest_elsewhere(pool);
	}
	return true;
}

static void insert(struct list *waiting, struct exchange *x)
{
	struct list *before = waiting->prev;

	while (before != waiting &&
		LIST_ITEM(before, struct exchange, link)->record.queued_us > x->record.queued_us)
		before = before->prev;
	list_prepend(before, &x->link);
}

static void start_ticking(struct proxy *proxy)
{
	static const struct timeval tick = { .tv_usec = QUEUE_TICK_MS * 1000 };

	/* It cannot fail: loop_init made room for it. */
	if (!proxy->queue_ticks)
		proxy->queue_ticks = event_add(&proxy->queue_tick, &tick) == 0;
}

bool queue_enter(struct exchange *x)
{
	struct pool *pool = x->pool;
	struct proxy *proxy = x->proxy;

	if (!rows_queue_within(proxy->rows, pool->settings->row, proxy->column,
		    (uint32_t)pool->settings->queue))
		return false;
	if (x->record.queued_us == 0)
		x->record.queued_us = proxy->loop->now_us;
	insert(x->bound ? &pool->queue.bound : &pool->queue.waiting, x);
	publish(pool);
	start_ticking(proxy);
	return true;
}

void queue_leave(struct exchange *x)
{
	if (list_is_empty(&x->link))
		return;
	list_remove(&x->link);
	rows_leave(&x->pool->cells->queued);
	publish(x->pool);
}

void queue_look_soon(struct pool *pool)
{
	event_active(&pool->proxy->queue_tick, EV_TIMEOUT, 1);
}

static void expire(const struct pool *pool, const struct list *list, const char *why)
{
	uint64_t now_us = pool->proxy->loop->now_us;
	uint64_t most_us = pool->proxy->settings->timeouts.queue * 1000;
	struct exchange *x;

	while ((x = first_in(list)) != NULL && now_us - x->record.queued_us >= most_us)
		exchange_answer(x, 503, REASON_QUEUE_TIMEOUT, why);
}

/* Its session was not looked at before it had to wait behind others. */
static void bind_session(struct exchange *x)
{
	list_remove(&x->link);
	insert(&x->pool->queue.bound, x);
	publish(x->pool);
}

/* Goes through the list as long as there is room. One that has been to backends before may find
 * room where others do not, and the other way round. */
static void serve_all(struct pool *pool)
{
	struct list *waiting = &pool->queue.waiting, *next;

	for (struct list *l = waiting->next; l != waiting; l = next) {
		struct exchange *x = LIST_ITEM(l, struct exchange, link);
		bool is_full = capacity_room(x) == CAPACITY_FULL;

		next = l->next;
		if (is_full && x->tried_count > 0)
			continue;
		if (is_full || !is_its_turn(pool, x->record.queued_us))
			return;
		if (exchange_go_on(x))
			next = waiting->next; /* others may have ended over it */
		else if (x->bound)
			bind_session(x);
		else
			return;
	}
}

/* Each of these waits for one backend, full or not whatever others are. */
static void serve_bound(struct pool *pool)
{
	struct list *bound = &pool->queue.bound, *next;

	for (struct list *l = bound->next; l != bound; l = next) {
		struct exchange *x = LIST_ITEM(l, struct exchange, link);

		next = l->next;
		if (!affinity_is_bound(x) && exchange_go_on(x))
			next = bound->next;
	}
}

static void serve(struct pool *pool)
{
	struct queue *q = &pool->queue;

	expire(pool, &q->waiting, "all backends were busy for too long");
	expire(pool, &q->bound, "the backend of the session was busy for too long");
	if (queue_is_empty(q))
		return;
	exchange_look_at_pool(pool);
	/* Before they were bound these waited in the other list, if anybody did. */
	serve_bound(pool);
	serve_all(pool);
}

static void tick_cb(evutil_socket_t fd, short what, void *arg)
{
	struct proxy *proxy = arg;
	bool is_over = true;

	(void)fd;
	(void)what;
	loop_begin(proxy->loop, PULSE_DEADLINES, -1);
	for (size_t i = 0; i < proxy->settings->pool_count; i++) {
		if (!proxy->pools[i].limited)
			continue;
		serve(&proxy->pools[i]);
		is_over &= queue_is_empty(&proxy->pools[i].queue);
	}
	if (is_over) {
		event_del(&proxy->queue_tick);
		proxy->queue_ticks = false;
	}
}

int queue_init(struct proxy *proxy)
{
	return event_assign(&proxy->queue_tick, proxy->loop->base, -1, EV_PERSIST, tick_cb, proxy);
}

void queue_fini(struct proxy *proxy)
{
	event_del(&proxy->queue_tick);
}
