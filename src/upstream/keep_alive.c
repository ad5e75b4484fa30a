/*
 * Learns a backend's idle limit from the connections that it closes, and from those that it does
 * not. A limit shows in closes at the same age again and again; a backend that restarts closes
 * connections of any age, all at once. So one close is believed at once, and given up as soon as a
 * connection lives longer; many of them, apart from each other, need as many witnesses.
 */
#include "config.h"

#include "upstream/keep_alive.h"

#include <assert.h>
#include <stdbool.h>

/* Whatever a backend has for a limit, it is more than this. */
#define LEAST_US UINT64_C(50000)

/* By this much the times may be off that are seen from here: of a busy process, on a network. */
#define SLACK_US UINT64_C(10000)

/* Closes that are nearer to each other have one cause. */
#define APART_US UINT64_C(100000)

/* Younger ones than this are seldom closed for their age. For a request that can be sent again it
 * is not worth it to make a fresh connection. */
#define USUAL_LEAST_US UINT64_C(100000)

#define SEEN_MAX 8

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* It lived longer than the limit, whatever the clocks. */
static bool is_beyond(const struct keep_alive *l, uint64_t idle_us)
{
	return idle_us > l->closed_us + l->closed_us / 4 + SLACK_US;
}

static bool is_near(const struct keep_alive *l, uint64_t idle_us)
{
	return idle_us >= l->closed_us - l->closed_us / 4 && !is_beyond(l, idle_us);
}

static void see_again(struct keep_alive *l, uint64_t idle_us, uint64_t now_us)
{
	if (now_us - l->seen_us >= APART_US && l->seen < SEEN_MAX)
		l->seen++;
	l->seen_us = now_us;
	l->closed_us = least(l->closed_us, idle_us);
}

/* A connection that has been idle since then lived longer; it is heard once. */
static void doubt(struct keep_alive *l, uint64_t since_us)
{
	if (since_us == l->witness_us)
		return;
	assert(l->seen > 0);
	l->witness_us = since_us;
	if (--l->seen == 0)
		l->closed_us = 0;
}

void keep_alive_closed(struct keep_alive *l, uint64_t idle_us, uint64_t now_us)
{
	assert((l->closed_us != 0) == (l->seen > 0));
	l->alive_us = least(l->alive_us, idle_us);
	if (l->closed_us != 0 && is_beyond(l, idle_us))
		doubt(l, now_us - idle_us);
	else if (l->closed_us != 0 && is_near(l, idle_us))
		see_again(l, idle_us, now_us);
	else
		l->seen = 0;
	if (l->seen > 0)
		return;
	l->closed_us = idle_us > 0 ? idle_us : 1;
	l->seen_us = now_us;
	l->seen = 1;
}

void keep_alive_alive(struct keep_alive *l, uint64_t idle_us, uint64_t now_us)
{
	assert((l->closed_us != 0) == (l->seen > 0));
	if (idle_us > l->alive_us)
		l->alive_us = idle_us;
	if (l->closed_us != 0 && is_beyond(l, idle_us))
		doubt(l, now_us - idle_us);
}

uint64_t keep_alive_usual(const struct keep_alive *l)
{
	return l->closed_us >= USUAL_LEAST_US ? l->closed_us - l->closed_us / 4 : UINT64_MAX;
}

uint64_t keep_alive_once(const struct keep_alive *l)
{
	uint64_t shown_us = l->alive_us / 2 > LEAST_US ? l->alive_us / 2 : LEAST_US;
	uint64_t most_us = least(shown_us, KEEP_ALIVE_ONCE_US);

	return l->closed_us != 0 ? least(most_us, l->closed_us / 2) : most_us;
}
