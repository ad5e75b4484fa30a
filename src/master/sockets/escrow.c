/*
 * The table of sockets in escrow. It only keeps them: bind.c and the workers bind.
 */
#include "config.h"

#include "escrow.h"

#include <assert.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "net/listener.h"

static int grow(struct escrow *escrow)
{
	size_t room = escrow->room == 0 ? 8 : 2 * escrow->room;
	struct escrow_entry *entries;

	if (escrow->count < escrow->room)
		return 0;
	entries = mem_resize(escrow->entries, room, sizeof *entries);
	if (entries == NULL)
		return -1;
	escrow->entries = entries;
	escrow->room = room;
	return 0;
}

/* Asks the kernel to which address, or file, the socket is bound. 0, or -1 with errno. */
static int fill_bound(struct escrow_entry *e)
{
	struct stat st;

	if (address_is_unix(&e->key)) {
		e->bound = e->key;
		if (lstat(e->key.u.un.sun_path, &st) == -1)
			return -1;
		e->path_dev = st.st_dev;
		e->path_ino = st.st_ino;
		return 0;
	}
	e->bound.len = sizeof e->bound.u;
	return getsockname(e->fd, &e->bound.u.sa, &e->bound.len);
}

int escrow_add(struct escrow *escrow, const struct address *key, uint32_t slot, uint32_t generation,
	int fd)
{
	struct escrow_entry e = { .key = *key, .slot = slot, .generation = generation, .fd = fd };

	assert(fd >= 0);
	e.shared = address_is_unix(key);
	if (fill_bound(&e) == -1 || grow(escrow) == -1) {
		fd_close(&fd);
		return -1;
	}
	escrow->entries[escrow->count++] = e;
	return 0;
}

int escrow_restore(struct escrow *escrow, const struct escrow_entry *entry)
{
	assert(entry->fd >= 0);
	if (grow(escrow) == -1)
		return -1;
	escrow->entries[escrow->count++] = *entry;
	return 0;
}

/* Of a unix socket that was bound anew, the entry that counts is the newest. */
const struct escrow_entry *escrow_find(
	const struct escrow *escrow, const struct address *key, uint32_t slot)
{
	const struct escrow_entry *found = NULL;

	for (size_t i = 0; i < escrow->count; i++) {
		const struct escrow_entry *e = &escrow->entries[i];

		if ((!e->shared && e->slot != slot) || !address_equals(&e->key, key))
			continue;
		if (found == NULL || e->generation > found->generation)
			found = e;
	}
	return found;
}

bool escrow_is_reachable(const struct escrow_entry *e)
{
	struct stat st;

	return !e->shared || (lstat(e->key.u.un.sun_path, &st) == 0 && st.st_dev == e->path_dev &&
				     st.st_ino == e->path_ino);
}

/* True where a connection to one of these TCP addresses could be one to the other. The wildcard of
 * IPv6 stands for IPv4 too. */
static bool is_overlap(const struct address *a, const struct address *b)
{
	int family_a = a->u.sa.sa_family, family_b = b->u.sa.sa_family;

	if (address_port(a) != address_port(b))
		return false;
	if (family_a == family_b)
		return address_is_wildcard(a) || address_is_wildcard(b) || address_equals(a, b);
	return address_is_wildcard(family_a == AF_INET6 ? a : b);
}

bool escrow_overlaps(const struct escrow *escrow, const struct address *address)
{
	for (size_t i = 0; i < escrow->count; i++) {
		const struct escrow_entry *e = &escrow->entries[i];
		if (!e->shared && is_overlap(&e->bound, address))
			return true;
	}
	return false;
}

size_t escrow_assign_max(const struct escrow *escrow, const struct settings *settings)
{
	return escrow->count + settings->listener_count;
}

/* True where a client that connects to `a` would come to a socket of this wildcard, were there no
 * other. The wildcard of IPv6 stands for IPv4 too. */
static bool is_covered(const struct address *a, const struct address *wildcard)
{
	int family = a->u.sa.sa_family, other = wildcard->u.sa.sa_family;

	if (family == AF_UNIX || other == AF_UNIX || address_port(a) != address_port(wildcard))
		return false;
	return address_is_wildcard(wildcard) && (family == other || other == AF_INET6);
}

const struct listener_settings *escrow_listener(
	const struct settings *settings, const struct address *address)
{
	const struct listener_settings *found = NULL;

	for (size_t i = 0; i < settings->listener_count; i++) {
		const struct listener_settings *l = &settings->listeners[i];

		if (address_equals(&l->address, address))
			return l;
		/* The kernel prefers the wildcard of the same family. */
		if (is_covered(address, &l->address) &&
			(found == NULL || l->address.u.sa.sa_family == address->u.sa.sa_family))
			found = l;
	}
	return found;
}

