/*
 * One check of one backend: a connection, and perhaps a request on it. Its time and what it reads
 * are bounded, and it reports one result.
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
	PROBE_REFUSED, /* no connection to any address */
	PROBE_FAILED,  /* a connection, but no good response */
	PROBE_SILENT,  /* a connection, but no response in time */
	PROBE_UNKNOWN, /* the probe itself failed, which says nothing about the backend */
};

struct probe;

/* `why` says why it did not pass; NULL after PROBE_PASSED. The probe may be started again. */
typedef void probe_done(struct probe *probe, enum probe_result result, const char *why);

struct probe {
	/* what to do; borrowed */
	struct loop *loop;
	const struct backend_settings *backend;
	const struct check_settings *check;
	bool asks; /* a request is sent; otherwise a connection is enough */
	probe_done *done;
	/* runtime */
	struct event event;
	uint64_t end_us;  /* monotonic: it is given up then */
	int fd;           /* -1: it is not running */
	unsigned first;   /* which of the addresses was tried first */
	unsigned tried;   /* how many of them were tried */
	unsigned answers; /* which of them accepted a connection last: the first of the next time */
	char *data;       /* owned: the response so far */
	size_t len, room;
	size_t sent; /* bytes of the request */
};

/* Makes a zeroed probe one that is not running. */
void probe_init(struct probe *probe);

/* Begins a check; `done` is called later, or before this returns. The probe must not be running.
 */
void probe_start(struct probe *probe, bool asks);

bool probe_is_running(const struct probe *probe);

/* Stops it, if it is running, without calling `done`. */
void probe_stop(struct probe *probe);

#endif
