/*
 * Hosts and paths are spelled as those of requests are when they are compared. Duplicates are found
 * after that, in n log n.
 */
#include "config.h"

#include "verify_routes.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/address.h"
#include "net/canonical.h"
#include "net/redirect.h"

/* Reports "listeners.routes.host = "...": why". */
static void report_value(struct settings_errors *errors, const struct settings_place *place,
	const char *option, const char *value, const char *why)
{
	char bytes[512];
	struct text shown = text_over(bytes, sizeof bytes);

	escape_quoted(&shown, slice_of(value, strnlen(value, 100)));
	report_error(errors, place, "listeners.routes.%s = \"%s%s\": %s", option,
		text_string(&shown), strlen(value) > 100 ? "..." : "", why);
}

static bool is_ipv6(const char *host)
{
	char inside[CANONICAL_HOST_MAX];
	struct address address;

	(void)snprintf(inside, sizeof inside, "%s", host + 1);
	inside[strcspn(inside, "]")] = '\0';
	return strchr(inside, ':') != NULL && strcmp(strchrnul(host, ']'), "]") == 0 &&
	       address_parse_ip(inside, &address) == 0;
}

/* What is wrong with a route's host, or NULL. */
static const char *judge_host(const char *host)
{
	const char *name = strncmp(host, "*.", 2) == 0 ? host + 2 : host;

	if (*name == '[')
		return name == host && is_ipv6(host) ? NULL
						     : "in brackets stands an IPv6 address: [::1]";
	if (strcmp(host, "*") == 0)
		return "for any host, leave it out";
	if (strchr(name, '*') != NULL)
		return "* may only stand for labels at the front: *.example.com";
	if (strchr(name, ':') != NULL)
		return "must be without a port (it is for any), and an IPv6 address in brackets";
	if (*name == '\0' || *name == '.' || strstr(name, "..") != NULL)
		return "has an empty label";
	for (const char *p = name; *p != '\0'; p++) {
		if ((unsigned char)*p >= 0x80)
			return "must be written as in DNS: xn--...";
		if (!isalnum((unsigned char)*p) && strchr("-._", *p) == NULL)
			return "must be a name, an address, or *. and a name";
	}
	return NULL;
}

/* What is wrong with a route's path, or NULL. */
static const char *judge_path(const char *path)
{
	if (*path != '/')
		return "must begin with a slash";
	if (strpbrk(path, "?#") != NULL)
		return "a query plays no part in it: end it before the ? or #";
	for (const char *p = path; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p))
			return "has a control character";
	if (strchr(path, ';') != NULL || strchr(path, '\\') != NULL ||
		strcasestr(path, "%2f") != NULL || strcasestr(path, "%5c") != NULL ||
		strcasestr(path, "%3b") != NULL || strstr(path, "%00") != NULL)
		return "servers disagree about encoded slashes, backslashes, NULs and "
		       "semicolons: end it before that";
	return NULL;
}

/* Puts another text in the place of one. */
static void replace(char **text, const char *by, struct settings_errors *errors)
{
	char *copy = mem_strdup(by);

	if (copy == NULL) {
		verify_entries_no_memory(errors);
		return;
	}
	mem_free(*text);
	*text = copy;
}

static void verify_host(struct route_settings *route, struct settings_errors *errors)
{
	const char *why = judge_host(route->host);
	char out[2 + CANONICAL_HOST_MAX + 1] = "*.";
	bool is_suffix = route->host[0] == '*';
	size_t front = is_suffix ? 2 : 0;
	size_t len;

	if (why != NULL) {
		report_value(errors, &route->place, "host", route->host, why);
		return;
	}
	len = front + canonical_host(slice_of_string(route->host + front), out + front);
	out[len] = '\0';
	replace(&route->host, out, errors);
}

/* The path "/" is any. */
static void verify_path(struct route_settings *route, struct settings_errors *errors)
{
	const char *why = judge_path(route->path);
	struct slice path = slice_of_string(route->path);
	char *out;

	if (why != NULL) {
		report_value(errors, &route->place, "path", route->path, why);
		return;
	}
	out = mem_alloc(canonical_path_room(path.len) + 1);
	if (out == NULL) {
		verify_entries_no_memory(errors);
		return;
	}
	out[canonical_path(path, CANONICAL_RESOLVED, out)] = '\0';
	if (strcmp(out, "/") == 0) {
		mem_free(route->path);
		route->path = NULL;
	} else {
		replace(&route->path, out, errors);
	}
	mem_free(out);
}

