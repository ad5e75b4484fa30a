/* A connection for an attempt: to the backend that was picked. */
#ifndef TINYLB_EXCHANGE_REACH_H
#define TINYLB_EXCHANGE_REACH_H

#include "exchange_parts.h"

/* Takes a connection to the backend that was picked, or begins to make one. False: there is none. A
 * backend that has all that it may have does not count as tried. */
bool reach_backend(struct exchange *x);

/* Counts and logs that a connection to an address of that backend could not be made. */
void reach_count_failure(struct exchange *x, const char *why);

#endif
