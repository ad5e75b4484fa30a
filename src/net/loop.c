/*
 * The loop's own upkeep: it reads the clock once a turn, frees deferred objects between turns,
 * and ticks while deadlines are waiting.
 */
#include "config.h"

#include "net/loop.h"

#include <assert.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"
#include "event_memory.h"
#include "net/deadline_queue.h"

void loop_free_deferred(struct loop *loop)
{
	while (!list_is_empty(&loop->deferred)) {
		struct deferred_free *deferred =
			LIST_ITEM(loop->deferred.next, struct deferred_free, link);

		list_remove(&deferred->link);
		deferred->free(deferred);
	}
}

static void counted_cb(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	struct loop *loop = arg;

	(void)buffer;
	assert(info->n_deleted <= loop->buffered + info->n_added);
	loop->buffered += info->n_added;
	loop->buffered -= info->n_deleted;
}

int loop_count(struct loop *loop, struct evbuffer *buffer)
{
	return evbuffer_add_cb(buffer, counted_cb, loop) != NULL ? 0 : -1;
}

void loop_uncount(struct loop *loop, const struct evbuffer *buffer)
{
	assert(evbuffer_get_length(buffer) <= loop->buffered);
	loop->buffered -= evbuffer_get_length(buffer);
}

size_t loop_share(const struct loop *loop, size_t usual)
{
	size_t shared = loop->buffered_most / 4 * 3;
	size_t free_room = loop->buffered < shared ? shared - loop->buffered : 0;

	return usual < free_room / 8 ? usual : free_room / 8;
}

/* Thousands of clients may send small pieces of heads and bodies at the same moment, and thousands
 * of deadlines may expire together. Each of the two gets so much of a turn, so that they do not
 * hold up all other connections. */
#define CROWD_US 300

/* So many connections of low priority are read before the clock is read again. */
#define LOW_PRIORITY_FREE 8

bool loop_grants_low_priority(struct loop *loop)
{
	if (loop->low_priority < LOW_PRIORITY_FREE) {
		if (++loop->low_priority == LOW_PRIORITY_FREE) {
			loop_look_up(loop);
			loop->low_priority_us = loop->now_us;
		}
		return true;
	}
	loop_look_up(loop);
	return loop->now_us - loop->low_priority_us < CROWD_US;
}

/* Lets deadlines expire that are due, until `until_us`. Returns false when that time came first. */
static bool expire_front(struct loop *loop, struct deadline_queue *queue, uint64_t until_us)
{
	while (!list_is_empty(&queue->waiting)) {
		struct deadline *first = LIST_ITEM(queue->waiting.next, struct deadline, link);

		if (first->due_us > loop->now_us)
			break;
		if (loop->now_us >= until_us)
			return false;
		deadline_stop(first);
		queue->expired(first);
		loop_look_up(loop);
	}
	return true;
}

static bool is_anything_waiting(const struct loop *loop)
{
	for (struct list *l = loop->queues.next; l != &loop->queues; l = l->next)
		if (!list_is_empty(&LIST_ITEM(l, struct deadline_queue, link)->waiting))
			return true;
	return false;
}

/* Sets the next tick: in DEADLINE_TICK_MS, or at once, behind the events that wait already. */
static void set_tick(struct loop *loop, bool at_once)
{
	static const struct timeval usual = { .tv_usec = DEADLINE_TICK_MS * 1000 };
	static const struct timeval soon = { .tv_usec = 1 };

	/* It cannot fail: loop_init made room for it. */
	if (loop->hurried != at_once)
		loop->ticking = event_add(&loop->tick, at_once ? &soon : &usual) == 0;
	loop->hurried = at_once;
}

static void tick_cb(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	uint64_t until_us;
	bool done = true;

	(void)fd;
	(void)what;
	assert(loop->ticking);
	loop_begin(loop, PULSE_DEADLINES, -1);
	until_us = loop->now_us + CROWD_US;
	for (struct list *l = loop->queues.next; l != &loop->queues && done; l = l->next)
		done = expire_front(loop, LIST_ITEM(l, struct deadline_queue, link), until_us);
	set_tick(loop, !done);
	/* Only now: a deadline that expires may start one in a queue that was looked at before. */
	if (!is_anything_waiting(loop)) {
		event_del(&loop->tick);
		loop->ticking = false;
	}
}

