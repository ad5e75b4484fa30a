/* The pools and backends of the settings as one worker uses them: a picker, and idle connections.
 */
#ifndef TINYLB_PROXY_POOL_H
#define TINYLB_PROXY_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "availability.h"
#include "balance/picker.h"
#include "balance/session.h"
#include "base/list.h"
#include "base/slice.h"
#include "capacity.h"
#include "keep_alive.h"
#include "load.h"
#include "queue.h"
#include "settings/hash_on.h"
#include "settings/settings.h"

struct proxy;

struct backend {
	/* settings; the texts are borrowed from them */
	const struct backend_addresses *addresses;
	struct slice url;
	struct slice authority;
	struct slice path;
	uint32_t row; /* on the board; ROWS_NONE: none */
	/* runtime */
	struct list idle; /* of struct http1_upstream, the one used last in front */
	unsigned idle_count;
	int address; /* the one that answered last: tried first */
	struct keep_alive keep_alive;
	uint64_t complained_us;
	struct load load;
	struct connect_backoff connect_backoff;
	bool is_well; /* it could serve: others may be picked before it, or it drains */
	struct capacity capacity;
};

struct pool {
	const struct pool_settings *settings; /* borrowed */
	struct proxy *proxy;                  /* likewise */
	const struct picker_kind *kind;
	struct picker *picker; /* owned */
	struct hash_on hash_on;
	struct sessions *sessions; /* owned; NULL: none are kept */
	bool by_request;           /* what a request says decides who gets it (affinity.h) */
	struct backend *backends;
	struct rows_pool *cells; /* this worker's on the board; borrowed */
	struct availability availability;
	struct picker_view view;
	uint64_t spent_said_us; /* when the log was told that the retry budget is spent */
	bool limited;           /* some backend has a limit: only then requests may wait */
	unsigned ramps;         /* backends that have one: capacity.h */
	struct queue queue;
};

/* 0, or -1 when memory is short. */
int pool_init(struct pool *pool, struct proxy *proxy, const struct pool_settings *settings)
	__attribute__((warn_unused_result));

/* Connections must be closed before. */
void pool_fini(struct pool *pool);

/* Says in the log what is wrong with a backend: at most once a second, for what is wrong with one
 * request tends to be wrong with all. */
void backend_complain(struct backend *backend, uint64_t now_us, const char *what, const char *why);

/* How many addresses the backend has by now; 0 where its name was not found. */
int backend_address_count(const struct backend *backend);

#endif
