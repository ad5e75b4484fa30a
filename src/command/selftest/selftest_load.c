/* The clients all together. What each does stands in selftest_visitor.c. */
#include "config.h"

#include "selftest_load.h"

#include <assert.h>

#include "base/clock.h"
#include "base/memory.h"
#include "selftest_visitor.h"

#define TICK_MS 100

struct load {
	struct visitor_shared shared;
	struct event *tick;
	size_t count;
	struct visitor visitors[];
};

static void tick_cb(evutil_socket_t fd, short what, void *arg)
{
	struct load *load = arg;
	uint64_t now = clock_us();

	(void)fd;
	(void)what;
	for (size_t i = 0; i < load->count; i++)
		selftest_visitor_check(&load->visitors[i], now);
}

struct load *selftest_load_new(const struct load_start *start)
{
	static const struct timeval tick = { .tv_usec = TICK_MS * 1000 };
	size_t count = (size_t)start->clients;
	struct load *load = mem_zalloc(1, sizeof *load + count * sizeof *load->visitors);

	assert(start->base != NULL && start->lost != NULL);
	if (load == NULL)
		return NULL;
	load->shared.base = start->base;
	load->shared.port = start->port;
	load->shared.lost = start->lost;
	load->shared.context = start->context;
	load->shared.rng = start->rng;
	load->shared.tokens = rng_next(&load->shared.rng);
	load->count = count;
	load->tick = event_new(start->base, -1, EV_PERSIST, tick_cb, load);
	if (load->tick == NULL || event_add(load->tick, &tick) == -1)
		goto fail;
	for (size_t i = 0; i < count; i++)
		if (selftest_visitor_start(&load->visitors[i], &load->shared, i % 2 == 1) == -1)
			goto fail;
	return load;
fail:
	selftest_load_free(load);
	return NULL;
}

void selftest_load_free(struct load *load)
{
	if (load == NULL)
		return;
	for (size_t i = 0; i < load->count; i++)
		selftest_visitor_end(&load->visitors[i]);
	if (load->tick != NULL)
		event_free(load->tick);
	mem_free(load);
}

void selftest_load_count_in(struct load *load, struct tally *tally)
{
	assert(tally != NULL);
	load->shared.tally = tally;
}

bool selftest_load_expect_kill(struct load *load, uint16_t port)
{
	for (size_t i = 0; i < load->count; i++) {
		struct visitor *v = &load->visitors[i];

		if (v->bev == NULL || v->port != port)
			continue;
		v->was_killed = true;
		return v->state == VISITOR_ASKS;
	}
	return false;
}

size_t selftest_load_expect_kill_of_any(struct load *load)
{
	size_t pending = 0;

	for (size_t i = 0; i < load->count; i++)
		if (load->visitors[i].bev != NULL)
			pending += selftest_load_expect_kill(load, load->visitors[i].port);
	return pending;
}

void selftest_load_expect_stop(struct load *load)
{
	load->shared.stopping = true;
}

void selftest_load_finish(struct load *load)
{
	load->shared.finishing = true;
}

size_t selftest_load_pending(const struct load *load)
{
	size_t pending = 0;

	for (size_t i = 0; i < load->count; i++)
		pending += load->visitors[i].state == VISITOR_ASKS;
	return pending;
}
