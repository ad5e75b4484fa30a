/*
 * What a worker gives up for good before it takes its first connection: all that carrying traffic
 * does not need, so that whoever takes a worker over through a fault in it has little to reach for.
 */
#ifndef TINYLB_WORKER_SANDBOX_H
#define TINYLB_WORKER_SANDBOX_H

#include <stdbool.h>

#include "settings/settings.h"

/* The parts of the sandbox, bits of a set. Which of them can be had depends on the kernel. */
enum sandbox_part {
	SANDBOX_GAIN = 1,   /* no program that it runs could gain rights */
	SANDBOX_FILES = 2,  /* no file is opened, by Landlock */
	SANDBOX_PORTS = 4,  /* TCP: no connection but to the backends' ports, and no bind */
	SANDBOX_SCOPES = 8, /* no signal, no abstract unix socket out of the sandbox */
	SANDBOX_CALLS = 16, /* a filter of system calls */
};

/*
 * Enters the sandbox, as far as the settings want one and the kernel has it; it never fails. With
 * `tell`, the log gets one line about parts that cannot be had, else none: all workers would say
 * the same. Everything that has to be opened, bound or looked up must have been by then. Returns
 * the parts in force.
 */
unsigned sandbox_enter(const struct settings *settings, bool tell);

#endif
