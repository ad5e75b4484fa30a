/* A leaky bucket, kept as a time: each head moves the time at which all are paid for. */
#include "config.h"

#include "interim_rate.h"

/* Bytes a second. A head counts as INTERIM_LEAST bytes at least: each costs work. */
#define INTERIM_RATE  UINT64_C(8192)
#define INTERIM_LEAST 256

/* So much may still be owed when the next one comes: 32 KiB. */
#define INTERIM_OWED_US (UINT64_C(32768) * 1000000 / INTERIM_RATE)

bool interim_rate_take(struct exchange *x, size_t len)
{
	uint64_t now_us = x->context->loop->now_us;
	uint64_t paid_us =
		x->response.interim_paid_us > now_us ? x->response.interim_paid_us : now_us;
	uint64_t counted = len > INTERIM_LEAST ? len : INTERIM_LEAST;

	x->response.interim_paid_us = paid_us + counted * 1000000 / INTERIM_RATE;
	return paid_us - now_us <= INTERIM_OWED_US;
}
