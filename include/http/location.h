/*
 * References in a response that name the backend by its own address (RFC 9110 8.7, 10.2.2), and the
 * paths of its cookies: no user could reach the one, nor would the others come back. They become
 * what the user would have to ask for.
 */
#ifndef TINYLB_HTTP_LOCATION_H
#define TINYLB_HTTP_LOCATION_H

#include "base/text.h"
#include "http/field.h"

/* What the backend is called, and what the user called it. */
struct location_map {
	struct slice authority; /* of the backend's URL: host, and port where it is not 80 */
	struct slice prefix;    /* the path of that URL, in front of every target; empty: none */
	struct slice host;      /* that the user asked for, with its port; empty: not known, of an
				 * HTTP/1.0 client */
	bool https;             /* the user asked by https, else by http */
	bool preserved;         /* the backend was asked for `host`, too */
};

/* Whether a response has a field that could be rewritten. */
static inline bool location_is_in(const struct fields *fields)
{
	return (fields->present & (FIELD_BIT(FIELD_LOCATION) | FIELD_BIT(FIELD_SET_COOKIE))) != 0;
}

/*
 * Rewrites Location, Content-Location and Refresh where they name
 * - "http://", the backend's authority and a path below its prefix: by scheme and host of the
 *   user, or where no host is known by the path alone;
 * - with `preserved`, the user's own host by http or https and a path below the prefix;
 * - a path below the prefix alone;
 * and Path of Set-Cookie below the prefix. The prefix goes, by whole segments. All else stays:
 * other hosts and ports, user information, "//host", paths that are relative or outside of the
 * prefix. New values are written to `room`, which has to live as long as `fields` is used: each is
 * at most LOCATION_EXTRA and the length of map->host longer than the former one. Where
 * room->overflow is set afterwards, the fields must not be used.
 */
void location_rewrite(struct fields *fields, const struct location_map *map, struct text *room);

#define LOCATION_EXTRA 16

#endif
