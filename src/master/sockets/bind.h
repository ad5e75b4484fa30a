/* Prepares addresses, before any worker binds them. */
#ifndef TINYLB_SRC_MASTER_SOCKETS_BIND_H
#define TINYLB_SRC_MASTER_SOCKETS_BIND_H

#include "escrow.h"

/*
 * Makes sure that no other program listens on the addresses of `settings` that are not in escrow
 * yet, and makes those sockets that a worker cannot: unix sockets (one for all workers), and those
 * whose port the kernel chooses (once, for all slots). Returns 0; or -1 with a message in `why`.
 */
int bind_prepare(struct escrow *escrow, const struct settings *settings, uint32_t workers,
	uint32_t generation, char *why, size_t why_size) __attribute__((warn_unused_result));

#endif
