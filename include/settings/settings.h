/*
 * The settings: one immutable struct, filled from one option table (settings/option.h), never
 * edited after it was loaded. A reload makes a new one. Durations are milliseconds, sizes bytes.
 */
#ifndef TINYLB_SETTINGS_SETTINGS_H
#define TINYLB_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/network.h"
#include "settings/pools.h"

/* Which fields tell backends of the client, a set of bits: X-Forwarded-*, Forwarded. */
enum forwarded { FORWARDED_OFF = 0, FORWARDED_X = 1, FORWARDED_RFC7239 = 2 };

struct timeout_settings {
	uint64_t connect;
	uint64_t request_header; /* from the first byte of a request to the end of its head */
	uint64_t response;       /* between two bytes of a request or a response under way */
	uint64_t idle_client;
	uint64_t idle_backend;
	uint64_t lifetime_backend; /* of a connection that is used again and again */
	uint64_t tunnel;
	uint64_t drain;
	uint64_t hang;      /* of a worker; 0: any time */
	uint64_t queue;     /* of a request for a backend that is not full */
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

struct reload_settings {
	int canary;     /* how many workers a reload begins with; 0: it is not watched */
	uint64_t watch; /* for so long */
};

/* The most workers that can be asked for. */
#define SETTINGS_WORKERS_MAX 256

struct settings {
	int workers;  /* 0: one per processor */
	int64_t seed; /* 0: from the kernel */
	char *user;   /* NULL: stay */
	char *group;
	bool sandbox; /* workers give up what they do not need */
	enum host_policy host;
	enum via_policy via;
	struct network_set trusted; /* proxies whose X-Forwarded-* fields are kept */
	int forwarded;              /* of enum forwarded */
	bool half_close;
	char *log;        /* "stderr", "syslog" or a path */
	int log_level;    /* enum log_level */
	bool log_picks;   /* each pick is a notice, not for debugging only: the demo; no option */
	char *access_log; /* NULL: off */
	char *pid_file;   /* NULL: none */
	struct timeout_settings timeouts;
	struct limit_settings limits;
	struct reload_settings reload;
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
