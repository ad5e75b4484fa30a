/* Percent-encoded octets (RFC 3986 2.1). */
#ifndef TINYLB_BASE_PERCENT_H
#define TINYLB_BASE_PERCENT_H

#include <stdbool.h>

/* The value of a hexadecimal digit, or -1. */
static inline int percent_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/* True where an encoded octet stands at `p`. */
static inline bool percent_is_at(const char *p, const char *end)
{
	return *p == '%' && end - p >= 3 && percent_hex(p[1]) >= 0 && percent_hex(p[2]) >= 0;
}

/* Takes one octet off the front, decoded; `coded` tells whether it was. *p is before `end`. */
static inline unsigned char percent_take(const char **p, const char *end, bool *coded)
{
	const char *at = *p;

	*coded = percent_is_at(at, end);
	*p += *coded ? 3 : 1;
	return (unsigned char)(*coded ? percent_hex(at[1]) * 16 + percent_hex(at[2]) : *at);
}

#endif
