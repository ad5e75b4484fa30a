/* What is known about the service manager's store; fdstore.h has what is done about it. */
#ifndef TINYLB_SRC_MASTER_SOCKETS_FDSTORE_STATE_H
#define TINYLB_SRC_MASTER_SOCKETS_FDSTORE_STATE_H

#include <stddef.h>
#include <stdint.h>

/* The longest name that systemd takes, with the NUL. */
#define FDSTORE_NAME_SIZE 256

struct fdstore_name {
	char text[FDSTORE_NAME_SIZE];
};

struct fdstore {
	int received;               /* descriptors that came with the start, from 3 on */
	char *received_names;       /* owned: their names with colons between them; or NULL */
	struct fdstore_name *names; /* owned: what the store has, each once */
	size_t count;
	unsigned attempts; /* that failed in a row */
	uint64_t due;      /* of the next one, monotonic ms; 0: none */
};

#endif
