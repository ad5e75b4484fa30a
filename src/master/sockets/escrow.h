/*
 * The escrow: a duplicate of every bound socket, by address and slot, for as long as the address is
 * in the settings and a moment longer. Connections wait on a socket, not on a process; what the
 * master holds survives any worker. A flat table of plain values, so that it can be written down
 * and taken up again.
 */
#ifndef TINYLB_SRC_MASTER_SOCKETS_ESCROW_H
#define TINYLB_SRC_MASTER_SOCKETS_ESCROW_H

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
	bool shut;           /* it lets no client in any more: listener_gate */
	uint64_t
		shut_at; /* no settings have its address: when to shut it, monotonic ms; 0: never */
	uint64_t close_at; /* and when to close it */
	dev_t path_dev;    /* the file of a unix socket, to be sure that it is still ours */
	ino_t path_ino;
	bool stored; /* the service manager has it too */
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

/* Takes over an entry that was in another table, with its descriptor. 0; or -1, and nothing was
 * taken. */
int escrow_restore(struct escrow *escrow, const struct escrow_entry *entry)
	__attribute__((warn_unused_result));

/* The entry of this address and slot (any slot of a unix socket, and the newest of those with the
 * same path), or NULL. */
const struct escrow_entry *escrow_find(
	const struct escrow *escrow, const struct address *key, uint32_t slot);

/* False for a unix socket whose path was removed, or leads elsewhere now. */
bool escrow_is_reachable(const struct escrow_entry *entry);

/* True where a TCP socket is held with this port and the same address, or with a wildcard on either
 * side: a probe of the address would find this program itself. */
bool escrow_overlaps(const struct escrow *escrow, const struct address *address);

/* The listener whose clients come to a socket of this address: the one with the same address, or a
 * wildcard with the same port. Workers go on accepting from sockets that a wildcard makes
 * superfluous: the kernel prefers them, and to close them could lose a client that connects just
 * then. NULL: none.
 */
const struct listener_settings *escrow_listener(
	const struct settings *settings, const struct address *address);

/*
 * What worker `slot` of `workers` accepts from: its own socket of each listener (-1 where there is
 * none yet), and its share of those whose slots are no more. Returns how many were written to
 * `out`, which has room for escrow_assign_max().
 */
size_t escrow_assign(const struct escrow *escrow, const struct settings *settings, uint32_t slot,
	uint32_t workers, struct worker_socket *out);
size_t escrow_assign_max(const struct escrow *escrow, const struct settings *settings);

/* The sockets that were made for a generation that did not come to life. shut: they let no client
 * in any more. drop: they are closed. */
void escrow_shut_generation(struct escrow *escrow, uint32_t generation);
void escrow_drop_generation(struct escrow *escrow, uint32_t generation);

/*
 * The settings are in force from now on. Unix sockets whose address they do not have are closed and
 * their files removed, also those that were bound anew since. TCP sockets of such addresses are
 * shut at `shut_at` and closed at `close_at` (monotonic ms), unless later settings have them again.
 */
void escrow_settle(struct escrow *escrow, const struct settings *settings, uint64_t shut_at,
	uint64_t close_at);

/* Shuts and closes what is due at `now` (monotonic ms), except sockets of addresses that the
 * settings `needed` (NULL: none) have. */
void escrow_expire(struct escrow *escrow, uint64_t now, const struct settings *needed);

/* When escrow_expire will have something to do, monotonic ms; UINT64_MAX: never. */
uint64_t escrow_next_due(const struct escrow *escrow, const struct settings *needed);

/* Shuts and closes everything; removes the files of unix sockets. */
void escrow_close(struct escrow *escrow);

void escrow_fini(struct escrow *escrow);

#endif
