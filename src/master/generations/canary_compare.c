/*
 * Two proportions are compared three times: how many requests were answered with 5xx, how many
 * could not connect, how many were slow. A reload may be rolled back by the result, so that a few
 * unlucky requests must not be enough.
 */
#include "config.h"

#include "canary_compare.h"

#include <inttypes.h>
#include <stdio.h>

#define LEAST_EVENTS  5
#define MORE_TIMES    2.0
#define ERRORS_SQUARE 16.0 /* four standard errors */

/* A latency that grew by less does not count. */
#define SLOWER_US UINT64_C(5000)

/* `events` in `total` requests. */
struct proportion {
	uint64_t events, total;
};

static bool is_clearly_more(struct proportion new, struct proportion old)
{
	double p_new, p_old, p, variance;

	if (new.events < LEAST_EVENTS || old.total == 0)
		return false;
	p_new = (double)new.events / (double)new.total;
	p_old = (double)old.events / (double)old.total;
	p = (double)(new.events + old.events) / (double)(new.total + old.total);
	variance = p * (1 - p) * (1 / (double)new.total + 1 / (double)old.total);
	return p_new > MORE_TIMES * p_old &&
	       (p_new - p_old) * (p_new - p_old) >= ERRORS_SQUARE * variance;
}

static struct proportion count(const struct board_tally *tally, enum board_counter counter)
{
	uint64_t total = tally->counts[BOARD_REQUESTS], events = tally->counts[counter];

	/* One request can fail to connect more than once. */
	return (struct proportion){ events < total ? events : total, total };
}

/* Answers that took `least_us` or more, as far as the buckets tell. */
static struct proportion count_slow(const struct board_tally *tally, uint64_t least_us)
{
	struct proportion slow = { 0, 0 };

	for (unsigned i = 0; i < BOARD_LATENCY_BUCKETS; i++) {
		slow.total += tally->latency[i];
		if (i > 0 && board_latency_below(i - 1) >= least_us)
			slow.events += tally->latency[i];
	}
	return slow;
}

uint64_t canary_compare_usual_us(const struct board_tally *tally)
{
	uint64_t total = count_slow(tally, UINT64_MAX).total, seen = 0;

	for (unsigned i = 0; total > 0 && i < BOARD_LATENCY_BUCKETS; i++) {
		seen += tally->latency[i];
		if (seen * 10 >= total * 9)
			return board_latency_below(i);
	}
	return 0;
}

struct board_tally canary_compare_since(
	const struct board_tally *now, const struct board_tally *before)
{
	struct board_tally since = *now;

	for (size_t i = 0; i < BOARD_COUNTERS; i++)
		since.counts[i] -= before->counts[i];
	for (size_t i = 0; i < BOARD_LATENCY_BUCKETS; i++)
		since.latency[i] -= before->latency[i];
	return since;
}

static bool judge(
	struct proportion new, struct proportion old, const char *what, char *why, size_t why_size)
{
	if (!is_clearly_more(new, old))
		return false;
	snprintf(why, why_size,
		"of %" PRIu64 " requests with the new settings %" PRIu64 " %s, of %" PRIu64
		" with the old ones %" PRIu64,
		new.total, new.events, what, old.total, old.events);
	return true;
}

bool canary_compare_is_worse(
	const struct board_tally *old, const struct board_tally *new, char *why, size_t why_size)
{
	uint64_t usual_us = canary_compare_usual_us(old), slow_us;
	char slow[64];

	if (judge(count(new, BOARD_5XX), count(old, BOARD_5XX), "were answered with 5xx", why,
		    why_size) ||
		judge(count(new, BOARD_CONNECT_ERRORS), count(old, BOARD_CONNECT_ERRORS),
			"could not connect to a backend", why, why_size))
		return true;
	if (usual_us == 0 || usual_us > UINT64_MAX / 2)
		return false;
	slow_us = usual_us > SLOWER_US ? 2 * usual_us : usual_us + SLOWER_US;
	snprintf(slow, sizeof slow, "took more than %" PRIu64 " ms", slow_us / 1000);
	return judge(count_slow(new, slow_us), count_slow(old, slow_us), slow, why, why_size);
}
