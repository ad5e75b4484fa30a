/*
 * USR2: the master becomes the program that is at its path now, perhaps a newer version, without a
 * new process: its children stay its children, its sockets stay open, its process id the same. The
 * new program is tested in a child first. It then starts a generation of its own beside the workers
 * that it has taken over; if that fails, it gives way to the former program, which goes on as
 * before.
 */
#ifndef TINYLB_SRC_MASTER_UPGRADE_UPGRADE_H
#define TINYLB_SRC_MASTER_UPGRADE_UPGRADE_H

#include "master/master_state.h"

/* Finds out which program this is. To be called before anything else changes the working folder;
 * a program that cannot be found is not upgraded. */
void upgrade_init(struct master *m);
void upgrade_fini(struct master *m);

/* USR2. */
void upgrade_request(struct master *m);

/* Takes the next step. Returns true where something was done that others may have waited for; does
 * not return where another program takes over. */
bool upgrade_advance(struct master *m);

/* The trial has ended. */
void upgrade_tried(struct master *m, int status);

/* True while no reload may begin. */
bool upgrade_is_busy(const struct master *m);

/* The first generation of this program is the current one. */
void upgrade_committed(struct master *m);

/* A generation did not come to life. True where it was the first of a new program, which then gives
 * way to the former one; it will say `why`. */
bool upgrade_give_way(struct master *m, const char *why);

/* Takes over: fills in `m` and begins the first generation. 0, or -1 and the log says why. */
int upgrade_arrive(struct master *m) __attribute__((warn_unused_result));

#endif
