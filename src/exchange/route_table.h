/*
 * Finds the route for a request among those of a listener: by binary search, without allocation.
 * Knows nothing of what routes lead to.
 */
#ifndef TINYLB_EXCHANGE_ROUTE_TABLE_H
#define TINYLB_EXCHANGE_ROUTE_TABLE_H

#include "net/canonical.h"
#include "settings/routes.h"

struct route_table;

/* Orders `count` routes, which are borrowed, for being searched. NULL: no memory. */
struct route_table *route_table_new(const struct route_settings *list, size_t count)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void route_table_free(struct route_table *routes);

/*
 * The route for a host, as it came with the request (with or without a port; empty: none), and a
 * target ("/path?query", "?query" or "*"): that of the most specific host, and for this host that
 * of the longest path. NULL where there is none. `unclear` tells that some server could read the
 * path (readings.h), or a host beyond ASCII, as one that another route is for: then the request
 * must not go anywhere. So does a target that is too long for the `size` bytes of `scratch`
 * (canonical_path_room).
 */
const struct route_settings *route_table_find(const struct route_table *routes, struct slice host,
	struct slice target, char *scratch, size_t size, bool *unclear)
	__attribute__((warn_unused_result));

#endif
