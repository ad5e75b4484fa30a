/*
 * Rewrites fields of a response that name the backend by its own address (RFC 9110 8.7, 10.2.2),
 * and the paths of its cookies. The client cannot reach that address, and would not send such a
 * cookie back. It gets instead what it would have to ask for.
 */
#ifndef TINYLB_HTTP_LOCATION_H
#define TINYLB_HTTP_LOCATION_H

#include "base/text.h"
#include "http/field.h"

/* The backend's address, and the one by which the client asked for it. */
struct location_map {
	struct slice authority; /* of the backend's URL: host, and port where it is not 80 */
	struct slice prefix;    /* the path of that URL, in front of every target; empty: none */
	struct slice host; /* of the request, with its port; empty: an HTTP/1.0 client sent none */
	bool https;        /* the request came by https, to a proxy in front; else by http */
	bool preserved;    /* the backend was sent `host`, too */
};

/* Whether a response has a field that could be rewritten. */
static inline bool location_is_in(const struct fields *fields)
{
	return (fields->present & (FIELD_BIT(FIELD_LOCATION) | FIELD_BIT(FIELD_SET_COOKIE))) != 0;
}

/*
 * Rewrites Location, Content-Location and Refresh where they name
 * - "http://", the backend's authority and a path below its prefix: these become scheme and host
 *   of the request, or go where no host is known;
 * - with `preserved`, the request's host by http or https and a path below the prefix;
 * - a path below the prefix alone;
 * and Path of Set-Cookie below the prefix. The prefix is taken away, by whole segments. All else
 * stays: other hosts and ports, user information, "//host", paths that are relative or outside of
 * the prefix. New values are written to `room`, which has to live as long as `fields` is used. Each
 * is longer than the former one by at most LOCATION_EXTRA and the length of map->host. Where
 * room->overflow is set afterwards, the fields must not be used.
 */
void location_rewrite(struct fields *fields, const struct location_map *map, struct text *room);

#define LOCATION_EXTRA 16

#endif
