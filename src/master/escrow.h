/*
 * The escrow: a duplicate of every bound socket, by address and slot, for as long as the address is
 * in the settings. Connections wait on a socket, not on a process; what the master holds survives
 * any worker. A flat table of plain values, so that it can be written down and taken up again.
 */
#ifndef TINYLB_SRC_MASTER_ESCROW_H
#define TINYLB_SRC_MASTER_ESCROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "net/address.h"
#include "settings/settings.h"
#include "worker/worker.h"

struct escrow_entry {
	struct address key;   /* as the settings have it */
	struct address bound; /* what the kernel made of it: another port where the key has 0 */
	uint32_t slot;
	uint32_t generation; /* in which it was made */
	bool shared;         /* a unix socket: one for all slots */
	int fd;              /* owned */
	dev_t path_dev;      /* the file of a unix socket, to be sure that it is still ours */
	ino_t path_ino;
};

/* Zeroed before the first use. */
struct escrow {
	struct escrow_entry *entries; /* owned */
	size_t count;
	size_t room;
};

/* Takes over `fd`, a socket bound for `key` and `slot`. 0; or -1 with errno, and fd is closed. */
int escrow_add(struct escrow *escrow, const struct address *key, uint32_t slot, uint32_t generation,
	int fd) __attribute__((warn_unused_result));

/* The entry of this address and slot (any slot of a unix socket, and the newest of those with the
 * same path), or NULL. */
const struct escrow_entry *escrow_find(
	const struct escrow *escrow, const struct address *key, uint32_t slot);

/* False for a unix socket whose path was removed, or leads elsewhere now. */
bool escrow_is_reachable(const struct escrow_entry *entry);

/* True when a TCP socket is held with this port and the same address, or with a wildcard on either
 * side: to probe the address would find ourselves. */
bool escrow_overlaps(const struct escrow *escrow, const struct address *address);

/*
 * What worker `slot` of `workers` accepts from: its own socket of each listener (-1 where there is
 * none yet), and its share of those whose slots are no more. Returns how many were written to
 * `out`, which has room for escrow_assign_max().
 */
size_t escrow_assign(const struct escrow *escrow, const struct settings *settings, uint32_t slot,
	uint32_t workers, struct worker_socket *out);
size_t escrow_assign_max(const struct escrow *escrow, const struct settings *settings);

/* Closes what was made for a generation that did not come to life. */
void escrow_drop_generation(struct escrow *escrow, uint32_t generation);

/* Closes every socket whose address the settings no longer have (all of them for NULL), and unix
 * sockets that were bound anew since; removes the files of unix sockets. */
void escrow_keep_only(struct escrow *escrow, const struct settings *settings);

void escrow_fini(struct escrow *escrow);

#endif
