/*
 * The load of `tinylb selftest`: so many clients at a time, each of which sends a request, judges
 * the answer, and goes on with the next. Half of them begin each request on a new connection.
 */
#ifndef TINYLB_COMMAND_SELFTEST_LOAD_H
#define TINYLB_COMMAND_SELFTEST_LOAD_H

#include <event2/event.h>

#include "base/rng.h"
#include "selftest_tally.h"

struct load;

struct load_start {
	struct event_base *base;
	uint16_t port; /* of 127.0.0.1 */
	int clients;
	struct rng rng;
	/* Tells of a request that was lost, in words. */
	void (*lost)(void *context, const char *text);
	void *context;
};

/* NULL, and errno, when memory is short. */
struct load *selftest_load_new(const struct load_start *start) __attribute__((warn_unused_result));

/* Ends all connections. NULL is fine. */
void selftest_load_free(struct load *load);

/* Counts the requests that are sent from now on in `tally`, which must outlive the load. */
void selftest_load_count_in(struct load *load, struct tally *tally);

/* A worker is about to be killed that holds the connection from this local port. Returns whether a
 * request is under way on it. */
bool selftest_load_expect_kill(struct load *load, uint16_t port);

/* The same where it is not known which connections that worker holds: it may be any. Returns how
 * many requests are under way. */
size_t selftest_load_expect_kill_of_any(struct load *load);

/* The balancer is about to be told to stop. A client whose new connection is turned away from now
 * on sends no more. */
void selftest_load_expect_stop(struct load *load);

/* No client begins another request. */
void selftest_load_finish(struct load *load);

/* How many requests are under way. */
size_t selftest_load_pending(const struct load *load);

#endif
