/* How fast interim responses (1xx) may come: by bytes, so that a backend may send them for hours,
 * and none sends them without end as fast as it can. */
#ifndef TINYLB_EXCHANGE_INTERIM_RATE_H
#define TINYLB_EXCHANGE_INTERIM_RATE_H

#include "exchange_parts.h"

/* An interim response whose head has `len` bytes has come: counts it. False: it is one too many. */
bool interim_rate_take(struct exchange *x, size_t len);

#endif
