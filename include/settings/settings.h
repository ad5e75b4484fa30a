/*
 * The settings: one immutable struct, filled from one option table (settings/option.h), never
 * edited after it was loaded. A reload makes a new one. Durations are milliseconds, sizes bytes.
 */
#ifndef TINYLB_SETTINGS_SETTINGS_H
#define TINYLB_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"
#include "net/network.h"
#include "net/url.h"

enum host_policy {
	HOST_INHERIT,  /* what a pool begins with: as at the top level; gone once loaded */
	HOST_BACKEND,  /* Host is rewritten to the backend's */
	HOST_PRESERVE, /* the client's Host goes on */
};

/* Which fields tell backends of the client, a set of bits: X-Forwarded-*, Forwarded. */
enum forwarded { FORWARDED_OFF = 0, FORWARDED_X = 1, FORWARDED_RFC7239 = 2 };

enum balance { BALANCE_RANDOM };

/* How many addresses of one name are kept and tried in turn. */
#define BACKEND_ADDRESSES_MAX 8

/* Where something was written, for messages. */
struct settings_place {
	const char *file; /* borrowed from struct settings; NULL: the command line */
	int line;
};

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
	struct backend_url url;
	struct backend_addresses *addresses; /* to connect to, in order; borrowed */
};

struct pool_settings {
	struct settings_place place;
	char *name;
	enum balance balance;
	enum host_policy host; /* never HOST_INHERIT once loaded */
	struct backend_settings *backends;
	size_t backend_count; /* at least 1 */
};

struct listener_settings {
	struct settings_place place;
	char *address_text;
	char *pool_name;
	struct address address;
	size_t pool; /* index into pools */
};

struct timeout_settings {
	uint64_t connect;
	uint64_t request_header; /* from the first byte of a request to the end of its head */
	uint64_t response;       /* between two bytes of a request or a response under way */
	uint64_t idle_client;
	uint64_t idle_backend;
	uint64_t lifetime_backend; /* of a connection that is used again and again */
	uint64_t tunnel;
	uint64_t drain;
	uint64_t lame_duck; /* between TERM and the beginning of the end */
};

struct limit_settings {
	uint64_t header_size; /* of a request's or response's whole head */
	int header_count;
	uint64_t body_rate;         /* bytes a second that a request's body must come at; 0: any */
	uint64_t buffers;           /* bytes that one worker buffers */
	int connections;            /* clients per worker; 0: as many as descriptors allow */
	int connections_per_client; /* of one address, per worker; 0: any number */
};

struct settings {
	int workers;  /* 0: one per processor */
	int64_t seed; /* 0: from the kernel */
	char *user;   /* NULL: stay */
	char *group;
	enum host_policy host;
	struct network_set trusted; /* peers that are believed what they say of the client */
	int forwarded;              /* of enum forwarded */
	bool half_close;
	char *log;        /* "stderr", "syslog" or a path */
	int log_level;    /* enum log_level */
	bool log_picks;   /* each pick is a notice, not for debugging only: the demo; no option */
	char *access_log; /* NULL: off */
	char *pid_file;   /* NULL: none */
	struct timeout_settings timeouts;
	struct limit_settings limits;
	struct listener_settings *listeners;
	size_t listener_count;
	struct pool_settings *pools;
	size_t pool_count;
	char *file; /* where it came from, for messages; NULL: the command line */
	/* links */
	char **files; /* the names that places point to */
	size_t file_count;
	void *addresses; /* memory behind all backends' addresses */
	size_t addresses_size;
};

/* NULL is fine. */
void settings_free(struct settings *settings);

#endif
