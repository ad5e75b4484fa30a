/* Both are bounded by timeouts.drain, after which the worker ends whatever happens. */
#include "config.h"

#include "worker/worker_grace.h"

#define GRACE_MAX_MS 1000
#define SHUT_MAX_MS  250

static uint64_t less(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t worker_grace(const struct settings *settings)
{
	return less(settings->timeouts.drain / 2, GRACE_MAX_MS);
}

uint64_t worker_shut(const struct settings *settings)
{
	return less(worker_grace(settings) / 2, SHUT_MAX_MS);
}
