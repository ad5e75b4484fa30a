/* Writes the state of the master down for the program that takes over. */
#include "config.h"

#include "export.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "handover_write.h"
#include "settings/lookup.h"
#include "settings/settings_dump.h"

/* Bytes; no state has as many. */
#define TEXT_MAX ((off_t)64 * 1024 * 1024)

static int export_self(const struct master *m, struct handover *h)
{
	struct handover_self *self = handover_make(&h->self, 1, sizeof *self);
	struct handover_path *program = handover_make(&h->program, 1, sizeof *program);
	struct handover_path *pid_file;

	if (self == NULL || program == NULL)
		return -1;
	*self = (struct handover_self){ .pid = (uint32_t)getpid(),
		.seed = m->root_seed,
		.last_generation = m->last_generation,
		.reload = m->reload_again,
		.upgrade = m->upgrade.wanted,
		.daemon = m->daemon.on,
		.board = board_fd(m->board),
		.pid_file = m->pidfile.fd,
		.writer = PACKAGE_VERSION };
	program->path = m->upgrade.program;
	if (m->pidfile.fd == -1)
		return 0;
	pid_file = handover_make(&h->pid_file, 1, sizeof *pid_file);
	if (pid_file == NULL || m->pidfile.path == NULL)
		return -1;
	pid_file->path = m->pidfile.path;
	return 0;
}

/* Makes a file in memory. *fd is its descriptor, the caller's (close-on-exec). A stream to write it
 * with, or NULL with errno. */
static FILE *open_memory(const char *name, int *fd)
{
	int copy;
	FILE *out;

	*fd = memfd_create(name, MFD_CLOEXEC);
	copy = *fd != -1 ? dup(*fd) : -1;
	out = copy != -1 ? fdopen(copy, "w") : NULL;
	if (out == NULL) {
		fd_close(&copy);
		fd_close(fd);
	}
	return out;
}

/* The settings as a file. Where another version of the program wrote one, that is kept. */
static int dump_settings(struct generation *g)
{
	FILE *out;
	bool failed;
	int fd;

	if (g->dump != -1)
		return 0;
	out = open_memory("settings", &fd);
	if (out == NULL)
		return -1;
	settings_dump(g->settings, out);
	failed = ferror(out) != 0;
	if (fclose(out) == EOF || failed) {
		fd_close(&fd);
		return -1;
	}
	g->dump = fd;
	return 0;
}

static int export_generation(struct generation *g, uint32_t state, struct handover_generation *out)
{
	if (dump_settings(g) == -1)
		return -1;
	*out = (struct handover_generation){ .number = g->number,
		.state = state,
		.workers = g->workers,
		.started = g->started,
		.access_log = g->access_log,
		.settings = g->dump };
	return 0;
}

static size_t count_past(const struct master *m)
{
	size_t n = 0;

	for (struct list *l = m->past.next; l != &m->past; l = l->next)
		n++;
	return n;
}

static int export_generations(struct master *m, struct handover *h)
{
	struct handover_generation *out =
		handover_make(&h->generations, count_past(m) + 1, sizeof *out);

	if (out == NULL || export_generation(m->current, HANDOVER_CURRENT, out++) == -1)
		return -1;
	for (struct list *l = m->past.next; l != &m->past; l = l->next) {
		struct generation *g = LIST_ITEM(l, struct generation, link);
		bool failed = g->state == GENERATION_FAILED;

		if (export_generation(g, failed ? HANDOVER_FAILED : HANDOVER_DRAINING, out++) == -1)
			return -1;
	}
	return 0;
}

static int export_slots(const struct master *m, struct handover *h)
{
	const struct generation *g = m->current;
	struct handover_slot *out = handover_make(&h->slots, g->workers, sizeof *out);

	for (uint32_t i = 0; out != NULL && i < g->workers; i++)
		out[i] = (struct handover_slot){ .generation = g->number,
			.slot = i,
			.deaths = g->slots[i].backoff.deaths,
			.respawn = g->slots[i].respawn,
			.due = g->slots[i].due };
	return out != NULL ? 0 : -1;
}

static size_t export_inbox(const struct generation *g, struct handover_inbox *out)
{
	for (uint32_t i = 0; g->inboxes != NULL && out != NULL && i < g->workers; i++)
		out[i] = (struct handover_inbox){ g->number, i, g->inboxes[i].in,
			g->inboxes[i].out };
	return g->inboxes != NULL ? g->workers : 0;
}

/* The inboxes of all generations. Returns how many there are; `out` NULL: only that. */
static size_t export_all_inboxes(const struct master *m, struct handover_inbox *out)
{
	size_t n = export_inbox(m->current, out);

	for (struct list *l = m->past.next; l != &m->past; l = l->next)
		n += export_inbox(
			LIST_ITEM(l, struct generation, link), out != NULL ? out + n : NULL);
	return n;
}

