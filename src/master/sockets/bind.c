/*
 * Looks at new addresses before workers bind them. With SO_REUSEPORT a bind would join the group of
 * a second instance in silence and take half of its connections: so each address is first tried
 * without it. Unix sockets have no such groups: the master makes the only one.
 */
#include "config.h"

#include "bind.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/listener.h"

/* 0 where the path is free now; -1 with errno. A socket without a listener is removed. A file is
 * not, nor is a socket that answers. */
static int clear_path(const struct address *a)
{
	struct stat st;
	int fd, result;

	if (lstat(a->u.un.sun_path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	result = connect(fd, &a->u.sa, a->len);
	fd_close(&fd);
	/* EAGAIN: there is a listener, and its queue is full. */
	if (result == 0 || errno == EAGAIN) {
		errno = EADDRINUSE;
		return -1;
	}
	return errno == ECONNREFUSED ? unlink(a->u.un.sun_path) : -1;
}

static int bind_unix(struct escrow *escrow, const struct address *a, uint32_t generation)
{
	const struct escrow_entry *held = escrow_find(escrow, a, 0);
	int fd;

	/* Where the path was removed no client can connect to the socket that is held. */
	if (held != NULL && escrow_is_reachable(held))
		return 0;
	if (clear_path(a) == -1)
		return -1;
	fd = listener_bind(a);
	return fd == -1 ? -1 : escrow_add(escrow, a, 0, generation, fd);
}

/* The kernel chooses the port of the first slot's socket. The others get the same one. */
static int bind_any_port(
	struct escrow *escrow, const struct address *a, uint32_t workers, uint32_t generation)
{
	for (uint32_t slot = 0; slot < workers; slot++) {
		const struct escrow_entry *first = escrow_find(escrow, a, 0);
		int fd;

		if (escrow_find(escrow, a, slot) != NULL)
			continue;
		fd = listener_bind(first != NULL ? &first->bound : a);
		if (fd == -1 || escrow_add(escrow, a, slot, generation, fd) == -1)
			return -1;
	}
	return 0;
}

static int prepare(
	struct escrow *escrow, const struct address *a, uint32_t workers, uint32_t generation)
{
	if (address_is_unix(a))
		return bind_unix(escrow, a, generation);
	if (address_port(a) == 0)
		return bind_any_port(escrow, a, workers, generation);
	return escrow_overlaps(escrow, a) ? 0 : listener_probe(a);
}

static const char *explain(int error, bool is_unix)
{
	if (error == EADDRINUSE)
		return "something listens there already, perhaps another tinylb";
	if (error == EEXIST && is_unix)
		return "there is a file with this name that is no socket";
	if (error == EACCES && !is_unix)
		return "only root may use a port below 1024 (or give it CAP_NET_BIND_SERVICE)";
	if (error == EADDRNOTAVAIL)
		return "this machine has no such address";
	return strerror(error);
}

int bind_prepare(struct escrow *escrow, const struct settings *settings, uint32_t workers,
	uint32_t generation, char *why, size_t why_size)
{
	assert(workers > 0 && generation > 0);
	for (size_t i = 0; i < settings->listener_count; i++) {
		const struct address *a = &settings->listeners[i].address;
		bool is_unix = address_is_unix(a);

		if (prepare(escrow, a, workers, generation) == -1) {
			snprintf(why, why_size, "cannot listen on %s: %s",
				settings->listeners[i].address_text, explain(errno, is_unix));
			return -1;
		}
	}
	return 0;
}
