/*
 * The one table of options. The loader, the dump, `tinylb check --options` and the test that holds
 * tinylb.conf(5) against the program all read it.
 */
#ifndef TINYLB_SETTINGS_OPTION_H
#define TINYLB_SETTINGS_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Where an option may stand. */
enum option_scope {
	OPTION_TOP,
	OPTION_TIMEOUTS,
	OPTION_LIMITS,
	OPTION_RELOAD,
	OPTION_LISTENER,
	OPTION_ROUTE,
	OPTION_ANSWER,
	OPTION_POOL,
	OPTION_CHECK,
	OPTION_EJECT,
	OPTION_RETRY,
	OPTION_STICKY,
	OPTION_BACKEND,
	OPTION_SCOPES /* how many */
};

enum option_type {
	OPTION_INTEGER,
	OPTION_BOOLEAN,
	OPTION_STRING,
	OPTION_CHOICE,   /* one of `choices` */
	OPTION_DURATION, /* "5s": milliseconds */
	OPTION_SIZE,     /* "64k": bytes */
	OPTION_PATH,     /* of a file, or one of the words in `choices` */
	OPTION_USER,
	OPTION_GROUP,
	OPTION_ADDRESS,   /* fills all of a struct listener_settings that follows from it */
	OPTION_URL,       /* the same with a struct backend_settings */
	OPTION_NETWORKS,  /* a struct network_set, of one network or an array of them */
	OPTION_STATUSES,  /* a struct statuses, of one status or an array of them */
	OPTION_PROTOCOLS, /* a list with commas, of one protocol or an array; NULL: it was not set
			   */
	OPTION_SECTION,   /* a group of options of scope `inner` */
	OPTION_LIST       /* a list of such groups, each an item of its own */
};

/* Of a path: as if nothing had been set. */
#define CHOICE_NONE (-2)

struct option_choice {
	const char *name;
	int value;
};

struct option {
	enum option_scope scope;
	const char *name;
	enum option_type type;
	bool required;
	bool optional; /* a section that is given or not: its struct begins with its place */
	int64_t min;
	int64_t max;
	const char *def;                     /* the default, as a user would write it; NULL: none */
	const char *def_text;                /* what to say where there is none; may be NULL */
	const struct option_choice *choices; /* ended by a NULL name; may be NULL */
	/* Of a string: NULL, or what it must be instead; may be NULL: any. */
	const char *(*fault)(const char *text);
	size_t offset;                                    /* in the struct of its scope */
	size_t size;                                      /* of the member */
	enum option_scope inner;                          /* of a section or list */
	size_t item_size;                                 /* of a list */
	size_t count_offset;                              /* of a list: a size_t */
	int (*check)(const char *text, struct text *why); /* of a string, -1: refused; or NULL */
	const char *help;
};

extern const struct option option_table[];
extern const size_t option_count;

/* The option with this name in this scope, or NULL. */
const struct option *option_find(enum option_scope scope, const char *name);

/* A scope as a user would write it, with its last dot: "timeouts.", "pools.backends.", "". */
const char *option_scope_path(enum option_scope scope);

/* Whether an option of this type takes an array of values, or a single one. */
bool option_is_array(enum option_type type);

/* "integer", "duration", ... */
const char *option_type_name(enum option_type type);

/* The default in words: "info", "none", "required". */
const char *option_default_text(const struct option *option);

#endif
