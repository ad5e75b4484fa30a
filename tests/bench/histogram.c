/* Counts of values by size, log-linear: the small error is the same for microseconds and for
 * seconds. */

#include "config.h"

#include "histogram.h"

/* Values below two octaves have a bucket each; above, the six bits after the first one choose. */
static unsigned bucket_of(uint64_t value)
{
	unsigned shift;

	if (value < 2 * HISTOGRAM_OCTAVE)
		return value;
	shift = 57 - __builtin_clzll(value);
	return shift * HISTOGRAM_OCTAVE + (value >> shift);
}

/* The largest value of a bucket: a figure is never shown smaller than it is. */
static uint64_t bucket_top(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * HISTOGRAM_OCTAVE)
		return bucket;
	shift = bucket / HISTOGRAM_OCTAVE - 1;
	return ((uint64_t)(bucket - shift * HISTOGRAM_OCTAVE + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->count++;
	histogram->buckets[bucket_of(value)]++;
	if (value > histogram->max)
		histogram->max = value;
}

uint64_t histogram_at(const struct histogram *histogram, double part)
{
	double rank = part * (double)histogram->count;
	uint64_t below = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS && histogram->count; i++) {
		below += histogram->buckets[i];
		if (below && (double)below >= rank)
			return bucket_top(i) < histogram->max ? bucket_top(i) : histogram->max;
	}
	return histogram->max;
}
