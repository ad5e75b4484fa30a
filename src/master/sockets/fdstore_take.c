/*
 * A socket is taken where its name is that of a listener, and it is what a socket of this listener
 * has to be. Every other descriptor that came along is closed.
 */
#include "config.h"

#include "fdstore_take.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/slice.h"

#define FIRST 3 /* by the convention of sd_listen_fds(3) */
#define MOST  65536

/* The number in a variable of the environment; -1: there is none. */
static int read_variable(const char *name)
{
	const char *text = getenv(name);
	uint64_t n = 0;

	if (text == NULL || slice_parse_decimal(slice_of_string(text), INT32_MAX, &n) == -1)
		return -1;
	return (int)n;
}

void fdstore_take_look(struct fdstore *f)
{
	const char *names = getenv("LISTEN_FDNAMES");
	int count = read_variable("LISTEN_FDS");

	assert(f->received == 0);
	if (count > 0 && read_variable("LISTEN_PID") == (int)getpid()) {
		/* A number that is not open now will soon be a descriptor of ours. */
		while (f->received < count && f->received < MOST &&
			fd_set_cloexec(FIRST + f->received, 1) == 0)
			f->received++;
		f->received_names = mem_strdup(names != NULL ? names : "");
	}
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
}

static bool is_on(int fd, int option)
{
	socklen_t len = sizeof(int);
	int value = 0;

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value != 0;
}

/* True where a socket bound to `bound` is one for `key`: the port may have been the kernel's
 * choice, and where there is no IPv6 its wildcard is that of IPv4. */
static bool is_for(const struct address *bound, const struct address *key)
{
	struct address wanted = *key;

	if (address_is_unix(bound) || address_is_unix(key))
		return address_equals(bound, key);
	if (address_port(key) == 0)
		address_set_port(&wanted, address_port(bound));
	if (address_equals(bound, &wanted))
		return true;
	return wanted.u.sa.sa_family == AF_INET6 && bound->u.sa.sa_family == AF_INET &&
	       address_is_wildcard(&wanted) && address_is_wildcard(bound) &&
	       address_port(bound) == address_port(&wanted);
}

/* NULL where `fd` is what the name says, a listening socket for `key`; or what is wrong. */
static const char *find_fault(const struct escrow *escrow, const struct address *key, int fd)
{
	struct address bound = { .len = sizeof bound.u };
	const struct escrow_entry *first = escrow_find(escrow, key, 0);
	bool is_unix = address_is_unix(key);

	if (getsockname(fd, &bound.u.sa, &bound.len) == -1)
		return "it is no socket";
	if (!is_for(&bound, key))
		return "it is bound to another address";
	if (!is_on(fd, SO_ACCEPTCONN))
		return "it does not listen";
	if (!is_unix && !is_on(fd, SO_REUSEPORT))
		return "it cannot be shared";
	if (first != NULL && (is_unix || address_port(&first->bound) != address_port(&bound)))
		return "there is one already";
	return NULL;
}

/* The listener whose sockets have this name; NULL: none. */
static const struct address *find_key(const struct settings *settings, const char *text)
{
	for (size_t i = 0; i < settings->listener_count; i++) {
		struct escrow_entry e = { .key = settings->listeners[i].address };
		struct fdstore_name name;
		struct stat st;

		e.shared = address_is_unix(&e.key);
		if (e.shared) {
			if (lstat(e.key.u.un.sun_path, &st) == -1)
				continue;
			e.path_dev = st.st_dev;
			e.path_ino = st.st_ino;
		}
		if (fdstore_name(&e, &name) == 0 && strcmp(name.text, text) == 0)
			return &settings->listeners[i].address;
	}
	return NULL;
}

/* The first slot without a socket. */
static uint32_t free_slot(const struct escrow *escrow, const struct address *key)
{
	uint32_t slot = 0;

	while (escrow_find(escrow, key, slot) != NULL && !address_is_unix(key))
		slot++;
	return slot;
}

/* Takes a duplicate of one into escrow. NULL, or why not. `fd` stays the caller's. */
static const char *take(
	struct escrow *escrow, const struct settings *settings, const char *name, int fd)
{
	const struct address *key = find_key(settings, name);
	const char *fault = "no listener has this name";
	int copy;

	if (key != NULL)
		fault = find_fault(escrow, key, fd);
	if (fault != NULL)
		return fault;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy == -1 || fcntl(copy, F_SETFL, O_RDWR | O_NONBLOCK) == -1 ||
		escrow_add(escrow, key, free_slot(escrow, key), 0, copy) == -1)
		return "there is no room for it";
	escrow->entries[escrow->count - 1].stored = true;
	return NULL;
}

/* Names are logged and sent: one that is not plain was not made by tinylb. */
static bool is_plain(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return *name != '\0' && strlen(name) < FDSTORE_NAME_SIZE;
}

void fdstore_take(struct fdstore *f, struct escrow *escrow, const struct settings *settings)
{
	char *rest = f->received_names;
	unsigned taken = 0;

	for (int i = 0; i < f->received; i++) {
		const char *name = rest != NULL ? strsep(&rest, ":") : "";
		const char *why = take(escrow, settings, name, FIRST + i);
		int fd = FIRST + i;

		taken += why == NULL;
		if (why != NULL)
			log_warnx("closing a descriptor that the service manager kept: %s: %s",
				is_plain(name) ? name : "it has no name", why);
		if (is_plain(name))
			fdstore_note(f, name);
		fd_close(&fd);
	}
	f->received = 0;
	if (taken > 0)
		log_notice("%u listening sockets come from before, with all that waits on them",
			taken);
}
