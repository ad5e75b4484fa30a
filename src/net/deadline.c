/* Keeps deadlines in the order in which they fall due; the loop looks at the front of each queue.
 */
#include "config.h"

#include "net/deadline.h"

#include <assert.h>

void deadline_queue_init(struct deadline_queue *queue, struct loop *loop, uint64_t duration_ms,
	void (*expired)(struct deadline *deadline))
{
	queue->duration_us = duration_ms * 1000;
	queue->slack_us = queue->duration_us / 8;
	if (queue->slack_us > DEADLINE_TICK_MS * 1000 / 2)
		queue->slack_us = DEADLINE_TICK_MS * 1000 / 2;
	queue->expired = expired;
	list_init(&queue->waiting);
	list_init(&queue->link);
	list_append(&loop->queues, &queue->link);
}

void deadline_queue_fini(struct deadline_queue *queue)
{
	assert(list_is_empty(&queue->waiting));
	list_remove(&queue->link);
}

void deadline_init(struct deadline *deadline)
{
	list_init(&deadline->link);
}

static void start_ticking(struct loop *loop)
{
	static const struct timeval tick = { .tv_usec = DEADLINE_TICK_MS * 1000 };

	/* It cannot fail: loop_init made room for it. */
	loop->ticking = event_add(&loop->tick, &tick) == 0;
}

static void start_in(
	struct deadline *deadline, struct deadline_queue *queue, struct loop *loop, uint64_t us)
{
	if (!loop->ticking)
		start_ticking(loop);
	list_remove(&deadline->link);
	deadline->due_us = loop->now_us + us;
	list_append(&queue->waiting, &deadline->link);
}

void deadline_start(struct deadline *deadline, struct deadline_queue *queue, struct loop *loop)
{
	start_in(deadline, queue, loop, queue->duration_us);
}

void deadline_start_late(struct deadline *deadline, struct deadline_queue *queue, struct loop *loop)
{
	start_in(deadline, queue, loop, queue->duration_us + queue->slack_us);
}

struct deadline *deadline_first(const struct deadline_queue *queue)
{
	if (list_is_empty(&queue->waiting))
		return NULL;
	return LIST_ITEM(queue->waiting.next, struct deadline, link);
}

bool deadline_is_running(const struct deadline *deadline)
{
	return !list_is_empty(&deadline->link);
}
