/*
 * One spelling of a host and of a path, so that rules can be held against what clients ask for. The
 * same spelling is given to the rules. Nothing is allocated.
 */
#ifndef TINYLB_NET_CANONICAL_H
#define TINYLB_NET_CANONICAL_H

#include "base/slice.h"

/* As long as the host of a request, with its port, can be; a longer one is cut. */
#define CANONICAL_HOST_MAX 264

/* Room for the canonical form of a path of `len` bytes. */
static inline size_t canonical_path_room(size_t len)
{
	return 3 * len + 1;
}

/*
 * The host of "host[:port]", in lower case: percent signs decoded, one dot at the end gone, an IPv4
 * address as four decimal numbers, an IPv6 address in its brackets and as short as it can be.
 * Returns its length. It need not be valid.
 */
size_t canonical_host(struct slice authority, char out[CANONICAL_HOST_MAX]);

/* True where all servers read `path` in one way: it has no "..", no empty segment, and nothing that
 * some of them take for a slash, for the start of parameters or for the end of the path. readings.h
 * has the ways in which they read others. */
bool canonical_is_clear(struct slice path);

/* True where `path` is canonical as it is, and clear: what most are. */
bool canonical_is_plain(struct slice path);

enum canonical_dots {
	CANONICAL_RESOLVED,  /* as RFC 3986 5.2.4 says */
	CANONICAL_UNRESOLVED /* ".." stays where it stands */
};

/*
 * Writes `path`, which begins with a slash or is empty and has no query, as careful servers read
 * it: percent signs decoded where they stand for what may stand in a path by itself, all else
 * encoded in upper case, several slashes made one, and "." gone. `out` has canonical_path_room.
 * Returns the length; the first byte is a slash. The canonical form of a canonical path is the path
 * itself.
 */
size_t canonical_path(struct slice path, enum canonical_dots dots, char *out);

/* The part of a target before its query: a path that may be empty, or "*". */
struct slice canonical_path_of(struct slice target);

#endif
