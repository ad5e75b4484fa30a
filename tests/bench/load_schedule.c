/* When requests are sent. In a closed loop each connection sends the next one when its answer came.
   In an open loop requests fall due whatever became of the ones before, at the gaps of a Poisson
   process: clients who know nothing of each other do so, and even gaps would never let two meet.
   The gaps are the same in each run, so that all who are measured are asked the same. What falls
   due while all connections are busy waits, and its waiting is part of its latency. */

#include "config.h"

#include "load.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

/* How long to wait for answers after the end; failures after which nothing can be learned any more;
   connections that are being opened at a time where many are held. */
enum { GRACE_S = 5, FAILURES_MAX = 10000, HOLD_AT_ONCE = 64 };

static const double second = 1e9;

uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* splitmix64 */
static double random_part(struct load *load)
{
	uint64_t z = load->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return (double)(z >> 11) * 0x1p-53;
}

static bool is_open_loop(const struct load *load)
{
	return load->options.rate > 0;
}

/* Is there to be any other request, now or later? */
static bool is_more(const struct load *load)
{
	if (load->options.requests && load->issued >= load->options.requests)
		return false;
	return (is_open_loop(load) ? load->next_due : load->now) < load->end;
}

static bool is_due(const struct load *load)
{
	if (load->options.hold && load->in_flight >= HOLD_AT_ONCE)
		return false;
	return is_more(load) && (!is_open_loop(load) || load->next_due <= load->now);
}

static uint64_t due_take(struct load *load)
{
	uint64_t due = load->now;

	if (is_open_loop(load)) {
		due = load->next_due;
		load->next_due += -log1p(-random_part(load)) / load->options.rate * second;
	}
	load->issued++;
	return due;
}

static void send_next(struct load *load, struct connection *connection)
{
	load->in_flight++;
	connection_start(load, connection, due_take(load));
}

static void idle_push(struct load *load, struct connection *connection)
{
	uint64_t size = load->options.connections;

	load->idle[(load->idle_first + load->idle_count++) % size] = connection;
}

static struct connection *idle_pop(struct load *load)
{
	struct connection *connection = load->idle[load->idle_first];

	load->idle_first = (load->idle_first + 1) % load->options.connections;
	load->idle_count--;
	return connection;
}

static void record(struct load *load, uint64_t due)
{
	uint64_t when = is_open_loop(load) ? due : load->now;

	if (!load->options.requests && (when < load->begin || when >= load->end))
		return;
	load->answers++;
	histogram_add(&load->latency, load->now - due);
}

void schedule_answered(struct load *load, const struct connection *connection)
{
	load->now = clock_ns();
	load->finished = load->now;
	load->total++;
	record(load, connection->due);
}

void schedule_idle(struct load *load, struct connection *connection)
{
	load->in_flight--;
	if (load->options.hold)
		return;
	/* Waiting for the end of the last connection is not a part of the next request. */
	if (load->options.mode == MODE_CONNECT)
		load->now = clock_ns();
	if (load->idle_count == 0 && is_due(load))
		send_next(load, connection);
	else
		idle_push(load, connection);
}

/* It always waits for the next turn: a port where nobody listens refuses at once, again and again.
 */
void schedule_failed(struct load *load, struct connection *connection, enum failure kind)
{
	load->failed[kind]++;
	load->failures++;
	load->in_flight--;
	idle_push(load, connection);
}

static void wait_turn(struct load *load, uint64_t limit)
{
	struct epoll_event events[TURN_EVENTS];
	struct timespec timeout = { 0 };
	uint64_t until = load->now < load->end ? load->end : limit;
	int count;

	if (is_open_loop(load) && load->idle_count && is_more(load))
		until = load->next_due;
	if (load->idle_count && is_due(load))
		until = load->now;
	if (until > load->now) {
		timeout.tv_sec = (until - load->now) / 1000000000;
		timeout.tv_nsec = (until - load->now) % 1000000000;
	}
	count = epoll_pwait2(load->epoll, events, TURN_EVENTS, &timeout, NULL);
	if (count == -1 && errno != EINTR)
		die("epoll_pwait2");
	for (int i = 0; i < count; i++)
		connection_ready(load, events[i].data.ptr, events[i].events);
}

/* What was asked or due and has no answer is not left out: it waited at least until now. */
static void count_late(struct load *load)
{
	for (uint64_t i = 0; i < load->options.connections; i++) {
		const struct connection *connection = &load->connections[i];

		if (!connection->busy && connection->state != ENDING)
			continue;
		load->failed[FAILED_LATE]++;
		load->failures++;
		if (connection->busy)
			histogram_add(&load->latency, load->now - connection->due);
	}
	while (is_open_loop(load) && load->failures < FAILURES_MAX && is_more(load)) {
		histogram_add(&load->latency, load->now - due_take(load));
		load->failed[FAILED_LATE]++;
		load->failures++;
	}
}

static void start(struct load *load)
{
	const struct options *options = &load->options;

	load->connections = calloc(options->connections, sizeof(*load->connections));
	load->idle = calloc(options->connections, sizeof(struct connection *));
	if (!load->connections || !load->idle)
		die("calloc");
	for (uint64_t i = 0; i < options->connections; i++) {
		load->connections[i].fd = -1;
		idle_push(load, &load->connections[i]);
		if (options->mode != MODE_CONNECT && !options->hold)
			connection_prepare(load, &load->connections[i]);
	}
	load->now = clock_ns();
	load->begin = load->now + (options->requests ? 0 : options->warmup * second);
	load->end = load->begin + options->seconds * second;
	load->next_due = load->now;
	load->finished = load->now;
}

void schedule_run(struct load *load)
{
	uint64_t limit;

	start(load);
	limit = load->end + GRACE_S * UINT64_C(1000000000);
	for (;;) {
		for (uint64_t i = load->idle_count; i && is_due(load); i--)
			send_next(load, idle_pop(load));
		if ((!load->in_flight && !is_more(load)) || load->now >= limit ||
			load->failures >= FAILURES_MAX)
			break;
		wait_turn(load, limit);
		load->now = clock_ns();
	}
	count_late(load);
}
