/*
 * Two levels of sorted keys: hosts, spelled backwards, so that "*.example.com" is a prefix as paths
 * are; and for each host its paths. Of all keys the prefixes of a text are found from the last key
 * that does not come behind it: each of them is that key or one of its own prefixes, which are
 * linked, longest first.
 */
#include "config.h"

#include "route_table.h"

#include <stdlib.h>

#include "base/memory.h"
#include "net/readings.h"

#define NONE SIZE_MAX

struct node {
	struct slice key; /* borrowed */
	size_t shorter;   /* the longest other key that this one begins with; NONE */
	union {
		const struct route_settings *route; /* of a path */
		struct {                            /* of a host: its part of `paths` */
			size_t first;
			size_t count;
		};
	};
};

struct route_table {
	char *backwards; /* owned: the keys of hosts */
	struct node *hosts;
	size_t host_count;
	struct node *paths;
	bool by_path; /* some route has a path */
	bool by_host; /* some route has a host */
};

static int compare(struct slice a, struct slice b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

static bool begins_with(struct slice text, struct slice prefix)
{
	return text.len >= prefix.len && slice_equals(slice_of(text.data, prefix.len), prefix);
}

/* The last of the sorted keys that does not come behind `text`, or NONE. */
static size_t last_before(const struct node *nodes, size_t count, struct slice text)
{
	size_t low = 0;
	size_t high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(nodes[middle].key, text) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? low - 1 : NONE;
}

static void link_prefixes(struct node *nodes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t before = i > 0 ? i - 1 : NONE;

		while (before != NONE && !begins_with(nodes[i].key, nodes[before].key))
			before = nodes[before].shorter;
		nodes[i].shorter = before;
	}
}

/* What is to be sorted: a route with the backward spelling of its host. */
struct item {
	struct slice host;
	struct slice path;
	const struct route_settings *route;
};

static int compare_items(const void *a, const void *b)
{
	const struct item *left = a;
	const struct item *right = b;
	int order = compare(left->host, right->host);

	return order != 0 ? order : compare(left->path, right->path);
}

static struct slice turn(struct slice text, char *out)
{
	for (size_t i = 0; i < text.len; i++)
		out[i] = text.data[text.len - 1 - i];
	return slice_of(out, text.len);
}

/* "*.example.com" without its star: the dot stays, and tells it from a whole host. */
static struct slice host_key(const struct route_settings *route)
{
	const char *host = route->host;

	return slice_of_string(host != NULL && *host == '*' ? host + 1 : host);
}

static size_t count_octets(const struct route_settings *list, size_t count)
{
	size_t octets = 1;

	for (size_t i = 0; i < count; i++)
		octets += host_key(&list[i]).len;
	return octets;
}

static void sort(
	struct item *items, const struct route_settings *list, size_t count, char *backwards)
{
	for (size_t i = 0; i < count; i++) {
		struct slice host = turn(host_key(&list[i]), backwards);

		backwards += host.len;
		items[i] = (struct item){ host, slice_of_string(list[i].path), &list[i] };
	}
	qsort(items, count, sizeof *items, compare_items);
}

static void lay_out(struct route_table *routes, const struct item *items, size_t count)
{
	struct node *host = NULL;

	for (size_t i = 0; i < count; i++) {
		if (host == NULL || !slice_equals(host->key, items[i].host)) {
			host = &routes->hosts[routes->host_count++];
			*host = (struct node){ .key = items[i].host, .first = i };
		}
		host->count++;
		routes->by_path |= items[i].path.len > 0;
		routes->by_host |= items[i].host.len > 0;
		routes->paths[i] = (struct node){ .key = items[i].path, .route = items[i].route };
	}
	link_prefixes(routes->hosts, routes->host_count);
	for (size_t i = 0; i < routes->host_count; i++)
		link_prefixes(&routes->paths[routes->hosts[i].first], routes->hosts[i].count);
}

struct route_table *route_table_new(const struct route_settings *list, size_t count)
{
	struct route_table *routes = mem_zalloc(1, sizeof *routes);
	struct item *items = mem_zalloc(count, sizeof *items);

