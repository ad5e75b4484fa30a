/* How fast interim responses (1xx) may come, in bytes a second: a backend may send them for hours,
 * but not as fast as it can. */
#ifndef TINYLB_EXCHANGE_INTERIM_RATE_H
#define TINYLB_EXCHANGE_INTERIM_RATE_H

#include "exchange_parts.h"

/* Counts an interim response with a head of `len` bytes. False: it came too soon. */
bool interim_rate_take(struct exchange *x, size_t len);

#endif
