/* What the lists of the settings hold: listeners, pools, and the backends in them. */
#ifndef TINYLB_SETTINGS_POOLS_H
#define TINYLB_SETTINGS_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"
#include "net/url.h"
#include "settings/routes.h"

enum host_policy {
	HOST_INHERIT,  /* what a pool begins with: as at the top level; gone once loaded */
	HOST_BACKEND,  /* Host is rewritten to the backend's */
	HOST_PRESERVE, /* the client's Host goes on */
};

enum balance { BALANCE_RANDOM };

/* Rows on the board are given out when the settings are used (board/rows.h). */
#define SETTINGS_NO_ROW UINT32_MAX

#define SETTINGS_PRIORITY_MAX 15

/* How many addresses of one name are kept and tried in turn. */
#define BACKEND_ADDRESSES_MAX 8

/* The addresses of one backend, in memory that is shared with the process that looks names up. */
struct backend_addresses {
	int count;             /* written last, with release order; read it with acquire order */
	struct address list[]; /* room for BACKEND_ADDRESSES_MAX of a name, else for one */
};

/* The first member of the items of every list is their place: the loader counts on it. */
struct backend_settings {
	struct settings_place place;
	char *url_text; /* as written, without a trailing slash: what logs show */
	int weight;     /* 0 to 256; 0 gets no requests */
	int priority;   /* 0 to SETTINGS_PRIORITY_MAX, lower ones first */
	bool backup;    /* behind all priorities */
	bool drain;     /* gets no new requests */
	struct backend_url url;
	struct backend_addresses *addresses; /* to connect to, in order; borrowed */
	/* links */
	uint32_t row; /* on the board; SETTINGS_NO_ROW: none yet */
	bool appears; /* a reload brought it: it was not there before */
};

struct pool_settings {
	struct settings_place place;
	char *name;
	enum balance balance;
	enum host_policy host; /* never HOST_INHERIT once loaded */
	int panic;             /* percent that have to be well, or else all are taken */
	struct backend_settings *backends;
	size_t backend_count; /* at least 1 */
	uint32_t row;         /* link: of pools on the board; SETTINGS_NO_ROW: none yet */
};

/* Of a listener: what no route is for, is for nobody. */
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
