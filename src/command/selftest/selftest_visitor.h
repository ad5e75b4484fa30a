/* One client of the load of `tinylb selftest`, and what all of them share. */
#ifndef TINYLB_COMMAND_SELFTEST_VISITOR_H
#define TINYLB_COMMAND_SELFTEST_VISITOR_H

#include "selftest_load.h"
#include "selftest_probe.h"

enum visitor_state {
	VISITOR_RESTS, /* without a connection */
	VISITOR_IDLE,  /* with one, before its next request */
	VISITOR_ASKS,  /* a request is under way */
	VISITOR_ENDS,  /* was answered; the balancer is to close */
	VISITOR_DONE,  /* sends no more */
};

struct visitor {
	struct load *load; /* borrowed */
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

struct load {
	struct load_start start;
	struct event *tick;
	struct tally *tally; /* of requests that begin now */
	struct rng rng;
	uint64_t tokens;
	bool stopping;           /* see load_expect_stop */
	bool finishing;          /* see load_finish */
	struct response scratch; /* for parsing */
	size_t count;
	struct visitor visitors[];
};

/* Begins its first request in a moment. 0, or -1 when memory is short. */
int visitor_start(struct visitor *v, struct load *load, bool keeps)
	__attribute__((warn_unused_result));

/* Gives up what takes too long. To be called now and then. */
void visitor_check(struct visitor *v, uint64_t now_us);

/* Ends its connection and whatever it waits for. */
void visitor_end(struct visitor *v);

#endif
