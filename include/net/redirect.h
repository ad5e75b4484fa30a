/*
 * The URLs that redirects lead to: texts in which "{host}", "{path}" and "{query}" stand for parts
 * of the request. Whatever the request holds, a URL stays one line and one URL, and leads to the
 * host that its author wrote.
 */
#ifndef TINYLB_NET_REDIRECT_H
#define TINYLB_NET_REDIRECT_H

#include "base/text.h"

struct redirect_parts {
	struct slice host;  /* as the client wrote it, without its port */
	struct slice path;  /* likewise; begins with a slash */
	struct slice query; /* with its question mark; empty: there is none */
};

/* 0, or -1 with `why` it cannot be a redirect's URL, a phrase. */
int redirect_check(const char *url, const char **why) __attribute__((warn_unused_result));

/* Whether the request's host is a part of it. */
bool redirect_needs_host(const char *url);

/* Whether the request's path stands behind a path of the URL's own, and could lead out of it. */
bool redirect_nests_path(const char *url);

/*
 * Writes a URL that passed the check with the parts filled in. What cannot stand in a URL is
 * percent-encoded; behind a "?" or "#" of the URL itself all but letters, digits, "-._~" and "/",
 * so that a part is one value there.
 */
void redirect_write(struct text *out, const char *url, const struct redirect_parts *parts);

/* Takes a request's host and target apart. The target is a path with or without a query, begins
 * with the query, or is "*". */
struct redirect_parts redirect_split(struct slice host, struct slice target);

#endif
