/* Exchanges in which nothing moves. */
#ifndef TINYLB_EXCHANGE_STALL_H
#define TINYLB_EXCHANGE_STALL_H

#include "exchange_parts.h"

/* For the queue of deadlines: no bytes for timeouts.response. */
void stall_expired(struct deadline *deadline);

#endif
