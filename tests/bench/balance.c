/*
 * Simulates a pool: requests come as a Poisson process to workers, each with a picker of its own,
 * and queue at backends that serve one at a time in exponential times. In units of the mean service
 * time. Usage: balance PICKER BACKENDS WORKERS LOAD STALE SCENARIO REQUESTS; prints one line: share
 * of the odd backend, max over mean of requests, mean time in system, mean and p99 of waiting,
 * failed requests of a thousand. A worker sees its own requests at once and others' up to STALE
 * later.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "balance/pickers.h"

#define FAIL_TIME 0.01 /* what a failing backend takes */

struct request {
	double arrived, started;
	size_t next;
	unsigned worker;
};

struct backend {
	double speed, latency, failing, failed_at;
	size_t first, last; /* requests */
	unsigned queued;
	unsigned long got, recent;
};

struct event {
	double at;
	size_t backend; /* its answer */
};

static struct backend *backends;
static struct request *requests;
static struct event *heap;
static unsigned *snapshot, *own, *own_then; /* own: a row for each worker */
static size_t count, workers, events, worker;
static uint64_t pool_in_flight;
static double now, stale, next_snapshot;

static double exponential(struct rng *rng)
{
	return -log1p(-(double)(rng_next(rng) >> 11) / 9007199254740992.0);
}

static void push(double at, size_t backend)
{
	size_t i = events++;

	for (; i > 0 && heap[(i - 1) / 2].at > at; i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = (struct event){ at, backend };
}

static struct event pop(void)
{
	struct event first = heap[0];
	struct event last = heap[--events];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < events; i = child) {
		if (child + 1 < events && heap[child + 1].at < heap[child].at)
			child++;
		if (heap[child].at >= last.at)
			break;
		heap[i] = heap[child];
	}
	heap[i] = last;
	return first;
}

static void look(const struct picker_view *view, size_t i, struct picker_load *load)
{
	struct backend *b = &backends[i];
	double left = 1 - (now - b->failed_at) / 1000;
	long seen = b->queued;

	(void)view;
	if (stale > 0)
		seen = (long)snapshot[i] + own[worker * count + i] - own_then[worker * count + i];
	load->in_flight = seen > 0 ? (uint32_t)seen : 0;
	load->latency_us = (uint32_t)(b->latency * 1000);
	load->failing = left > 0 ? (uint32_t)(b->failing * left * PICKER_FAILURE) : 0;
}

static uint64_t in_flight(const struct picker_view *view)
{
	(void)view;
	return pool_in_flight;
}

static void refresh(void)
{
	for (; stale > 0 && now >= next_snapshot; next_snapshot += stale) {
		for (size_t i = 0; i < count; i++)
			snapshot[i] = backends[i].queued;
		memcpy(own_then, own, workers * count * sizeof *own);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	const struct picker_kind *kind = argc == 8 ? pickers_find(argv[1]) : NULL;
	double load, capacity = 0, sojourn = 0, waited = 0, next = 0, *waits;
	size_t total, done = 0, arrived = 0, failed = 0, warm;
	struct picker **pickers;
	struct picker_view view = { .load = look, .in_flight = in_flight };
	struct rng rng;
	unsigned *weights;
	unsigned long most = 0, all = 0;

	if (kind == NULL)
		return 2;
	count = strtoul(argv[2], NULL, 10);
	workers = strtoul(argv[3], NULL, 10);
	load = strtod(argv[4], NULL);
	next_snapshot = stale = strtod(argv[5], NULL);
	total = strtoul(argv[7], NULL, 10);
	warm = total / 3;
	backends = calloc(count, sizeof *backends);
	requests = calloc(total, sizeof *requests);
	waits = calloc(total, sizeof *waits);
	heap = calloc(count + 1, sizeof *heap);
	weights = calloc(count, sizeof *weights);
	snapshot = calloc(count, sizeof *snapshot);
	own = calloc(workers * count, sizeof *own);
	own_then = calloc(workers * count, sizeof *own_then);
	pickers = calloc(workers, sizeof *pickers);
	if (!backends || !requests || !waits || !heap || !weights || !snapshot || !own ||
		!own_then || !pickers)
		return 1;
	for (size_t i = 0; i < count; i++) {
		weights[i] = 1;
		backends[i] = (struct backend){ .speed = 1, .failed_at = -1e9 };
	}
	if (strcmp(argv[6], "slow") == 0)
		backends[0].speed = 0.1;
	for (size_t i = 0; i < count; i++)
		capacity += backends[i].speed;
	for (size_t i = 0; i < workers; i++)
		pickers[i] = kind->create(
			&(struct picker_members){ .weights = weights, .count = count });
	rng_seed(&rng, 1, 0, 0, 0);
	while (done < total) {
		struct pick pick = { .rng = &rng, .view = &view };
		struct backend *b;
		struct request *r;

		if (arrived < total && (events == 0 || next <= heap[0].at)) {
			now = next;
			refresh();
			next += exponential(&rng) / (load * capacity);
			worker = rng_below(&rng, (uint32_t)workers);
			pick.key = rng_next(&rng);
			size_t i = kind->pick(pickers[worker], &pick);

			b = &backends[i];
			r = &requests[arrived];
			*r = (struct request){ .arrived = now, .worker = (unsigned)worker };
			own[worker * count + i]++;
			if (arrived >= warm)
				b->got++;
			if (b->queued++ > 0)
				requests[b->last].next = arrived;
			else
				b->first = arrived;
			b->last = arrived++;
			pool_in_flight++;
			if (b->queued > 1)
				continue;
			r->started = now;
			push(now + (i == 0 && argv[6][0] == 'f' ? FAIL_TIME
								: exponential(&rng) / b->speed),
				i);
			continue;
		}
		struct event e = pop();

		now = e.at;
		refresh();
		b = &backends[e.backend];
		r = &requests[b->first];
		own[r->worker * count + e.backend]--;
		if (e.backend == 0 && argv[6][0] == 'f') {
			double left = 1 - (now - b->failed_at) / 1000;

			b->failing = (left > 0 ? b->failing * left : 0) + 1;
			b->failed_at = now;
			failed += b->first >= warm;
		}
		b->latency += ((now - r->arrived) - b->latency) / (b->latency > 0 ? 8 : 1);
		if (b->first >= warm) {
			waits[all] = r->started - r->arrived;
			waited += waits[all++];
			sojourn += now - r->arrived;
		}
		done++;
		pool_in_flight--;
		if (--b->queued > 0) {
			b->first = r->next;
			requests[b->first].started = now;
			push(now + (e.backend == 0 && argv[6][0] == 'f'
						   ? FAIL_TIME
						   : exponential(&rng) / b->speed),
				e.backend);
		}
	}
	for (size_t i = 0; i < count; i++)
		most = backends[i].got > most ? backends[i].got : most;
	qsort(waits, all, sizeof *waits, by_value);
	printf("%.3f %.3f %.3f %.3f %.3f %.3f\n",
		(double)backends[0].got * (double)count / (double)all,
		(double)most * (double)count / (double)all, sojourn / (double)all,
		waited / (double)all, waits[all * 99 / 100], 1000.0 * (double)failed / (double)all);
	return 0;
}
