/* All clients of a worker: how many there are, and which of them go when others need the room. */
#ifndef TINYLB_DOWNSTREAM_CLIENTS_H
#define TINYLB_DOWNSTREAM_CLIENTS_H

#include "downstream/downstream_context.h"

/* How many have a request under way, or the rest of a response. */
size_t clients_count_busy(const struct downstream_context *downstream);

/* Ends the connections of up to `most` clients that have been idle for at least a second, longest
 * idle first, in an orderly way. Returns how many. */
size_t clients_dismiss_idle(struct downstream_context *downstream, size_t most);

/* Closes one client that needs its connection least: the one that is idle longest, one that only
 * waits for its end, or one whose head comes slowly. False: all are busy. */
bool clients_make_room(struct downstream_context *downstream);

/* Of a client in wait_flush, whose deadline this is: resets it if it took nothing since the last
 * look. True: it is gone. */
bool clients_cut_flushing(struct deadline *deadline);

/* Ends all at once, with their exchanges. */
void clients_close_all(struct downstream_context *downstream);

#endif
