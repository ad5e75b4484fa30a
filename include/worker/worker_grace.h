/* How long a worker that drains still accepts connections. */
#ifndef TINYLB_WORKER_WORKER_GRACE_H
#define TINYLB_WORKER_WORKER_GRACE_H

#include <stdint.h>

#include "settings/settings.h"

/*
 * Returns for how many milliseconds a worker that drains goes on accepting at an address that the
 * new settings do not have: clients that were connecting before the reload arrive in this time. In
 * the last part of it, worker_shut, the kernel gets no new connections for the address, and
 * handshakes under way end.
 */
uint64_t worker_grace(const struct settings *settings);
uint64_t worker_shut(const struct settings *settings);

#endif
