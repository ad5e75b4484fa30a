/* What fdstore.c and fdstore_take.c share. */
#ifndef TINYLB_SRC_MASTER_SOCKETS_FDSTORE_NAME_H
#define TINYLB_SRC_MASTER_SOCKETS_FDSTORE_NAME_H

#include "master/sockets/escrow.h"
#include "master/sockets/fdstore_state.h"

/* Writes the name under which a socket is stored. 0, or -1: it would be too long. */
int fdstore_name(const struct escrow_entry *e, struct fdstore_name *name)
	__attribute__((warn_unused_result));

/* Notes a name that the store has: where nobody wants it the next fdstore_sync removes it. */
void fdstore_note(struct fdstore *f, const char *text);

#endif
