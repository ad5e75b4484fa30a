/*
 * A backend as one worker uses it: types, and two functions that need nothing else. Nothing here is
 * shared with other workers.
 */
#ifndef TINYLB_UPSTREAM_BACKEND_H
#define TINYLB_UPSTREAM_BACKEND_H

#include "base/escape.h"
#include "base/list.h"
#include "base/slice.h"
#include "board/row.h"
#include "settings/pools.h"
#include "upstream/keep_alive.h"

struct pool;
struct upstream_ops;

/* How much it may have at a time: capacity.h. */
struct capacity {
	uint32_t requests;    /* the limit of the settings; 0: any number */
	uint32_t connections; /* the limit of the settings; 0: any number */
	unsigned idle;       /* connections that this worker keeps: at most its part of the limit */
	unsigned ramp;       /* connections that may be in the making; 0: any number */
	unsigned connecting; /* connections that are in the making */
};

/* A value that falls by the same amount each moment, to nothing within a second. */
struct fading {
	uint64_t at_us; /* when `value` was right */
	uint32_t value;
};

/* What it is doing: load.h. */
struct load {
	/* this worker's cells on the board; borrowed */
	_Atomic uint32_t *in_flight;
	_Atomic uint32_t *connections;
	struct rows_cells *cells;
	/* what this worker has seen */
	struct fading recent;
	struct fading failing;
	uint32_t latency_us; /* a moving mean; 0: not known */
};

/* How long it is not picked because it refused a connection: availability.h. This worker alone
 * knows it, until the monitor does. */
struct connect_backoff {
	uint64_t until_us; /* monotonic; 0: the backend is picked */
	uint32_t ms;       /* the length of the last one; 0: the next one is the first */
};

struct backend {
	/* settings; the texts are borrowed from them */
	struct pool *pool;              /* borrowed */
	const struct upstream_ops *ops; /* of the protocol that it speaks */
	const struct backend_addresses *addresses;
	struct slice url;
	struct escaped log_name; /* the URL in the access log; owned if it is another text */
	struct slice authority;
	struct slice path;
	uint32_t row; /* on the board; ROWS_NONE: none */
	/* runtime */
	int address;      /* index of the one that was connected to last: tried first */
	struct list idle; /* its kept connections, the one used last in front */
	unsigned idle_count;
	unsigned private_idle_count; /* its part of upstream->private_idle */
	struct keep_alive keep_alive;
	uint64_t complained_us;
	struct load load;
	struct connect_backoff connect_backoff;
	struct capacity capacity;
	bool is_well; /* it could serve, though it may drain, or wait as a backup */
	/* whether it takes content of unknown length, which comes in chunks */
	bool wants_length;    /* its last response was of HTTP/1.0: it cannot read chunks */
	bool takes_unknown;   /* it has accepted a request with such content */
	bool refuses_unknown; /* it has answered one with 411, though perhaps not all of them */
};

/* Logs what is wrong with a backend, at most once a second: what is wrong with one request tends to
 * be wrong with all. */
void backend_complain(struct backend *backend, uint64_t now_us, const char *what, const char *why);

/* How many addresses the backend has by now; 0: its name was not found. */
int backend_address_count(const struct backend *backend);

#endif
