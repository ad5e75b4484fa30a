/*
 * The proxy of one worker: downstream, exchange and upstream put together. It knows neither the
 * master nor how connections are accepted.
 */
#ifndef TINYLB_PROXY_PROXY_H
#define TINYLB_PROXY_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "board/board.h"
#include "board/rows.h"
#include "net/address.h"
#include "net/loop.h"
#include "settings/settings.h"

struct proxy;

struct proxy_start {
	struct loop *loop;               /* borrowed; outlives the proxy */
	const struct settings *settings; /* borrowed; outlives the proxy */
	struct rng rng;                  /* seeded for this worker */
	int access_log;                  /* a descriptor, the proxy's from now on; -1: off */
	size_t most_clients;             /* it is full with so many; 1 or more */
	struct board_place *place;       /* where to count, borrowed; NULL: nowhere */
	struct rows *rows;               /* of backends and pools, borrowed; NULL: none */
	uint32_t column;                 /* of this worker, in `rows` */
	uint32_t workers;                /* how many share what backends may have; 0: one */
	/* Called when a client is gone: there may be room for another. */
	void (*left)(void *context);
	void *context;
};

/* NULL when memory is short. */
struct proxy *proxy_new(const struct proxy_start *start) __attribute__((warn_unused_result));

/* Ends everything at once and frees it. */
void proxy_free(struct proxy *proxy);

/* Takes over an accepted, non-blocking connection from `peer` to the listener with this index. If
 * memory is short it is closed. */
void proxy_accept(struct proxy *proxy, int fd, const struct address *peer, uint32_t listener);

/* How many clients are connected, with those that still take the rest of their last response. */
size_t proxy_client_count(const struct proxy *proxy);

/* Whether they are as many as may be at a time, and how many that is. proxy_accept does not look at
 * it: its callers do. */
bool proxy_is_full(const struct proxy *proxy);
size_t proxy_most_clients(const struct proxy *proxy);

/* How many of the clients have a request that is under way. */
size_t proxy_busy_count(const struct proxy *proxy);

/* From now on each response says Connection: close. Clients between two requests stay:
 * proxy_dismiss_idle closes them. */
void proxy_close_after_response(struct proxy *proxy);

/* The same; and connections to backends are not kept from now on. */
void proxy_drain(struct proxy *proxy);

/*
 * Ends the connections of up to `most` clients that have been idle for at least a second, longest
 * idle first: a request may be on its way to one of them now. A client whose request has arrived is
 * not idle and will be answered. A client whose request comes too late reads an orderly end.
 * Returns how many connections were ended.
 */
size_t proxy_dismiss_idle(struct proxy *proxy, size_t most);

/* Closes the one client that needs its connection least, because others wait to be accepted: the
 * one that is idle longest, one that only waits for its end, or one whose head comes slowly. False:
 * all are busy. */
bool proxy_make_room(struct proxy *proxy);

/* The same because descriptors are short: an idle connection to a backend goes first. */
bool proxy_spare_descriptor(struct proxy *proxy);

/* Writes what the access log holds back, and puts the file `fd` in its place. */
void proxy_take_access_log(struct proxy *proxy, int fd);

#endif