/* libevent ends the process when it cannot have the descriptors of a base: epoll's and a pair for
 * signals. So they are tried first. 0, or -1 with errno. */
static int check_descriptors(void)
{
	int fds[3], result = 0;

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		fds[i] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
		if (fds[i] == -1)
			result = -1;
	}
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		fd_close(&fds[i]);
	return result;
}

/*
 * The base ignores the environment, which could switch epoll's changelist on: that leaves events
 * behind for sockets of which the master holds a duplicate. It takes no locks: one thread.
 */
static struct event_base *new_base(void)
{
	struct event_config *config;
	struct event_base *base = NULL;

	if (check_descriptors() == -1)
		return NULL;
	config = event_config_new();
	if (config == NULL)
		return NULL;
	if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

/* Makes libevent allocate its room for timers, more than there ever are at a time. After this no
 * timer can fail to start for want of memory, and every deadline is kept. */
static int reserve_timers(struct loop *loop)
{
	static const struct timeval any = { .tv_sec = 1 };

	if (event_add(&loop->tick, &any) == -1)
		return -1;
	return event_del(&loop->tick);
}

int loop_init(struct loop *loop)
{
	*loop = (struct loop){ .now_us = clock_us(), .buffered_most = SIZE_MAX };
	batch_init(&loop->batch);
	loop->pulse = &loop->own_pulse;
	pipe_init(&loop->pipe);
	list_init(&loop->deferred);
	list_init(&loop->queues);
	event_memory_init();
	loop->scratch = mem_alloc(LOOP_SCRATCH_SIZE);
	loop->base = new_base();
	if (loop->scratch == NULL || loop->base == NULL)
		goto fail;
	if (event_assign(&loop->tick, loop->base, -1, EV_PERSIST, tick_cb, loop) == -1 ||
		reserve_timers(loop) == -1)
		goto fail;
	return 0;
fail:
	if (loop->base != NULL)
		event_base_free(loop->base);
	mem_free(loop->scratch);
	return -1;
}

void loop_fini(struct loop *loop)
{
	/* A turn without waiting lets libevent finish what it frees late. */
	(void)loop_turn(loop, false);
	event_del(&loop->tick);
	event_base_free(loop->base);
	pipe_close(&loop->pipe);
	mem_free(loop->scratch);
}

static inline bool turn(struct loop *loop, int flags)
{
	bool more;

	loop->awake = false;
	loop->low_priority = 0;
	batch_begin(&loop->batch, loop->base);
	clock_hold(true);
	more = event_base_loop(loop->base, flags) == 0;
	assert(loop->pipe.held == 0);
	if (loop->buffered > loop->buffered_most && loop->overloaded != NULL)
		loop->overloaded(loop->overloaded_context);
	loop_free_deferred(loop);
	clock_hold(false);
	pulse_do(loop->pulse, PULSE_WAITING, -1);
	return more;
}

bool loop_turn(struct loop *loop, bool wait)
{
	return turn(loop, wait ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
}

void loop_run(struct loop *loop)
{
	loop->stopped = false;
	while (!loop->stopped && turn(loop, EVLOOP_ONCE))
		;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
	event_base_loopbreak(loop->base);
}

static void read_clock(struct loop *loop)
{
	loop->now_us = clock_us();
	pulse_beat(loop->pulse, loop->now_us);
}

void loop_show(struct loop *loop, struct pulse *pulse)
{
	assert(loop->pulse == &loop->own_pulse);
	loop->pulse = pulse;
	read_clock(loop);
}

void loop_look_up(struct loop *loop)
{
	loop->awake = true;
	clock_hold(true);
	read_clock(loop);
}

void loop_defer_free(struct loop *loop, struct deferred_free *deferred,
	void (*free)(struct deferred_free *deferred))
{
	deferred->free = free;
	list_append(&loop->deferred, &deferred->link);
}
