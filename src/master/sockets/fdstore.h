/*
 * The service manager's store of descriptors: it keeps a copy of every listening socket, and hands
 * them to the program that it starts after this one has died. So connections that wait on them
 * outlive even the master. fdstore_take.h has the way back.
 */
#ifndef TINYLB_SRC_MASTER_SOCKETS_FDSTORE_H
#define TINYLB_SRC_MASTER_SOCKETS_FDSTORE_H

#include <stddef.h>
#include <stdint.h>

#include "escrow.h"

/* The longest name that systemd takes, with the NUL. */
#define FDSTORE_NAME_SIZE 256

struct fdstore_name {
	char text[FDSTORE_NAME_SIZE];
};

/* Zeroed before the first use. */
struct fdstore {
	int received;               /* descriptors that came with the start, from 3 on */
	char *received_names;       /* owned: their names with colons between them; or NULL */
	struct fdstore_name *names; /* owned: what the store has, each once */
	size_t count;
	unsigned attempts; /* that failed in a row */
	uint64_t due;      /* of the next one, monotonic ms; 0: none */
};

void fdstore_fini(struct fdstore *f);

/* Has the store hold what is in escrow, and nothing else. Does nothing where no service manager
 * asked to be told. What it has no room for is tried again by fdstore_retry when it is due. */
void fdstore_sync(struct fdstore *f, struct escrow *escrow);
void fdstore_retry(struct fdstore *f, struct escrow *escrow);

/* When fdstore_retry has something to do, monotonic ms; UINT64_MAX: never. */
uint64_t fdstore_due(const struct fdstore *f);

/* The escrow comes from another program: what it says is stored, that program has stored. */
void fdstore_import(struct fdstore *f, const struct escrow *escrow);

/* Empties the store: the program ends as it should, and no other will go on with its sockets. */
void fdstore_clear(struct fdstore *f);

/* Writes the name under which a socket is stored. 0, or -1: it would be too long. */
int fdstore_name(const struct escrow_entry *e, struct fdstore_name *name)
	__attribute__((warn_unused_result));

/* Notes a name that the store has: where no socket in escrow has it the next fdstore_sync removes
 * it. */
void fdstore_note(struct fdstore *f, const char *text);

#endif
