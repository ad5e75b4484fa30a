/*
 * USR2: the master becomes the program that is at its path now, perhaps a newer version, without a
 * new process: its children stay its children, its sockets stay open, its process id the same. The
 * new program is tested in a child first. It then starts a generation of its own beside the workers
 * that it has taken over; if that fails, it gives way to the former program, which goes on as
 * before. takeover.h has the new program's side.
 */
#ifndef TINYLB_SRC_MASTER_UPGRADE_UPGRADE_H
#define TINYLB_SRC_MASTER_UPGRADE_UPGRADE_H

#include "master/master_state.h"

/* Finds out which program this is. To be called before anything else changes the working folder;
 * a program that cannot be found is not upgraded. */
void upgrade_init(struct master *m);
void upgrade_fini(struct master *m);

/* USR2: the upgrade begins now, or when what is under way has ended. */
void upgrade_request(struct master *m);

/* Takes the next step. True where something was done that a reload may have waited for. Does not
 * return where another program takes over. */
bool upgrade_advance(struct master *m);

/* The trial has ended with this status of wait(2). */
void upgrade_tried(struct master *m, int status);

#endif
