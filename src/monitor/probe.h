/*
 * One check of one backend: a connection, and perhaps a request on it. It is bounded in time and in
 * what it reads, and tells its result once.
 */
#ifndef TINYLB_MONITOR_PROBE_H
#define TINYLB_MONITOR_PROBE_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/address.h"
#include "net/loop.h"
#include "settings/pools.h"

enum probe_result {
	PROBE_PASSED,
	PROBE_REFUSED, /* no connection */
	PROBE_FAILED,  /* a connection, and no good answer */
	PROBE_SILENT,  /* a connection, and no answer in time */
	PROBE_UNKNOWN, /* it could not be tried, which says nothing of the backend */
};

struct probe;
typedef void probe_done(struct probe *probe, enum probe_result result, const char *why);

struct probe {
	/* what to do; borrowed */
	struct loop *loop;
	const struct backend_settings *backend;
	const struct check_settings *check;
	bool asks; /* a request, rather than only a connection */
	probe_done *done;
	/* runtime */
	struct event event;
	uint64_t end_us;
	int fd;           /* -1: it is not running */
	unsigned first;   /* which of the addresses was tried first */
	unsigned tried;   /* so many of them */
	unsigned answers; /* which of them took a connection last: tried first the next time */
	char *data;       /* owned: what was read */
	size_t len, room;
	size_t sent;
};

/* Zeroed, and -1 for its descriptor. */
void probe_init(struct probe *probe);

/* Begins; `done` is called later, or at once. It must not be running. */
void probe_start(struct probe *probe, bool asks);

bool probe_is_running(const struct probe *probe);

/* Stops it without a word. */
void probe_stop(struct probe *probe);

#endif
