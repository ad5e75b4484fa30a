/*
 * A backend of the demo as a process: its event loop, accepting, and its end. What is said on a
 * connection stands in demo_visit.c. It keeps no log.
 */
#include "config.h"

#include "demo_backend.h"

#include <event2/event.h>
#include <event2/listener.h>
#include <sys/socket.h>

#include "base/rng.h"
#include "demo_visit.h"

static void accept_cb(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
	int len, void *arg)
{
	(void)listener;
	(void)peer;
	(void)len;
	demo_visit_open(arg, fd);
}

/* Out of descriptors: to try again at once would only burn the processor. */
static void accept_error_cb(struct evconnlistener *listener, void *arg)
{
	(void)arg;
	evconnlistener_disable(listener);
}

static void lifeline_cb(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(server->base);
}

static int server_init(struct server *server, const struct demo_backend *start)
{
	uint64_t seed;

	server->port = start->port;
	server->delay_ms = start->delay_ms;
	server->base = event_base_new();
	if (server->base == NULL || rng_root_seed(&seed) == -1)
		return -1;
	rng_seed(&server->rng, seed, start->port, 0, 0);
	/* No backlog given: it is listening already. */
	server->listener = evconnlistener_new(server->base, accept_cb, server,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, start->listener);
	server->lifeline = event_new(server->base, start->lifeline, EV_READ, lifeline_cb, server);
	if (server->listener == NULL || server->lifeline == NULL)
		return -1;
	evconnlistener_set_error_cb(server->listener, accept_error_cb);
	return event_add(server->lifeline, NULL);
}

int demo_backend_run(const struct demo_backend *start)
{
	/* Static: what hangs on it goes with the process, and is no leak till then. */
	static struct server server;

	if (server_init(&server, start) == -1)
		return 1;
	return event_base_dispatch(server.base) == -1;
}
