#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

/* 64 buckets for each power of two: a value is kept within 1.6 %, whatever its size. */
enum { HISTOGRAM_OCTAVE = 64, HISTOGRAM_BUCKETS = 60 * HISTOGRAM_OCTAVE };

struct histogram {
	uint64_t count;
	uint64_t max; /* exact */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* The value that the given part of 1 of all values does not exceed; 0 when there are none. */
uint64_t histogram_at(const struct histogram *histogram, double part);

#endif
