/* One connection to a backend of the demo. */
#ifndef TINYLB_COMMAND_DEMO_VISIT_H
#define TINYLB_COMMAND_DEMO_VISIT_H

#include <event2/event.h>
#include <event2/listener.h>

#include "base/rng.h"
#include "demo_backend.h"
#include "http/request.h"

/* What all connections of a backend share. */
struct server {
	const struct demo_backend *start;
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *lifeline;
	struct rng rng;
	/* Scratch for parsing; nothing in it outlives the call that filled it. */
	struct request request;
	struct fields trailers;
};

/* Serves the connection `fd`, which is the callee's whatever comes of it. */
void visit_open(struct server *server, int fd);

#endif
