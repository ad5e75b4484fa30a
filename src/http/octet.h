/*
 * Which octets may stand where, and skipping over runs of them: shared by the parsers of this
 * folder. Nothing here reads at or past `end`.
 */
#ifndef TINYLB_HTTP_OCTET_H
#define TINYLB_HTTP_OCTET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/word.h"

enum octet_class {
	OCTET_TOKEN = 1,  /* tchar (RFC 9110 5.6.2) */
	OCTET_NAME = 2,   /* letters, digits, dash: any other tchar a field name must explain */
	OCTET_VALUE = 4,  /* field-value: HTAB, SP, VCHAR, obs-text (RFC 9110 5.5) */
	OCTET_TARGET = 8, /* request-target: VCHAR but for "#" */
	OCTET_LABEL = 16, /* reg-name (RFC 3986 3.2.2) but for the dot, "%" and the comma */
};

extern const uint8_t octet_classes[256];

static inline bool octet_is(char c, enum octet_class class)
{
	return (octet_classes[(unsigned char)c] & class) != 0;
}

/* What optional white space is made of (RFC 9110 5.6.3). */
static inline bool octet_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline const char *octet_skip_blanks(const char *p, const char *end)
{
	while (p < end && octet_is_blank(*p))
		p++;
	return p;
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

/* As octet_skip with OCTET_VALUE, for longer runs. */
static inline const char *octet_skip_value(const char *p, const char *end)
{
	while (end - p >= 8) {
		uint64_t word = word_load(p);
		uint64_t found =
			(word_below(word, 0x20) | word_equal(word, 0x7f)) & ~word & WORD_TOPS;

		if (found == 0) {
			p += 8;
			continue;
		}
		p += word_first(found);
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
		uint64_t word = word_load(p);
		uint64_t found = (word_below(word, 0x21) | word_equal(word, '#') |
					 word_equal(word, 0x7f) | word) &
				 WORD_TOPS;

		if (found != 0)
			return p + word_first(found);
	}
	return octet_skip(p, end, OCTET_TARGET);
}

#endif
