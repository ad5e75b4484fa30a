/* A backend as one worker uses it. Nothing here is shared with other workers. */
#ifndef TINYLB_UPSTREAM_BACKEND_H
#define TINYLB_UPSTREAM_BACKEND_H

#include "base/list.h"
#include "base/slice.h"
#include "settings/pools.h"
#include "upstream/availability.h"
#include "upstream/capacity.h"
#include "upstream/keep_alive.h"
#include "upstream/load.h"

struct backend {
	/* settings; the texts are borrowed from them */
	const struct backend_addresses *addresses;
	struct slice url;
	struct slice authority;
	struct slice path;
	uint32_t row; /* on the board; ROWS_NONE: none */
	/* runtime */
	struct list idle; /* connections, the one used last in front */
	unsigned idle_count;
	int address; /* index of the one that was connected to last: tried first */
	struct keep_alive keep_alive;
	uint64_t complained_us;
	struct load load;
	struct connect_backoff connect_backoff;
	bool is_well; /* it could serve, though it may drain, or wait as a backup */
	struct capacity capacity;
};

/* `backend` is zeroed; `rows` may be NULL. */
void backend_init(struct backend *backend, const struct backend_settings *settings,
	struct rows *rows, uint32_t column);

/* Logs what is wrong with a backend, at most once a second: what is wrong with one request tends to
 * be wrong with all. */
void backend_complain(struct backend *backend, uint64_t now_us, const char *what, const char *why);

/* How many addresses the backend has by now; 0: its name was not found. */
int backend_address_count(const struct backend *backend);

#endif
