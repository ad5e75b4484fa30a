/*
 * A text is a bounded buffer that is only ever appended to. It never writes past its end: what does
 * not fit sets `overflow`, and the caller looks at that once, at the end.
 */
#ifndef TINYLB_BASE_TEXT_H
#define TINYLB_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"

struct text {
	char *data; /* borrowed: `cap` bytes */
	size_t len;
	size_t cap;
	bool overflow; /* something did not fit; what is in `data` is not whole */
};

static inline struct text text_over(char *data, size_t cap)
{
	return (struct text){ data, 0, cap, false };
}

static inline void text_add(struct text *t, const char *data, size_t len)
{
	if (len > t->cap - t->len) {
		t->overflow = true;
		return;
	}
	memcpy(t->data + t->len, data, len);
	t->len += len;
}

static inline void text_add_slice(struct text *t, struct slice s)
{
	if (s.len > 0)
		text_add(t, s.data, s.len);
}

/* Adds a C string; with a literal the length is known when compiling. */
static inline void text_add_string(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

static inline void text_add_char(struct text *t, char c)
{
	text_add(t, &c, 1);
}

static inline struct slice text_slice(const struct text *t)
{
	return slice_of(t->data, t->len);
}

/* The part of text_add_decimal for two digits and more. */
void text_add_long_decimal(struct text *t, uint64_t value);

/* Adds `value` in decimal. */
static inline void text_add_decimal(struct text *t, uint64_t value)
{
	if (value < 10)
		text_add_char(t, (char)('0' + value));
	else
		text_add_long_decimal(t, value);
}

/* Adds printf output. */
void text_format(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the text with a NUL (cutting the last byte where it is full) and returns it as a C string.
 * `cap` must not be 0. */
const char *text_string(struct text *t);

#endif
