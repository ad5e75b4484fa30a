/*
 * Stand-in: where a worker does not accept, because it died and the next one has to wait, or
 * because it hangs, a sibling accepts from its sockets until a worker of that slot does so again.
 */
#ifndef TINYLB_SRC_MASTER_CHILDREN_STAND_IN_H
#define TINYLB_SRC_MASTER_CHILDREN_STAND_IN_H

#include "master/master_state.h"

/* Gives each socket of a slot of the current generation to the sibling with the fewest clients.
 * Those that are with a sibling already stay there. */
void stand_in_begin(struct master *m, uint32_t slot);

/* What siblings have passed to that slot meanwhile goes to the one that accepts in its place. */
void stand_in_forward(struct master *m, uint32_t slot);

/* The slot's worker accepts again: takes its sockets back from the siblings. */
void stand_in_end(struct master *m, uint32_t slot);

/* `c` is dead, or hangs: the sockets that it accepted from for others go to other siblings. */
void stand_in_move(struct master *m, struct child *c);

/* MESSAGE_RELEASED: `c` does not accept from the socket with this id any more, or never did. */
void stand_in_released(struct master *m, struct child *c, uint32_t id);

/* True where `c`, of the current generation, accepts, or should, from the socket `e`: it is its
 * own, or one that it stands in for. */
bool stand_in_accepts(const struct master *m, const struct child *c, const struct escrow_entry *e);

/* Tries again what could not be done. */
void stand_in_retry(struct master *m);

/* When stand_in_retry has something to do, monotonic ms; UINT64_MAX: never. */
uint64_t stand_in_next_due(const struct master *m);

/* Forgets them all, without a message to anybody. */
void stand_in_fini(struct master *m);

#endif
