/* How a child ends: told to end, then killed; each step has a deadline for the next one. Which
 * workers may finish first is decided in generations/generation_drain.c. */
#ifndef TINYLB_SRC_MASTER_CHILDREN_STOP_H
#define TINYLB_SRC_MASTER_CHILDREN_STOP_H

#include "child.h"

/* From SIGTERM to SIGKILL. */
#define STOP_TERM_TIMEOUT_MS 2000

/* SIGTERM now, SIGKILL after STOP_TERM_TIMEOUT_MS. Does nothing where the child is ending. */
void stop_soon(struct child *c);

/* For a worker that hangs and is not ending yet: SIGABRT, which leaves a core where cores are
 * wanted, and SIGKILL after STOP_TERM_TIMEOUT_MS. */
void stop_hung(struct child *c);

/* SIGKILL, for a child that has nothing to finish. Does nothing where it was sent already. */
void stop_at_once(struct child *c);

/* Takes the next step with a child whose deadline has passed. */
void stop_overdue(struct child *c);

#endif
