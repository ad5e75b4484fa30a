/*
 * The parts of a text that are not worth inlining: numbers and printf. Like the rest of it they add
 * the whole piece or, where it does not fit, nothing but the overflow mark.
 */
#include "config.h"

#include <assert.h>
#include <stdio.h>

#include "base/text.h"

/* Both digits of each number below 100. */
static const char pairs[] = "00010203040506070809"
			    "10111213141516171819"
			    "20212223242526272829"
			    "30313233343536373839"
			    "40414243444546474849"
			    "50515253545556575859"
			    "60616263646566676869"
			    "70717273747576777879"
			    "80818283848586878889"
			    "90919293949596979899";

/* Most numbers in heads and logs have two or three digits: no loop, and no copy of unknown length.
 */
static void add_below_1000(struct text *t, unsigned value)
{
	unsigned hundreds = value / 100;
	char *to = t->data + t->len;

	if (hundreds > 0)
		*to++ = (char)('0' + hundreds);
	memcpy(to, pairs + (value - hundreds * 100) * 2, 2);
	t->len = (size_t)(to + 2 - t->data);
}

void text_add_long_decimal(struct text *t, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;

	if (value < 1000 && t->cap - t->len >= 3) {
		add_below_1000(t, (unsigned)value);
		return;
	}
	for (; value >= 10; value /= 100) {
		at -= 2;
		memcpy(digits + at, pairs + value % 100 * 2, 2);
	}
	if (value > 0)
		digits[--at] = (char)('0' + value);
	text_add(t, digits + at, sizeof digits - at);
}

void text_format(struct text *t, const char *format, ...)
{
	size_t room = t->cap - t->len;
	va_list args;
	int n;

	assert(t->len <= t->cap);
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
