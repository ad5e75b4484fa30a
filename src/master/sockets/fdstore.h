/*
 * The service manager's store of descriptors: it keeps a copy of every listening socket, and hands
 * them to the program that it starts after this one has died. So connections that wait on them
 * outlive even the master.
 */
#ifndef TINYLB_SRC_MASTER_SOCKETS_FDSTORE_H
#define TINYLB_SRC_MASTER_SOCKETS_FDSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "master/sockets/fdstore_state.h"

struct master;
struct settings;

/* Looks which descriptors came with the start of the program. To be called before anything else is
 * opened. */
void fdstore_init(struct fdstore *f);
void fdstore_fini(struct fdstore *f);

/* Takes those that are sockets of these settings into escrow, and closes the others. */
void fdstore_take(struct master *m, const struct settings *settings);

/* Has the store hold what is in escrow, and nothing else. What the manager has no room for at the
 * moment is tried again at fdstore_due (monotonic ms; UINT64_MAX: there is nothing to do). */
void fdstore_sync(struct master *m);
void fdstore_retry(struct master *m);
uint64_t fdstore_due(const struct master *m);

/* What an escrow says is stored, was stored by another program before this one. */
void fdstore_adopt(struct master *m);

/* Empties it: the program ends as it should, and nobody shall wait for it. */
void fdstore_clear(struct master *m);

#endif
