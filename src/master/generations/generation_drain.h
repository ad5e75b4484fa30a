/* How a generation ends: its workers finish what they have, and when the last one is gone it is
 * freed. */
#ifndef TINYLB_SRC_MASTER_GENERATIONS_GENERATION_DRAIN_H
#define TINYLB_SRC_MASTER_GENERATIONS_GENERATION_DRAIN_H

#include "master/master_state.h"

/* What a draining worker gets beyond timeouts.drain, to end by itself; ms. */
#define GENERATION_DRAIN_GRACE_MS 1000

/* Lets the workers of a generation, or of all generations (NULL), finish what is in flight, for as
 * long as their settings say and GENERATION_DRAIN_GRACE_MS more. A child that is not ready has
 * nothing to finish and is killed, and so are a resolver and a monitor. What a starting child has
 * said must have been read before (messages_read_starting): it may be ready already. */
void generation_drain_begin(struct master *m, const struct generation *g);

/* When the last worker of a past generation will have ended, monotonic ms; 0: it has none. */
uint64_t generation_drain_due(const struct master *m, const struct generation *g);

/* When there will be room for one more generation to drain, monotonic ms; 0: there is already. */
uint64_t generation_drain_room_due(const struct master *m);

/* A dead worker of a draining generation gets no successor: what siblings have passed to it goes to
 * another worker of `g`. To be called when one of them has said that it passes no more. */
void generation_drain_rescue(const struct master *m, const struct generation *g);

/* Frees the past generations that have no children left. */
void generation_drain_free(struct master *m);

#endif
