/*
 * The lists are in the order of the enqueue times, so the first request is also the one whose time
 * is over first: no deadlines are kept. To wait allocates nothing.
 */
#include "config.h"

#include "upstream/queue.h"

#include <assert.h>

#include "upstream/affinity.h"
#include "upstream/availability.h"
#include "upstream/capacity.h"
#include "upstream/retry_budget.h"
#include "upstream/selection.h"

static struct selection *first_in(const struct list *list)
{
	return list_is_empty(list) ? NULL : LIST_ITEM(list->next, struct selection, link);
}

/* Only requests for any backend are published: the bound ones hold up no other worker. */
static void publish(const struct pool *pool)
{
	const struct selection *first = first_in(&pool->queue.waiting);

	atomic_store_explicit(&pool->cells->oldest_us, first != NULL ? first->queued_us : 0,
		memory_order_relaxed);
}

/* Enqueue time of the oldest request in other workers that this one may have to yield to; 0: none.
 */
static uint64_t oldest_elsewhere(const struct pool *pool)
{
	const struct upstream_context *upstream = pool->upstream;

	return rows_oldest(
		upstream->rows, pool->settings->row, upstream->column, pool->queue.ignored_us);
}

static bool is_older(uint64_t one_us, uint64_t other_us)
{
	return one_us != 0 && one_us + QUEUE_EVEN_US < other_us;
}

bool queue_must_yield(const struct selection *s)
{
	const struct selection *first = first_in(&s->pool->queue.waiting);
	uint64_t since_us = s->queued_us;

	assert(s->pool->limited);
	if (since_us == 0)
		since_us = s->pool->upstream->loop->now_us;
	if (first != NULL && first->queued_us <= since_us)
		return true;
	return is_older(oldest_elsewhere(s->pool), since_us);
}

bool queue_is_of_use(const struct selection *s)
{
	if (!s->pool->limited || (!s->bound && capacity_room(s) == CAPACITY_NOBODY))
		return false;
	return s->tried_count == 0 ||
	       !retry_budget_is_spent(s->pool, s->pool->upstream->loop->now_us);
}

/* The remote request of this enqueue time could go on now and has not yet. Counts that, once a
 * tick; false: it was so for QUEUE_PATIENCE ticks. */
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

/* There is room: whether the request of this enqueue time takes it, or one of another worker. */
static bool is_its_turn(struct pool *pool, uint64_t since_us)
{
	uint64_t oldest_us = oldest_elsewhere(pool);

	while (is_older(oldest_us, since_us)) {
		if (is_patient(&pool->queue, oldest_us, pool->upstream->loop->now_us))
			return false;
		pool->queue.ignored_us = oldest_us;
		oldest_us = oldest_elsewhere(pool);
	}
	return true;
}

static void insert(struct list *waiting, struct selection *s)
{
	struct list *before = waiting->prev;

	while (before != waiting &&
		LIST_ITEM(before, struct selection, link)->queued_us > s->queued_us)
		before = before->prev;
	list_prepend(before, &s->link);
}

static void start_ticking(struct upstream_context *upstream)
{
	static const struct timeval tick = { .tv_usec = QUEUE_TICK_MS * 1000 };

	/* It cannot fail: loop_init made room for it. */
	if (!upstream->queue_ticks)
		upstream->queue_ticks = event_add(&upstream->queue_tick, &tick) == 0;
}

bool queue_enter(struct selection *s)
{
	struct pool *pool = s->pool;
	struct upstream_context *upstream = pool->upstream;

	assert(pool->limited && !s->counted && list_is_empty(&s->link));
	if (!rows_queue_within(upstream->rows, pool->settings->row, upstream->column,
		    (uint32_t)pool->settings->queue))
		return false;
	if (s->queued_us == 0)
		s->queued_us = upstream->loop->now_us;
	insert(s->bound ? &pool->queue.bound : &pool->queue.waiting, s);
	publish(pool);
	start_ticking(upstream);
	return true;
}

void queue_leave(struct selection *s)
{
	if (list_is_empty(&s->link))
		return;
	assert(s->queued_us != 0);
	list_remove(&s->link);
	rows_leave(&s->pool->cells->queued);
	publish(s->pool);
}

void queue_look_soon(const struct pool *pool)
{
	event_active(&pool->upstream->queue_tick, EV_TIMEOUT, 1);
}

static void expire(const struct pool *pool, const struct list *list, const char *why)
{
	const struct upstream_context *upstream = pool->upstream;
	uint64_t most_us = upstream->settings->timeouts.queue * 1000;
	struct selection *s;

	while ((s = first_in(list)) != NULL && upstream->loop->now_us - s->queued_us >= most_us)
		upstream->selection_events->expired(s, why);
}

/* The request waited behind others before its session was looked at: it waits for the backend of
 * its session from now on. */
static void bind_session(struct selection *s)
{
	assert(!list_is_empty(&s->link));
	list_remove(&s->link);
	insert(&s->pool->queue.bound, s);
	publish(s->pool);
}

/* Goes through the list as long as there is room. A request that has tried some backends may find
 * room where others find none, and the other way round. */
static void serve_waiting(struct pool *pool)
{
	struct list *waiting = &pool->queue.waiting, *next;

	for (struct list *l = waiting->next; l != waiting; l = next) {
		struct selection *s = LIST_ITEM(l, struct selection, link);
		bool is_full = capacity_room(s) == CAPACITY_FULL;

		next = l->next;
		if (is_full && s->tried_count > 0)
			continue;
		if (is_full || !is_its_turn(pool, s->queued_us))
			return;
		if (pool->upstream->selection_events->ready(s))
			next = waiting->next; /* others may have left the list with it */
		else if (s->bound)
			bind_session(s);
		else
			return;
	}
}

/* Each of these waits for one backend, whether or not others are full. */
static void serve_bound(struct pool *pool)
{
	struct list *bound = &pool->queue.bound, *next;

	for (struct list *l = bound->next; l != bound; l = next) {
		struct selection *s = LIST_ITEM(l, struct selection, link);

		next = l->next;
		if (!affinity_must_wait(s) && pool->upstream->selection_events->ready(s))
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
	availability_refresh(pool);
	/* Before they were bound, these waited in the other list, if any request did. */
	serve_bound(pool);
	serve_waiting(pool);
}

static void tick_cb(evutil_socket_t fd, short what, void *arg)
{
	struct upstream_context *upstream = arg;
	bool is_over = true;

	(void)fd;
	(void)what;
	loop_begin(upstream->loop, PULSE_DEADLINES, -1);
	for (size_t i = 0; i < upstream->settings->pool_count; i++) {
		if (!upstream->pools[i].limited)
			continue;
		serve(&upstream->pools[i]);
		is_over &= queue_is_empty(&upstream->pools[i].queue);
	}
	if (is_over) {
		event_del(&upstream->queue_tick);
		upstream->queue_ticks = false;
	}
}

void queue_init(struct queue *queue)
{
	list_init(&queue->waiting);
	list_init(&queue->bound);
}

int queue_make_tick(struct upstream_context *upstream)
{
	return event_assign(
		&upstream->queue_tick, upstream->loop->base, -1, EV_PERSIST, tick_cb, upstream);
}

void queue_stop_ticks(struct upstream_context *upstream)
{
	event_del(&upstream->queue_tick);
}
