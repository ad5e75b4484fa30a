/* What a listener does with requests of one kind: where they go, or how they are answered. */
#ifndef TINYLB_SETTINGS_ROUTES_H
#define TINYLB_SETTINGS_ROUTES_H

#include <stddef.h>
#include <stdint.h>

/* Where something was written, for messages. */
struct settings_place {
	const char *file; /* borrowed from struct settings; NULL: the command line */
	int line;
};

/* The longest body of a fixed answer. */
#define ANSWER_BODY_MAX 4096

/* As with every optional section its first member is its place: without a file, there is none. */
struct answer_settings {
	struct settings_place place;
	int status; /* 200 to 599, but for 3xx */
	char *type; /* of the body */
	char *body; /* NULL: an empty one */
};

/* Exactly one of pool_name, redirect and answer is there. Hosts and paths are canonical once
 * loaded (net/canonical.h). */
struct route_settings {
	struct settings_place place;
	char *host; /* in lower case; "*." at its front stands for one label or more; NULL: any */
	char *path; /* a prefix; NULL: any */
	char *pool_name;
	char *redirect; /* net/redirect.h tells what may stand in it */
	int status;     /* of a redirect; below 300: not set */
	struct answer_settings answer;
	size_t pool; /* index into pools */
};

#endif
