/*
 * A slice is a borrowed run of bytes: a pointer and a length, no terminator.
 * The function that returns a slice says how long its bytes live.
 */
#ifndef TINYLB_BASE_SLICE_H
#define TINYLB_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *data;
	size_t len;
};

/* For printf: printf("%.*s", SLICE_ARGS(s)). */
#define SLICE_ARGS(s) (int)(s).len, (s).data

static inline struct slice slice_of(const char *data, size_t len)
{
	return (struct slice){ data, len };
}

/* A slice over a C string, which may be NULL (then the slice is empty). */
static inline struct slice slice_of_string(const char *text)
{
	return (struct slice){ text, text != NULL ? strlen(text) : 0 };
}

static inline bool slice_is_empty(struct slice s)
{
	return s.len == 0;
}

static inline bool slice_equals(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Equal but for the case of ASCII letters; the locale plays no part. */
bool slice_equals_nocase(struct slice a, struct slice b);

/* `s` without leading and trailing spaces and tabs (OWS of RFC 9110 5.6.3). */
struct slice slice_trim(struct slice s);

/*
 * Takes the next element of a comma-separated list (RFC 9110 5.6.1) off the front of *rest,
 * trimmed, and returns false when none is left. Empty elements are skipped.
 */
bool slice_next_element(struct slice *rest, struct slice *element);

/*
 * Reads 1*DIGIT and nothing else. Returns 0, or -1 when `s` is empty, holds anything but digits, or
 * is larger than `max`.
 */
int slice_parse_decimal(struct slice s, uint64_t max, uint64_t *value)
	__attribute__((warn_unused_result));

#endif
