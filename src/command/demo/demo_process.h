/* A backend of the demo as a process of its own. */
#ifndef TINYLB_COMMAND_DEMO_PROCESS_H
#define TINYLB_COMMAND_DEMO_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "demo_backend.h"

/* A socket that listens on *port of 127.0.0.1; 0: the kernel chooses, and *port tells which. The
 * descriptor, or -1 with errno. */
int demo_process_listen(uint16_t *port) __attribute__((warn_unused_result));

/* Starts a process that runs the backend; it ends with the lifeline, or with the process that
 * called. Its pid, or -1 with errno. */
pid_t demo_process_fork(const struct demo_backend *start) __attribute__((warn_unused_result));

#endif
