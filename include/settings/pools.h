/* What the lists of the settings hold: listeners, pools, and the backends in them. */
#ifndef TINYLB_SETTINGS_POOLS_H
#define TINYLB_SETTINGS_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/url.h"
#include "settings/addresses.h"
#include "settings/health_settings.h"
#include "settings/routes.h"
#include "settings/statuses.h"

enum host_policy {
	HOST_INHERIT,  /* what a pool begins with: as at the top level; gone once loaded */
	HOST_BACKEND,  /* Host is rewritten to the backend's */
	HOST_PRESERVE, /* the client's Host goes on */
};

/* Which messages get a Via; VIA_INHERIT is as with enum host_policy. Requests that get none bear
 * CDN-Loop, but for VIA_OFF. */
enum via_policy { VIA_INHERIT, VIA_ON, VIA_RESPONSE, VIA_OFF };

/* How a backend is chosen for each request. */
enum balance {
	BALANCE_RANDOM,
	BALANCE_TWO_CHOICES,
	BALANCE_ROUND_ROBIN,
	BALANCE_LEAST_REQUESTS,
	BALANCE_LATENCY,
	BALANCE_HASH,
	BALANCE_STICKY
};

/* How sessions are kept with their backends. */
struct sticky_settings {
	char *cookie;
	char *key; /* NULL: the secret on the board */
};

/* Rows on the board are given out when the settings are used (board/rows.h). */
#define SETTINGS_NO_ROW UINT32_MAX

#define SETTINGS_PRIORITY_MAX 15

enum spread {
	SPREAD_FIRST, /* one backend, whose addresses are tried in turn */
	SPREAD_EACH,  /* as many backends as addresses */
};

/* How many backends a name becomes with SPREAD_EACH: as many of its addresses are used. */
#define BACKEND_EACH_MAX 32

/* The first member of the items of every list is their place: the loader counts on it. */
struct backend_settings {
	struct settings_place place;
	char *url_text;      /* as written, without a trailing slash: what logs show */
	int weight;          /* 0 to 256; 0 gets no requests */
	int priority;        /* 0 to SETTINGS_PRIORITY_MAX, lower ones first */
	bool backup;         /* behind all priorities */
	bool drain;          /* gets no new requests */
	int max_requests;    /* in flight, of all workers together; 0: any number */
	int max_connections; /* open, idle ones too, of all workers together; 0: any number */
	int spread;          /* enum spread: of its addresses */
	/* With SPREAD_EACH: which of its addresses it is, counted from 0; those above 0 are not in
	 * the file, and not dumped. */
	unsigned ordinal;
	struct backend_url url;
	struct backend_addresses *addresses; /* to connect to; borrowed */
	/* links */
	uint32_t row; /* on the board; SETTINGS_NO_ROW: none yet */
};

/* When a request is sent again. */
struct retry_settings {
	int attempts;              /* backends that are tried in all, 1 to RETRY_ATTEMPTS_MAX */
	struct statuses on_status; /* answers after which another one is asked */
	int budget;                /* percent of the requests that may be retries, */
	int budget_rate;           /* and so many more a second */
};

#define RETRY_ATTEMPTS_MAX 8

struct pool_settings {
	struct settings_place place;
	char *name;
	enum balance balance;
	char *hash_on;  /* as hash_on_parse reads it */
	char *hash_key; /* NULL: none */
	struct sticky_settings sticky;
	enum host_policy host; /* never HOST_INHERIT once loaded */
	char *upgrade;         /* protocols that may be offered, with commas; NULL: any */
	enum via_policy via;   /* never VIA_INHERIT once loaded */
	int panic;             /* percent that have to be well, or else all are taken */
	uint64_t slow_start;   /* 0: none */
	uint64_t resolve;      /* between two look-ups of its names; 0: only one */
	struct check_settings check;
	struct eject_settings eject;
	struct retry_settings retry;
	int queue; /* requests of all workers together that may wait; 0: none */
	struct backend_settings *backends;
	size_t backend_count; /* at least 1 */
	uint32_t row;         /* link: of pools on the board; SETTINGS_NO_ROW: none yet */
};

/* The pool of a listener that has none: a request without a route has no answer but an error. */
#define LISTENER_NO_POOL SIZE_MAX

struct listener_settings {
	struct settings_place place;
	char *address_text;
	char *pool_name; /* NULL: none */
	struct address address;
	size_t pool; /* index into pools, or LISTENER_NO_POOL */
	struct route_settings *routes;
	size_t route_count;
};

#endif
