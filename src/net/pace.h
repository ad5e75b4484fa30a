/* Connections within the machine, and how fast TCP sends on them. */
#ifndef TINYLB_NET_PACE_H
#define TINYLB_NET_PACE_H

#include "net/address.h"

/* Before the TCP socket `fd` is connected to `a`, or listens there: where that is the loopback
 * device, nothing that is sent waits for a timer. Best effort. */
void pace_spare(int fd, const struct address *a);

#endif