static void verify_redirect(struct route_settings *route, struct settings_errors *errors)
{
	const char *why;

	if (route->redirect == NULL) {
		if (route->status >= 300)
			report_error(errors, &route->place,
				"listeners.routes.status is that of a redirect; that of an answer "
				"stands in it: answer = { status = ...; }");
		return;
	}
	if (redirect_check(route->redirect, &why) == -1)
		report_value(errors, &route->place, "redirect", route->redirect, why);
	if (route->status < 300)
		route->status = 302;
	if (route->status > 303 && route->status < 307)
		report_error(errors, &route->place,
			"listeners.routes.status = %d: must be 301, 302, 303, 307 or 308",
			route->status);
}

static void verify_answer(const struct answer_settings *answer, struct settings_errors *errors)
{
	if (answer->place.file == NULL)
		return;
	if (answer->status >= 300 && answer->status < 400)
		report_error(errors, &answer->place,
			"listeners.routes.answer.status = %d: must not be 3xx; for a redirect "
			"there is redirect = \"https://...\"",
			answer->status);
	if ((answer->status == 204 || answer->status == 205) && answer->body != NULL)
		report_error(errors, &answer->place,
			"listeners.routes.answer.body: an answer with status %d has none",
			answer->status);
	for (const char *p = answer->type; p != NULL && *p != '\0'; p++) {
		if (*p >= ' ' && *p < 0x7f)
			continue;
		report_value(errors, &answer->place, "answer.type", answer->type,
			"must be printable ASCII: \"text/html; charset=utf-8\"");
		return;
	}
}

static void verify_target(struct route_settings *route, const struct pool_names *pools,
	struct settings_errors *errors)
{
	int targets = (route->pool_name != NULL) + (route->redirect != NULL) +
		      (route->answer.place.file != NULL);

	if (targets != 1)
		report_error(errors, &route->place,
			"a route needs %s: pool = \"...\", redirect = \"...\" or answer = { ... }",
			targets == 0 ? "a target" : "one target and no other");
	if (route->pool_name != NULL)
		verify_entries_find_pool(pools, "listeners.routes.pool", route->pool_name,
			&route->place, &route->pool, errors);
	verify_redirect(route, errors);
	verify_answer(&route->answer, errors);
}

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

static int compare_keys(const struct route_settings *a, const struct route_settings *b)
{
	int order = compare_texts(a->host, b->host);

	return order != 0 ? order : compare_texts(a->path, b->path);
}

/* By host and path; of equal ones the first comes first. */
static int compare_routes(const void *a, const void *b)
{
	const struct route_settings *const *left = a;
	const struct route_settings *const *right = b;
	int order = compare_keys(*left, *right);

	if (order != 0)
		return order;
	return *left < *right ? -1 : *left > *right;
}

static void report_duplicate(const struct route_settings *route, const struct route_settings *first,
	struct settings_errors *errors)
{
	char where[1024];

	report_error(errors, &route->place,
		"the route for host %s and path %s is there already: %s",
		route->host != NULL ? route->host : "any",
		route->path != NULL ? route->path : "any",
		report_place(&first->place, where, sizeof where));
}

static void find_duplicates(
	const struct route_settings *routes, size_t count, struct settings_errors *errors)
{
	const struct route_settings **sorted = mem_zalloc(count, sizeof *sorted);

	if (sorted == NULL) {
		verify_entries_no_memory(errors);
		return;
	}
	for (size_t i = 0; i < count; i++)
		sorted[i] = &routes[i];
	qsort(sorted, count, sizeof *sorted, compare_routes);
	for (size_t i = 1; i < count; i++)
		if (compare_keys(sorted[i - 1], sorted[i]) == 0)
			report_duplicate(sorted[i], sorted[i - 1], errors);
	mem_free(sorted);
}

void verify_routes(struct listener_settings *listener, const struct pool_names *pools,
	struct settings_errors *errors)
{
	int before = errors->count;

	for (size_t i = 0; i < listener->route_count; i++) {
		struct route_settings *route = &listener->routes[i];

		if (route->host != NULL)
			verify_host(route, errors);
		if (route->path != NULL)
			verify_path(route, errors);
		verify_target(route, pools, errors);
	}
	if (listener->route_count > 0 && errors->count == before)
		find_duplicates(listener->routes, listener->route_count, errors);
}
