/* Counts what happens on the board, and writes the access log. */
#ifndef TINYLB_EXCHANGE_COUNTERS_H
#define TINYLB_EXCHANGE_COUNTERS_H

#include "exchange/exchange_context.h"

/* A client has come, or has gone: `count` are there now. `place` may be NULL. */
void counters_accept(struct board_place *place, size_t count);
void counters_leave(struct board_place *place, size_t count);

/* A request has ended: counts it and writes its line. */
void counters_request(struct exchange_context *context, const struct record *record);

/* A connection to a backend could not be made. */
void counters_connect_error(struct board_place *place);

#endif
