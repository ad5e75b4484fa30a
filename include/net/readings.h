/*
 * All the ways in which servers may read a path. A server does some of a few steps, in an order of
 * its own: it decodes percent signs, resolves "..", merges slashes, takes a backslash for a slash,
 * drops parameters. Here each step is done to each text that any order of steps leads to, so that
 * no order has to be known. Nothing is allocated.
 */
#ifndef TINYLB_NET_READINGS_H
#define TINYLB_NET_READINGS_H

#include <stdint.h>

#include "base/slice.h"

/* No more readings of a path are looked at, and no more bytes in all of them. An ordinary path has
 * few. */
#define READINGS_MAX       96
#define READINGS_BYTES_MAX ((size_t)32 * 1024)

struct readings {
	char *room; /* borrowed: the texts stand in it, one behind the other */
	size_t size;
	size_t used;
	size_t count; /* of the texts that are known */
	size_t next;  /* the one that readings_next gives next */
	bool climbs;  /* in some reading so far ".." leads above the root */
	bool cut;     /* there are more readings than fit */
	struct slice texts[READINGS_MAX];
	uint64_t hashes[READINGS_MAX];
};

enum readings_of {
	/* A target as a server gets it. Where two slashes are in front, some make them one, and
	 * some take what is between them and the next slash for a host (RFC 3986 4.2). */
	READINGS_OF_TARGET,
	/* What stands behind the path of a backend's URL. */
	READINGS_OF_REST
};

/* `path` begins with a slash and has no query. `room`, of `size` bytes, is used until the last call
 * of readings_next. */
void readings_init(
	struct readings *r, struct slice path, enum readings_of what, char *room, size_t size);

/*
 * Gives the next text: first the path as it is. A text may still have percent signs, ".", several
 * slashes, and ".." where a server would leave it alone. False: these were all, and r->climbs and
 * r->cut are final.
 */
bool readings_next(struct readings *r, struct slice *text) __attribute__((warn_unused_result));

/* For a path that stands behind another one: true where in some reading ".." leads above it, or
 * where there are too many readings to tell. */
bool readings_climb(struct slice path, char *room, size_t size) __attribute__((warn_unused_result));

#endif
