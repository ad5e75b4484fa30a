/* One connection to a backend of the demo. */
#ifndef TINYLB_COMMAND_DEMO_VISIT_H
#define TINYLB_COMMAND_DEMO_VISIT_H

#include <event2/event.h>
#include <event2/listener.h>
#include <stdint.h>

#include "base/rng.h"
#include "http/request.h"

/* What all connections of a backend share. */
struct server {
	uint16_t port;     /* of the backend: its name */
	uint32_t delay_ms; /* how long it seems to work on a request, a quarter more or less */
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *lifeline;
	struct rng rng;
	/* Scratch for parsing; nothing in it outlives the call that filled it. */
	struct request request;
	struct fields trailers;
};

/* Serves the connection `fd` and closes it in the end, also on an error. */
void demo_visit_open(struct server *server, int fd);

#endif
