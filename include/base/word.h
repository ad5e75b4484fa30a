/*
 * Eight octets at a time, in one machine word: for runs that are long enough to pay.
 *
 * word_below and word_equal give a word in which the lowest top bit is that of the first octet in
 * question, once the top bits of octets from 0x80 on are masked; above it, where a borrow travels,
 * there may be wrong ones. (Lamport, "Multiple byte processing with full-word instructions", 1975.)
 */
#ifndef TINYLB_BASE_WORD_H
#define TINYLB_BASE_WORD_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define WORD_ONES 0x0101010101010101u
#define WORD_TOPS 0x8080808080808080u

/* The eight octets at `p`, the first one lowest. */
static inline uint64_t word_load(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return le64toh(word);
}

/* Octets below `limit`, which is 0x80 at the most. */
static inline uint64_t word_below(uint64_t word, uint8_t limit)
{
	return word - WORD_ONES * limit;
}

/* Octets that are `c`, which is below 0x80. */
static inline uint64_t word_equal(uint64_t word, uint8_t c)
{
	return word_below(word ^ WORD_ONES * c, 1);
}

/* Which octet the lowest bit of `found`, which must have one, belongs to: 0 to 7. */
static inline int word_first(uint64_t found)
{
	return __builtin_ctzll(found) >> 3;
}

#endif
