/*
 * SipHash-2-4 (J.-P. Aumasson and D. J. Bernstein, SipHash: a fast short-input PRF, 2012): a hash
 * that nobody without the key can tell from chance. With a secret key it is a MAC; with any fixed
 * one a good hash.
 */
#ifndef TINYLB_BASE_SIPHASH_H
#define TINYLB_BASE_SIPHASH_H

#include <stdint.h>

#include "base/slice.h"

#define SIPHASH_KEY_SIZE 16

/* The number whose bytes, the lowest first, are the paper's output. */
uint64_t siphash_64(const uint8_t key[SIPHASH_KEY_SIZE], struct slice data);

/* The authors' variant with 128 bits of output; out[0] has the first eight bytes. */
void siphash_128(const uint8_t key[SIPHASH_KEY_SIZE], struct slice data, uint64_t out[2]);

/* Derives a key from a secret text of any length. Keys of the same text for other purposes are
 * different ones, and cannot be computed from this one. */
void siphash_key(
	const uint8_t purpose[SIPHASH_KEY_SIZE], struct slice text, uint8_t key[SIPHASH_KEY_SIZE]);

#endif
