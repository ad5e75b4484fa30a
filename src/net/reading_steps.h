/* The steps of which the readings of a path are made. Private to this folder. */
#ifndef TINYLB_NET_READING_STEPS_H
#define TINYLB_NET_READING_STEPS_H

#include "base/slice.h"

enum reading_step {
	READING_RESOLVE,               /* "." and ".." */
	READING_RESOLVE_CODED,         /* and "%2e", "%2e%2e" */
	READING_RESOLVE_TO_NAME,       /* "/a/b/.." is "/a" and not "/a/" */
	READING_RESOLVE_CODED_TO_NAME, /* both */
	READING_DECODE,
	READING_DECODE_BUT_SLASHES,    /* "%2F" stays */
	READING_DECODE_BUT_DELIMITERS, /* "%2F" and "%25" stay */
	READING_DECODE_TO_NAME,        /* "/a%2F" is "/a", "/a/" stays what it is */
	READING_DECODE_U,              /* "%uNNNN" only */
	READING_MERGE_SLASHES,
	READING_TURN_BACKSLASHES,
	READING_DROP_PARAMETERS, /* from each ";" up to the next slash */
	READING_CUT_AT_SEMICOLON,
	READING_CUT_AT_NUL,
	READING_TRIM_NAMES, /* "/a. " is "/a" */
	READING_STEPS       /* how many there are */
};

/* The steps that could change a text: bit 1 << step for each. */
unsigned reading_steps_for(struct slice text);

/* Writes what the step makes of a text that begins with a slash to `out`, which has room for as
 * much, and returns the length. Sets `climbs` where ".." had nothing to take away. */
size_t reading_step_take(enum reading_step step, struct slice in, char *out, bool *climbs);

#endif
