/*
 * The parts of a text that are not worth inlining: numbers, escaping, printf. Like the rest of it
 * they add the whole piece or, where it does not fit, nothing but the overflow mark.
 */
#include "config.h"

#include <assert.h>
#include <stdio.h>

#include "base/text.h"

static const char hex_digits[] = "0123456789abcdef";

void text_add_decimal(struct text *t, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	text_add(t, digits + at, sizeof digits - at);
}

void text_add_hex(struct text *t, uint64_t value)
{
	char digits[16];
	size_t at = sizeof digits;

	do {
		digits[--at] = hex_digits[value & 15];
		value >>= 4;
	} while (value > 0);
	text_add(t, digits + at, sizeof digits - at);
}

void text_add_escaped(struct text *t, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			text_add_char(t, (char)c);
		} else {
			char escape[4] = { '\\', 'x', hex_digits[c >> 4], hex_digits[c & 15] };

			text_add(t, escape, sizeof escape);
		}
	}
}

void text_format(struct text *t, const char *format, ...)
{
	size_t room = t->cap - t->len;
	va_list args;
	int n;

	/* vsnprintf writes a NUL as well, which may only stand in room of ours: what fills the text
	 * to the last byte therefore counts as too long. */
	va_start(args, format);
	n = vsnprintf(t->data + t->len, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room)
		t->overflow = true;
	else
		t->len += (size_t)n;
}

const char *text_string(struct text *t)
{
	assert(t->cap > 0);
	if (t->len == t->cap)
		t->len--;
	t->data[t->len] = '\0';
	return t->data;
}