/* The connections that are in the inboxes stay there. */
static int export_inboxes(const struct master *m, struct handover *h)
{
	size_t count = export_all_inboxes(m, NULL);
	struct handover_inbox *out = handover_make(&h->inboxes, count, sizeof *out);

	if (out == NULL)
		return -1;
	(void)export_all_inboxes(m, out);
	return 0;
}

/* The addresses of the name of one backend. Returns how many there are; `out` NULL: how many there
 * may be, since the monitor can change them at any time. */
static size_t export_name(
	const struct generation *g, uint32_t p, uint32_t b, struct handover_address *out)
{
	const struct backend_settings *backend = &g->settings->pools[p].backends[b];
	struct address all[BACKEND_ADDRESSES_MAX];
	uint32_t version, count = 0;

	if (url_address(&backend->url, &all[0]) == -1)
		count = out != NULL ? addresses_read(backend->addresses, all, &version)
				    : lookup_room(backend);
	for (uint32_t i = 0; out != NULL && i < count; i++)
		out[i] = (struct handover_address){ g->number, p, b, all[i] };
	return count;
}

static size_t export_names(const struct generation *g, struct handover_address *out)
{
	const struct settings *s = g->settings;
	size_t n = 0;

	for (uint32_t p = 0; p < s->pool_count; p++)
		for (uint32_t b = 0; b < s->pools[p].backend_count; b++)
			n += export_name(g, p, b, out != NULL ? out + n : NULL);
	return n;
}

/* Only those of the current generation: no worker of another is started. */
static int export_addresses(const struct master *m, struct handover *h)
{
	size_t count = export_names(m->current, NULL);
	struct handover_address *out = handover_make(&h->addresses, count, sizeof *out);

	if (out == NULL)
		return -1;
	h->addresses.count = export_names(m->current, out);
	return 0;
}

static uint32_t export_child_state(enum child_state state)
{
	switch (state) {
	case CHILD_STARTING:
	case CHILD_READY:
		break;
	case CHILD_DRAINING:
		return HANDOVER_DRAINS;
	case CHILD_ENDING:
		return HANDOVER_ENDING;
	case CHILD_KILLED:
		return HANDOVER_KILLED;
	}
	return HANDOVER_READY;
}

static int export_children(const struct master *m, struct handover *h)
{
	struct handover_child *out;
	size_t n = 0;

	for (struct list *l = m->children.next; l != &m->children; l = l->next)
		n += LIST_ITEM(l, struct child, link)->role == CHILD_WORKER;
	out = handover_make(&h->children, n, sizeof *out);
	if (out == NULL)
		return -1;
	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);

		if (c->role != CHILD_WORKER)
			continue;
		*out++ = (struct handover_child){ .pid = (uint32_t)c->pid,
			.generation = c->generation->number,
			.slot = c->slot,
			.state = export_child_state(c->state),
			.channel = c->channel,
			.place = c->place != NULL ? (int)board_number(m->board, c->place) : -1,
			.started = c->started,
			.deadline = c->deadline };
	}
	return 0;
}

static int export_sockets(const struct master *m, struct handover *h)
{
	struct handover_socket *out = handover_make(&h->sockets, m->escrow.count, sizeof *out);

	for (size_t i = 0; out != NULL && i < m->escrow.count; i++) {
		const struct escrow_entry *e = &m->escrow.entries[i];

		out[i] = (struct handover_socket){ .fd = e->fd,
			.slot = e->slot,
			.generation = e->generation,
			.stored = e->stored,
			.key = e->key,
			.bound = e->bound,
			.path_dev = (uint64_t)e->path_dev,
			.path_ino = (uint64_t)e->path_ino,
			.shut = e->shut,
			.shut_at = e->shut_at,
			.close_at = e->close_at };
	}
	return out != NULL ? 0 : -1;
}

int export_state(struct master *m, struct handover *h)
{
	assert(m->current != NULL);
	*h = (struct handover){ 0 };
	if (export_self(m, h) == 0 && export_generations(m, h) == 0 && export_slots(m, h) == 0 &&
		export_inboxes(m, h) == 0 && export_addresses(m, h) == 0 &&
		export_children(m, h) == 0 && export_sockets(m, h) == 0)
		return 0;
	handover_fini(h);
	return -1;
}

int export_file(const struct handover *h)
{
	int fd, result;
	FILE *out = open_memory("state", &fd);

	if (out == NULL)
		return -1;
	errno = EINVAL; /* of a path that cannot be written */
	result = handover_write(h, out);
	if (fclose(out) == EOF || result == -1)
		fd_close(&fd);
	return fd;
}

char *export_text(int fd, size_t *len)
{
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return NULL;
	errno = EINVAL;
	/* Only files in memory have seals. */
	if (fcntl(fd, F_GET_SEALS) == -1 || st.st_size <= 0 || st.st_size > TEXT_MAX)
		return NULL;
	text = mem_alloc((size_t)st.st_size + 1);
	if (text == NULL)
		return NULL;
	n = pread(fd, text, (size_t)st.st_size, 0);
	if (n != st.st_size) {
		mem_free(text);
		return NULL;
	}
	text[n] = '\0';
	*len = (size_t)n;
	return text;
}
