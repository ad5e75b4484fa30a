/* One client of the load of `tinylb selftest`. */
#ifndef TINYLB_COMMAND_SELFTEST_VISITOR_H
#define TINYLB_COMMAND_SELFTEST_VISITOR_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "selftest_probe.h"
#include "selftest_tally.h"

enum visitor_state {
	VISITOR_RESTS, /* without a connection */
	VISITOR_IDLE,  /* with one, before its next request */
	VISITOR_ASKS,  /* a request is under way */
	VISITOR_ENDS,  /* was answered; the balancer is to close */
	VISITOR_DONE,  /* sends no more */
};

/* What all clients share. */
struct visitor_shared {
	struct event_base *base;
	uint16_t port; /* of 127.0.0.1 */
	/* Tells of a request that was lost, in words. */
	void (*lost)(void *context, const char *text);
	void *context;
	struct tally *tally; /* of requests that begin now */
	struct rng rng;
	uint64_t tokens;
	bool stopping;           /* the balancer is about to be told to stop */
	bool finishing;          /* no client begins another request */
	struct response scratch; /* for parsing */
};

struct visitor {
	struct visitor_shared *shared; /* borrowed */
	struct bufferevent *bev;
	struct event *pause;
	struct tally *tally; /* of the request under way */
	struct probe probe;
	enum visitor_state state;
	bool keeps; /* sends several requests on a connection */
	uint64_t since_us;
	/* of the present connection */
	bool connected;
	bool was_killed; /* see struct fate */
	bool was_warned; /* and not answered since */
	uint16_t port;
	unsigned left; /* requests to send on it */
};

/* Begins its first request in a moment. 0, or -1 when memory is short. */
int selftest_visitor_start(struct visitor *v, struct visitor_shared *shared, bool keeps)
	__attribute__((warn_unused_result));

/* Gives up a request that takes longer than ten seconds. To be called now and then. */
void selftest_visitor_check(struct visitor *v, uint64_t now_us);

/* Ends its connection and whatever it waits for. */
void selftest_visitor_end(struct visitor *v);

#endif
