/* The words for what a process was doing. */
#include "config.h"

#include "base/pulse.h"

#include <stddef.h>
#include <stdio.h>

const char *pulse_describe(const struct pulse *pulse, char out[PULSE_TEXT_SIZE])
{
	static const char *const names[] = {
		[PULSE_WAITING] = "waiting for events",
		[PULSE_ACCEPTING] = "accepting connections",
		[PULSE_REQUEST] = "reading from a client",
		[PULSE_RESPONSE] = "reading from a backend",
		[PULSE_WRITING] = "writing",
		[PULSE_DEADLINES] = "looking after deadlines",
		[PULSE_ORDERS] = "doing what the master said",
		[PULSE_LOGGING] = "writing the access log",
	};
	uint64_t doing = atomic_load_explicit(&pulse->doing, memory_order_relaxed);
	uint64_t activity = doing & ((1u << PULSE_ACTIVITY_BITS) - 1);
	uint64_t number = doing >> PULSE_ACTIVITY_BITS;
	/* It was written by a process that has gone wrong. */
	const char *name =
		activity < sizeof names / sizeof *names ? names[activity] : "nobody knows what";

	if (activity != PULSE_WAITING && number <= INT32_MAX)
		snprintf(out, PULSE_TEXT_SIZE, "%s (descriptor %d)", name, (int)number);
	else
		snprintf(out, PULSE_TEXT_SIZE, "%s", name);
	return out;
}