	if (routes == NULL || items == NULL)
		goto fail;
	routes->backwards = mem_alloc(count_octets(list, count));
	routes->hosts = mem_zalloc(count, sizeof *routes->hosts);
	routes->paths = mem_zalloc(count, sizeof *routes->paths);
	if (routes->backwards == NULL || routes->hosts == NULL || routes->paths == NULL)
		goto fail;
	sort(items, list, count, routes->backwards);
	lay_out(routes, items, count);
	mem_free(items);
	return routes;
fail:
	mem_free(items);
	route_table_free(routes);
	return NULL;
}

void route_table_free(struct route_table *routes)
{
	if (routes == NULL)
		return;
	mem_free(routes->backwards);
	mem_free(routes->hosts);
	mem_free(routes->paths);
	mem_free(routes);
}

/* An empty key is for any host; one that ends with a dot, which was at its front, for all below. */
static bool host_fits(struct slice key, struct slice host)
{
	if (key.len == 0)
		return true;
	if (key.data[key.len - 1] == '.')
		return host.len > key.len && begins_with(host, key);
	return slice_equals(host, key);
}

/* Whole segments; a server may take what is behind a semicolon for no part of one. */
static bool path_fits(struct slice key, struct slice path)
{
	if (!begins_with(path, key))
		return false;
	return key.len == 0 || key.data[key.len - 1] == '/' || path.len == key.len ||
	       path.data[key.len] == '/' || path.data[key.len] == ';';
}

static const struct route_settings *find_path(
	const struct node *nodes, size_t count, struct slice path)
{
	size_t i = last_before(nodes, count, path);

	while (i != NONE && !path_fits(nodes[i].key, path))
		i = nodes[i].shorter;
	return i != NONE ? nodes[i].route : NULL;
}

static const struct route_settings *find(
	const struct route_table *routes, struct slice host, struct slice path)
{
	size_t i = last_before(routes->hosts, routes->host_count, host);

	for (; i != NONE; i = routes->hosts[i].shorter) {
		const struct node *node = &routes->hosts[i];
		const struct route_settings *route = NULL;

		if (host_fits(node->key, host))
			route = find_path(&routes->paths[node->first], node->count, path);
		if (route != NULL)
			return route;
	}
	return NULL;
}

/* Of "*" only routes for any path are. */
static bool has_path(struct slice path)
{
	return path.len == 0 || path.data[0] == '/';
}

/* A name beyond ASCII may be read as one in ASCII (UTS 46: letters of full width, other dots, what
 * is left out). Browsers send such names as xn--. */
static bool is_unclear_host(struct slice host)
{
	for (size_t i = 0; i < host.len; i++)
		if ((unsigned char)host.data[i] >= 0x80)
			return true;
	return false;
}

/* The route for a path in its canonical form. */
static const struct route_settings *find_spelled(const struct route_table *routes,
	struct slice host, struct slice path, enum canonical_dots dots, char *scratch)
{
	return find(routes, host, slice_of(scratch, canonical_path(path, dots, scratch)));
}

/* Whether servers may read the path so that another route is for it. */
static bool is_read_otherwise(const struct route_table *routes, struct slice host,
	struct slice path, const struct route_settings *route, char *scratch, size_t size)
{
	size_t room = canonical_path_room(path.len);
	struct readings readings;
	struct slice text;

	readings_init(&readings, path, READINGS_OF_TARGET, scratch + room, size - room);
	while (readings_next(&readings, &text))
		if (find_spelled(routes, host, text, CANONICAL_UNRESOLVED, scratch) != route)
			return true;
	return readings.cut;
}

const struct route_settings *route_table_find(const struct route_table *routes, struct slice host,
	struct slice target, char *scratch, size_t size, bool *unclear)
{
	char forwards[CANONICAL_HOST_MAX];
	char backwards[CANONICAL_HOST_MAX];
	struct slice key = turn(slice_of(forwards, canonical_host(host, forwards)), backwards);
	struct slice path = canonical_path_of(target);
	const struct route_settings *route;

	*unclear = routes->by_host && is_unclear_host(key);
	if (*unclear)
		return NULL;
	if (!routes->by_path || !has_path(path))
		return find(routes, key, slice_of(NULL, 0));
	if (canonical_is_plain(path))
		return find(routes, key, path);
	if (canonical_path_room(path.len) > size) {
		*unclear = true;
		return NULL;
	}
	route = find_spelled(routes, key, path, CANONICAL_RESOLVED, scratch);
	if (!canonical_is_clear(path))
		*unclear = is_read_otherwise(routes, key, path, route, scratch, size);
	return route;
}
