/*
 * Which octets may stand where, and skipping over runs of them: shared by the parsers of this
 * folder. Nothing here reads at or past `end`.
 */
#ifndef TINYLB_HTTP_OCTET_H
#define TINYLB_HTTP_OCTET_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum octet_class {
	OCTET_TOKEN = 1,  /* tchar (RFC 9110 5.6.2) */
	OCTET_NAME = 2,   /* letters, digits, dash: any other tchar a field name must explain */
	OCTET_VALUE = 4,  /* field-value: HTAB, SP, VCHAR, obs-text (RFC 9110 5.5) */
	OCTET_TARGET = 8, /* request-target: VCHAR but for "#" */
	OCTET_HOST = 16,  /* reg-name (RFC 3986 3.2.2) but for "%" and the comma */
};

extern const uint8_t octet_classes[256];

static inline bool octet_is(char c, enum octet_class class)
{
	return (octet_classes[(unsigned char)c] & class) != 0;
}

/* Past the octets of a class. Four a round: for runs as short as names nothing cleverer pays. */
static inline const char *octet_skip(const char *p, const char *end, enum octet_class class)
{
	for (; end - p >= 4; p += 4) {
		if (!octet_is(p[0], class))
			return p;
		if (!octet_is(p[1], class))
			return p + 1;
		if (!octet_is(p[2], class))
			return p + 2;
		if (!octet_is(p[3], class))
			return p + 3;
	}
	while (p < end && octet_is(*p, class))
		p++;
	return p;
}

/*
 * Eight octets at a time. octet_below and octet_equal give a word in which the lowest top bit is
 * that of the first octet in question, once the top bits of octets from 0x80 on are masked; above
 * it, where a borrow travels, there may be wrong ones.
 */
#define OCTET_ONES 0x0101010101010101u
#define OCTET_TOPS 0x8080808080808080u

static inline uint64_t octet_load(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return le64toh(word);
}

static inline uint64_t octet_below(uint64_t word, uint8_t limit)
{
	return word - OCTET_ONES * limit;
}

static inline uint64_t octet_equal(uint64_t word, uint8_t c)
{
	return octet_below(word ^ OCTET_ONES * c, 1);
}

static inline int octet_first(uint64_t found)
{
	return __builtin_ctzll(found) >> 3;
}

/* As octet_skip with OCTET_VALUE, for longer runs. */
static inline const char *octet_skip_value(const char *p, const char *end)
{
	while (end - p >= 8) {
		uint64_t word = octet_load(p);
		uint64_t found =
			(octet_below(word, 0x20) | octet_equal(word, 0x7f)) & ~word & OCTET_TOPS;

		if (found == 0) {
			p += 8;
			continue;
		}
		p += octet_first(found);
		if (*p != '\t')
			return p;
		p++;
	}
	return octet_skip(p, end, OCTET_VALUE);
}

/* As octet_skip with OCTET_TARGET, for longer runs. */
static inline const char *octet_skip_target(const char *p, const char *end)
{
	for (; end - p >= 8; p += 8) {
		uint64_t word = octet_load(p);
		uint64_t found = (octet_below(word, 0x21) | octet_equal(word, '#') |
					 octet_equal(word, 0x7f) | word) &
				 OCTET_TOPS;

		if (found != 0)
			return p + octet_first(found);
	}
	return octet_skip(p, end, OCTET_TARGET);
}

#endif
