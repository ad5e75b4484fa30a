/* Takes back the listening sockets that a service manager kept while the program was gone. */
#ifndef TINYLB_SRC_MASTER_SOCKETS_FDSTORE_TAKE_H
#define TINYLB_SRC_MASTER_SOCKETS_FDSTORE_TAKE_H

#include "fdstore.h"

/* Looks which descriptors came with the start of the program (sd_listen_fds(3)). To be called
 * before anything else is opened. */
void fdstore_take_look(struct fdstore *f);

/* Takes those that are sockets of these settings into escrow, and closes the others. */
void fdstore_take(struct fdstore *f, struct escrow *escrow, const struct settings *settings);

#endif
