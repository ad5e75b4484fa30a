/* Landlock: the kernel's way of letting a process give up files and ports for itself. */
#ifndef TINYLB_WORKER_LANDLOCK_H
#define TINYLB_WORKER_LANDLOCK_H

#include "settings/settings.h"

/*
 * Gives up every file (unless `keep_files`), every TCP port but those of the backends, and signals
 * and abstract unix sockets of others. Needs no_new_privs. Returns the parts in force, a set of
 * SANDBOX_FILES, SANDBOX_PORTS and SANDBOX_SCOPES; 0 where the kernel has no Landlock or refuses.
 */
unsigned landlock_enter(const struct settings *settings, bool keep_files);

#endif
