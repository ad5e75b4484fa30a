/* What the monitor, and who looks up names for it, will never ask of the kernel. */
#ifndef TINYLB_MONITOR_CONFINE_H
#define TINYLB_MONITOR_CONFINE_H

#include <stdbool.h>

/* Gives up running other programs, looking into other processes, mounting, and loading code into
 * the kernel: such calls fail. Needs no_new_privs. False: this system does not have it. */
bool confine_enter(void);

#endif
