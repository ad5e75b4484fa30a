/*
 * Foster: where a worker does not accept, because it died and the next one has to wait, or because
 * it hangs, a sibling accepts from its sockets until it does so itself again.
 */
#ifndef TINYLB_SRC_MASTER_CHILDREN_STAND_IN_H
#define TINYLB_SRC_MASTER_CHILDREN_STAND_IN_H

#include "master/master_state.h"

/* Gives the sockets of a slot of the current generation to whichever siblings have the fewest
 * clients. Those that are with one already stay there. */
void foster_begin(struct master *m, uint32_t slot);

/* What siblings have passed to that slot meanwhile goes to who accepts in its place. */
void foster_forward(struct master *m, uint32_t slot);

/* The slot's worker accepts again: takes its sockets back from the siblings. */
void foster_end(struct master *m, uint32_t slot);

/* `c` is dead, or hangs: what it accepted from for others goes to somebody else. */
void foster_move(struct master *m, struct child *c);

/* MESSAGE_RELEASED: `c` does not accept from this one any more, or never did. */
void foster_released(struct master *m, struct child *c, uint32_t id);

/* True where `c` accepts, or should, from the socket `e`: its own, or one in its care. */
bool foster_is_keeper(const struct master *m, const struct child *c, const struct escrow_entry *e);

/* Tries again what could not be done; when to call it next, monotonic ms, UINT64_MAX: never. */
void foster_retry(struct master *m);
uint64_t foster_next_due(const struct master *m);

void foster_fini(struct master *m);

#endif
