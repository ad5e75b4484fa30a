/*
 * The pulse of a process: when it last did something, and what. Two words in memory that another
 * process may share, so that one that hangs, and cannot tell, can be told from one that rests.
 */
#ifndef TINYLB_BASE_PULSE_H
#define TINYLB_BASE_PULSE_H

#include <stdatomic.h>
#include <stdint.h>

enum pulse_activity {
	PULSE_WAITING, /* for events */
	PULSE_ACCEPTING,
	PULSE_REQUEST,  /* reading from a client, and what follows from that */
	PULSE_RESPONSE, /* reading from a backend, and what follows from that */
	PULSE_WRITING,
	PULSE_DEADLINES,
	PULSE_ORDERS,  /* of the master */
	PULSE_LOGGING, /* requests that were served */
};

struct pulse {
	_Atomic uint64_t beat_us; /* monotonic */
	_Atomic uint64_t doing;   /* an activity, and above it a descriptor */
};

#define PULSE_ACTIVITY_BITS 8

static inline void pulse_beat(struct pulse *pulse, uint64_t now_us)
{
	atomic_store_explicit(&pulse->beat_us, now_us, memory_order_relaxed);
}

/* `fd`: on which descriptor, or -1. */
static inline void pulse_do(struct pulse *pulse, enum pulse_activity activity, int fd)
{
	uint64_t number = (uint32_t)fd;

	atomic_store_explicit(&pulse->doing, number << PULSE_ACTIVITY_BITS | (uint64_t)activity,
		memory_order_relaxed);
}

/* Writes "reading from a client (descriptor 12)" into `out` and returns it. */
#define PULSE_TEXT_SIZE 64
const char *pulse_describe(const struct pulse *pulse, char out[PULSE_TEXT_SIZE]);

#endif