static bool is_former(const struct escrow *escrow, const struct escrow_entry *e)
{
	return e->shared && e != escrow_find(escrow, &e->key, 0);
}

size_t escrow_assign(const struct escrow *escrow, const struct settings *settings, uint32_t slot,
	uint32_t workers, struct worker_socket *out)
{
	size_t n = 0;

	assert(slot < workers);
	for (size_t i = 0; i < escrow->count; i++) {
		const struct escrow_entry *e = &escrow->entries[i];
		const struct listener_settings *l = escrow_listener(settings, &e->key);

		if (l == NULL || (e->shared ? is_former(escrow, e) : e->slot % workers != slot))
			continue;
		out[n].fd = e->fd;
		out[n++].listener = (uint32_t)(l - settings->listeners);
	}
	for (size_t i = 0; i < settings->listener_count; i++) {
		if (escrow_find(escrow, &settings->listeners[i].address, slot) != NULL)
			continue;
		out[n].fd = -1;
		out[n++].listener = (uint32_t)i;
	}
	return n;
}

/* Takes entry `i` out of the table; the last one takes its place. */
static void drop(struct escrow *escrow, size_t i)
{
	struct escrow_entry *e = &escrow->entries[i];

	assert(i < escrow->count);
	if (e->shared && escrow_is_reachable(e))
		unlink(e->key.u.un.sun_path);
	fd_close(&e->fd);
	*e = escrow->entries[--escrow->count];
}

static void shut(struct escrow_entry *e)
{
	if (!e->shared && !e->shut)
		listener_gate(e->fd, true);
	e->shut = true;
}

void escrow_shut_generation(struct escrow *escrow, uint32_t generation)
{
	for (size_t i = 0; i < escrow->count; i++)
		if (escrow->entries[i].generation == generation)
			shut(&escrow->entries[i]);
}

void escrow_drop_generation(struct escrow *escrow, uint32_t generation)
{
	for (size_t i = escrow->count; i > 0; i--)
		if (escrow->entries[i - 1].generation == generation)
			drop(escrow, i - 1);
}

/* The socket may have been shut by another program that held it before an upgrade: open it in any
 * case. */
static void want(struct escrow_entry *e)
{
	if (!e->shared)
		listener_gate(e->fd, false);
	e->shut = false;
	e->shut_at = e->close_at = 0;
}

void escrow_settle(
	struct escrow *escrow, const struct settings *settings, uint64_t shut_at, uint64_t close_at)
{
	assert(shut_at > 0 && shut_at <= close_at);
	for (size_t i = escrow->count; i > 0; i--) {
		struct escrow_entry *e = &escrow->entries[i - 1];
		bool is_wanted = escrow_listener(settings, &e->key) != NULL;

		if (is_former(escrow, e) || (e->shared && !is_wanted)) {
			drop(escrow, i - 1);
		} else if (is_wanted) {
			want(e);
		} else if (e->close_at == 0) {
			e->shut_at = shut_at;
			e->close_at = close_at;
		}
	}
}

/* When an entry is to be shut or closed, monotonic ms; 0: never. */
static uint64_t entry_due(const struct escrow_entry *e, const struct settings *needed)
{
	if (needed != NULL && escrow_listener(needed, &e->key) != NULL)
		return 0;
	return e->shut ? e->close_at : e->shut_at;
}

void escrow_expire(struct escrow *escrow, uint64_t now, const struct settings *needed)
{
	for (size_t i = escrow->count; i > 0; i--) {
		struct escrow_entry *e = &escrow->entries[i - 1];
		uint64_t due = entry_due(e, needed);

		if (due == 0 || due > now)
			continue;
		shut(e);
		if (e->close_at <= now)
			drop(escrow, i - 1);
	}
}

uint64_t escrow_next_due(const struct escrow *escrow, const struct settings *needed)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < escrow->count; i++) {
		uint64_t due = entry_due(&escrow->entries[i], needed);

		if (due != 0 && due < next)
			next = due;
	}
	return next;
}

void escrow_close(struct escrow *escrow)
{
	for (size_t i = 0; i < escrow->count; i++)
		shut(&escrow->entries[i]);
	while (escrow->count > 0)
		drop(escrow, escrow->count - 1);
}

void escrow_fini(struct escrow *escrow)
{
	escrow_close(escrow);
	mem_free(escrow->entries);
	*escrow = (struct escrow){ 0 };
}
