/*
 * Landlock through its system calls: the C library has no functions for them, and headers may be
 * older than the kernel, so that what is needed of its interface is spelt out here.
 */
#include "config.h"

#include "landlock.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox_part.h"

/* The same numbers on every kind of processor. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

/* Versions of the interface, and the Linux that brought each. */
#define ABI_RENAME   2 /* 5.19 */
#define ABI_TRUNCATE 3 /* 6.2 */
#define ABI_PORTS    4 /* 6.7 */
#define ABI_IOCTL    5 /* 6.10 */
#define ABI_SCOPES   6 /* 6.12 */

#define ASK_VERSION UINT32_C(1)
#define RULE_PORT   2

/* Bits of `files`: reading, writing, running, making and removing, 13 of them, came at once. */
#define FILES_FIRST    ((UINT64_C(1) << 13) - 1)
#define FILES_RENAME   (UINT64_C(1) << 13)
#define FILES_TRUNCATE (UINT64_C(1) << 14)
#define FILES_IOCTL    (UINT64_C(1) << 15)

#define PORTS_BIND    UINT64_C(1)
#define PORTS_CONNECT UINT64_C(2)

#define SCOPE_ABSTRACT_UNIX UINT64_C(1)
#define SCOPE_SIGNALS       UINT64_C(2)

/* What is given up where no rule allows it. Members came one by one: an older kernel takes a longer
 * struct whose rest is 0. */
struct ruleset {
	uint64_t files;
	uint64_t ports;
	uint64_t scopes;
};

struct port_rule {
	uint64_t allowed;
	uint64_t port;
} __attribute__((packed));

static struct ruleset choose(long abi, bool keep_files)
{
	struct ruleset set = { 0 };

	if (!keep_files)
		set.files = FILES_FIRST | (abi >= ABI_RENAME ? FILES_RENAME : 0) |
			    (abi >= ABI_TRUNCATE ? FILES_TRUNCATE : 0) |
			    (abi >= ABI_IOCTL ? FILES_IOCTL : 0);
	if (abi >= ABI_PORTS)
		set.ports = PORTS_BIND | PORTS_CONNECT;
	if (abi >= ABI_SCOPES)
		set.scopes = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNALS;
	return set;
}

static int allow_port(int fd, uint16_t port)
{
	struct port_rule rule = { .allowed = PORTS_CONNECT, .port = port };

	return syscall(SYS_landlock_add_rule, fd, RULE_PORT, &rule, 0) == -1 ? -1 : 0;
}

/* 0, or -1: a backend would be out of reach. */
static int allow_backends(int fd, const struct settings *settings)
{
	for (size_t i = 0; i < settings->pool_count; i++) {
		const struct pool_settings *pool = &settings->pools[i];

		for (size_t k = 0; k < pool->backend_count; k++) {
			uint16_t port = pool->backends[k].url.port;
			/* Mostly neighbours have the same. A unix socket has none. */
			bool known = k > 0 && pool->backends[k - 1].url.port == port;

			if (port != 0 && !known && allow_port(fd, port) == -1)
				return -1;
		}
	}
	return 0;
}

unsigned landlock_enter(const struct settings *settings, bool keep_files)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
	struct ruleset set = choose(abi, keep_files);
	bool done;
	int fd;

	if (abi < 1)
		return 0;
	/* The kernel refuses an empty set: then there is nothing to give up. */
	fd = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof set, 0);
	if (fd == -1)
		return 0;
	done = (set.ports == 0 || allow_backends(fd, settings) == 0) &&
	       syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	fd_close(&fd);
	if (!done)
		return 0;
	return (set.files != 0 ? SANDBOX_FILES : 0) | (set.ports != 0 ? SANDBOX_PORTS : 0) |
	       (set.scopes != 0 ? SANDBOX_SCOPES : 0);
}
