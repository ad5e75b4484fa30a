/*
 * The names of backends that are looked up again: which they are, when each is due, and what an
 * answer changes. Pure but for messages: time and random numbers are arguments.
 */
#ifndef TINYLB_MONITOR_NAME_LIST_H
#define TINYLB_MONITOR_NAME_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "settings/settings.h"

/* All times are monotonic, in microseconds. */
struct name {
	const struct backend_settings **heads; /* borrowed: of all backends with this name */
	size_t head_count;                     /* at least 1 */
	uint64_t interval_us;                  /* the shortest of their pools */
	uint64_t due_us;                       /* 0: it is in the look-up under way */
	bool asked;                            /* in that look-up, and not answered yet */
	bool fails;                            /* the last look-up failed */
};

struct name_list {
	struct name *names;                    /* owned */
	const struct backend_settings **heads; /* owned: those of names[0], of names[1] ... */
	size_t count;
	size_t first; /* the name that is asked first, next time */
};

/* Collects the names of pools that look up again, each once. 0, or -1: no memory; name_list_fini
 * is to be called all the same. */
int name_list_init(struct name_list *list, const struct settings *settings)
	__attribute__((warn_unused_result));

void name_list_fini(struct name_list *list);

const char *name_list_host(const struct name *name);

/* Plans the first look-up of each name, an interval from now, a tenth of it more or less. A name
 * without an address counts as one that fails, and comes within two seconds. */
void name_list_begin(struct name_list *list, struct rng *rng, uint64_t now_us);

/* Returns when the first name is due; UINT64_MAX: there are no names. */
uint64_t name_list_due(const struct name_list *list);

/* Writes hosts and numbers of the names that are due within a second, and returns how many they
 * are. There is room for `count` of them. They are asked from now on. */
size_t name_list_ask(
	struct name_list *list, uint64_t now_us, const char **hosts, uint32_t *numbers);

/* Makes all names due now where a look-up could not be started. */
void name_list_ask_again(struct name_list *list, uint64_t now_us);

/* Takes the answer for name `number`, below `count`. `why`: it could not be looked up; NULL: it
 * has addresses. */
void name_list_take(struct name_list *list, uint32_t number, const char *why);

/* The look-up is over: names without an answer fail for `why`, and all are planned again. */
void name_list_end(struct name_list *list, const char *why, struct rng *rng, uint64_t now_us);

#endif
