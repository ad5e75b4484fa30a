/* How children end: asked to finish, told to end, killed; each step has a deadline for the next. */
#ifndef TINYLB_SRC_MASTER_SHUTDOWN_H
#define TINYLB_SRC_MASTER_SHUTDOWN_H

#include "master/master_state.h"

/* For a worker that hangs: SIGABRT, which leaves a core where cores are wanted, and SIGKILL a
 * little later. */
void end_hung(struct child *c);

/* SIGKILL, for one who has nothing to finish. */
void end_at_once(struct child *c);

/* Takes the next step with a child whose deadline has passed. */
void end_overdue(struct child *c);

/* Lets the workers of a generation, or of all generations (NULL), finish what is in flight, for as
 * long as their settings say and a little more. A child that is not ready yet has nothing to finish
 * and is killed, and so are a resolver and a monitor. */
void end_generation(struct master *m, const struct generation *g);

/* When the last worker of a past generation will have ended, monotonic ms; 0: it has none. */
uint64_t end_due(const struct master *m, const struct generation *g);

/* TERM: everything drains, and no address is held any longer; timeouts.lame_duck goes before. A
 * second call ends everything. */
void end_master(struct master *m);

/* A worker has become ready: tells it what it has missed. */
void end_tell_ready(const struct master *m, const struct child *c);

/* What siblings have passed to a worker that died, and whom nobody will follow since its generation
 * drains, another one takes. To be called when one of them has passed its last. */
void end_rescue_passed(const struct master *m, const struct generation *g);

/* The time of lame_duck is over. */
void end_lame_duck(struct master *m);

#endif
