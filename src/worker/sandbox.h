/*
 * What a worker gives up for good before it accepts its first connection: everything that carrying
 * traffic does not need. An attacker who takes over a worker then reaches little.
 */
#ifndef TINYLB_WORKER_SANDBOX_H
#define TINYLB_WORKER_SANDBOX_H

#include <stdbool.h>

#include "sandbox_part.h"
#include "settings/settings.h"

/*
 * Enters the sandbox, as far as the settings want one and the kernel has it; it never fails.
 * `tell`: the log gets one line about missing parts, which are the same in all workers. All files,
 * sockets and names must have been opened, bound and looked up before. Returns the parts in force,
 * a set of enum sandbox_part.
 */
unsigned sandbox_enter(const struct settings *settings, bool tell);

#endif
