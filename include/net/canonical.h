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
 * The host of "host[:port]", in lower case: percent signs decoded, one dot at the end gone, an IPv6
 * address in its brackets and as short as it can be. Returns its length. It need not be valid.
 */
size_t canonical_host(struct slice authority, char out[CANONICAL_HOST_MAX]);

enum canonical_reading {
	/* As a careful server does it, and RFC 3986 says: an encoded slash is not a slash. */
	CANONICAL_STRICT,
	/* As the lenient ones do it: an encoded slash and a backslash are slashes, what follows a
	 * semicolon in a segment is gone, an encoded NUL ends it all, and ".." takes away an empty
	 * segment, too. */
	CANONICAL_LENIENT
};

/* True where lenient servers could read `path` in another way than careful ones. */
bool canonical_is_unclear(struct slice path);

/* True where `path` is canonical as it is, and clear: what most are. */
bool canonical_is_plain(struct slice path);

/*
 * Writes `path`, which begins with a slash or is empty and has no query, as it is read: percent
 * signs decoded where they stand for what may stand in a path by itself, all else encoded in upper
 * case, "." and ".." resolved, several slashes made one. `out` has canonical_path_room. Returns the
 * length; the first byte is a slash. The canonical form of a canonical path is the path itself.
 */
size_t canonical_path(struct slice path, enum canonical_reading reading, char *out);

#endif
