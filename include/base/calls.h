/* System calls, for filters: which no process but the master has any use for. */
#ifndef TINYLB_BASE_CALLS_H
#define TINYLB_BASE_CALLS_H

#include <linux/audit.h>
#include <stddef.h>

/* The kernel's name for this kind of processor, where its calls are those of the lists: 64 bits,
 * and the lower half of an argument comes first. Other kinds have no filter. */
#if defined __x86_64__ && defined __LP64__
#define CALLS_ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__ && defined __AARCH64EL__
#define CALLS_ARCH AUDIT_ARCH_AARCH64
#endif

struct calls {
	const int *list;
	size_t count;
};

/* For other programs and processes, for what is mounted, and into the kernel itself. */
extern const struct calls calls_never;

#endif
