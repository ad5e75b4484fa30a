/*
 * Takes over what another program left. All that can fail comes first and changes nothing outside
 * this process: until it is done the former program can go on with the same descriptors.
 */
#include "config.h"

#include "import.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "master/generations/register_rows.h"
#include "master/sockets/fdstore.h"
#include "settings/lookup.h"
#include "settings/settings_load.h"

static bool is_bound_to(int fd, const struct address *a)
{
	struct address bound = { .len = sizeof bound.u };

	return getsockname(fd, &bound.u.sa, &bound.len) == 0 && address_equals(&bound, a);
}

static bool is_channel(int fd)
{
	socklen_t len = sizeof(int);
	int type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

/* NULL where every descriptor is what the state says. */
static const char *find_fault(const struct handover *h)
{
	const struct handover_self *self = h->self.items;
	const struct handover_socket *sockets = h->sockets.items;
	const struct handover_child *children = h->children.items;
	const struct handover_inbox *inboxes = h->inboxes.items;

	if (self->pid != (uint32_t)getpid())
		return "it is meant for another process";
	for (size_t i = 0; i < h->sockets.count; i++)
		if (!is_bound_to(sockets[i].fd, &sockets[i].bound))
			return "a descriptor is not the socket that it should be";
	for (size_t i = 0; i < h->children.count; i++)
		if (children[i].channel != -1 && !is_channel(children[i].channel))
			return "a descriptor is not the channel that it should be";
	for (size_t i = 0; i < h->inboxes.count; i++)
		if (!is_channel(inboxes[i].in) || !is_channel(inboxes[i].out))
			return "a descriptor is not the inbox that it should be";
	return NULL;
}

/* The settings that a generation had. Where this version does not take them any more the generation
 * gets the present ones: they matter only if one of its workers dies before a newer generation is
 * ready. */
static struct settings *load_settings(
	const struct master *m, const struct handover_generation *from, bool *is_own)
{
	struct settings_errors errors = { .out = NULL };
	struct settings *settings;
	char path[32];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", from->settings);
	settings = settings_load(path, &errors);
	*is_own = settings != NULL;
	if (settings != NULL)
		return settings;
	log_warnx("generation %u: its settings are not those of this version: it goes on with the "
		  "present ones",
		from->number);
	return m->options->load(m->options->context);
}

static void import_slots(const struct handover *h, struct generation *g)
{
	const struct handover_slot *slots = h->slots.items;
	const struct handover_address *addresses = h->addresses.items;

	for (size_t i = 0; i < h->slots.count; i++)
		if (slots[i].generation == g->number)
			g->slots[slots[i].slot] = (struct slot){ .backoff = { slots[i].deaths },
				.respawn = slots[i].respawn,
				.due = slots[i].due };
	for (size_t i = 0; i < h->addresses.count; i++)
		if (addresses[i].generation == g->number)
			lookup_add_address(g->settings, addresses[i].pool, addresses[i].backend,
				&addresses[i].address);
}

/* 0, or -1: no memory. */
static int import_inboxes(const struct handover *h, struct generation *g)
{
	const struct handover_inbox *all = h->inboxes.items;

	for (size_t i = 0; i < h->inboxes.count; i++) {
		if (all[i].generation != g->number)
			continue;
		if (g->inboxes == NULL)
			g->inboxes = mem_zalloc(g->workers, sizeof *g->inboxes);
		if (g->inboxes == NULL)
			return -1;
		g->inboxes[all[i].slot] = (struct worker_inbox){ all[i].in, all[i].out };
	}
	return 0;
}

static int import_generation(
	struct master *m, const struct handover *h, const struct handover_generation *from)
{
	bool is_own;
	char ignored[128];
	struct settings *settings = load_settings(m, from, &is_own);
	struct generation *g;

	g = settings != NULL ? generation_make(settings, from->number, from->workers) : NULL;
	if (g == NULL || import_inboxes(h, g) == -1)
		return -1;
	g->started = from->started;
	if (is_own)
		import_slots(h, g);
	if (from->state == HANDOVER_CURRENT) {
		generation_set_state(g, GENERATION_CURRENT);
		m->current = g;
		/* Its workers are replaced where they die: it needs rows. */
		if (register_rows(m, g, ignored, sizeof ignored) == -1)
			return -1;
	} else {
		g->rows = m->rows != NULL ? rows_share(m->rows) : NULL;
		generation_set_state(g,
			from->state == HANDOVER_FAILED ? GENERATION_FAILED : GENERATION_DRAINING);
		list_append(&m->past, &g->link);
	}
	return 0;
}

static struct generation *find_generation(const struct master *m, uint32_t number)
{
	if (m->current->number == number)
		return m->current;
	for (struct list *l = m->past.next; l != &m->past; l = l->next)
		if (LIST_ITEM(l, struct generation, link)->number == number)
			return LIST_ITEM(l, struct generation, link);
	return NULL;
}

static enum child_state child_state(uint32_t state)
{
	static const enum child_state states[] = {
		[HANDOVER_READY] = CHILD_READY,
		[HANDOVER_DRAINS] = CHILD_DRAINING,
		[HANDOVER_ENDING] = CHILD_ENDING,
		[HANDOVER_KILLED] = CHILD_KILLED,
	};

	assert(state < sizeof states / sizeof *states);
	return states[state];
}

/* The place of a worker on the board; NULL where it has none that this version knows. */
static struct board_place *find_place(const struct master *m, const struct handover_child *from)
{
	struct board_place *place;

	if (from->place == -1 || (uint32_t)from->place >= board_size(m->board))
		return NULL;
	place = board_place_at(m->board, (uint32_t)from->place);
	if (atomic_load_explicit(&place->generation, memory_order_relaxed) != from->generation ||
		atomic_load_explicit(&place->slot, memory_order_relaxed) != from->slot)
		return NULL;
	return place;
}

static int import_child(struct master *m, const struct handover_child *from)
{
	struct generation *g = find_generation(m, from->generation);
	struct child *c = g != NULL ? child_add(&m->children, CHILD_WORKER, g, from->slot) : NULL;

	if (c == NULL)
		return -1;
	c->pid = (pid_t)from->pid;
	child_set_state(c, child_state(from->state), 0);
	c->started = from->started;
	c->deadline = from->deadline;
	c->channel = from->channel;
	c->place = find_place(m, from);
	if (c->place != NULL && g->rows != NULL &&
		atomic_load_explicit(&c->place->rows, memory_order_relaxed) == rows_id(g->rows))
		c->column = atomic_load_explicit(&c->place->column, memory_order_relaxed);
	return 0;
}

static int import_socket(struct master *m, const struct handover_socket *from)
{
	struct escrow_entry e = { .key = from->key,
		.bound = from->bound,
		.slot = from->slot,
		.generation = from->generation,
		.shared = address_is_unix(&from->key),
		.fd = from->fd,
		.path_dev = (dev_t)from->path_dev,
		.path_ino = (ino_t)from->path_ino,
		.stored = from->stored != 0,
		.shut = from->shut != 0,
		.shut_at = from->shut_at,
		.close_at = from->close_at };

	return escrow_restore(&m->escrow, &e);
}

static int import_all(struct master *m, const struct handover *h)
{
	const struct handover_generation *generations = h->generations.items;
	const struct handover_child *children = h->children.items;
	const struct handover_socket *sockets = h->sockets.items;

	for (size_t i = 0; i < h->generations.count; i++)
		if (import_generation(m, h, &generations[i]) == -1)
			return -1;
	for (size_t i = 0; i < h->children.count; i++)
		if (import_child(m, &children[i]) == -1)
			return -1;
	for (size_t i = 0; i < h->sockets.count; i++)
		if (import_socket(m, &sockets[i]) == -1)
			return -1;
	return 0;
}

/* The board with all that was counted. One of another form is left to the processes that write it,
 * and counting begins anew. 0, or -1: no memory. */
static int import_board(struct master *m, int fd)
{
	m->board = fd != -1 ? board_attach(fd) : NULL;
	if (m->board != NULL) {
		m->rows = rows_attach(m->board);
		return m->rows != NULL || errno != ENOMEM ? 0 : -1;
	}
	log_warn("the board of the former program cannot be used: counters begin anew");
	return master_state_make_board(m);
}

/* What cannot fail: from here on all descriptors are this program's. */
static void import_descriptors(struct master *m, const struct handover *h)
{
	const struct handover_self *self = h->self.items;
	const struct handover_generation *generations = h->generations.items;
	int board = self->board;

	if (board != board_fd(m->board))
		fd_close(&board);
	m->pidfile.fd = self->pid_file;
	for (size_t i = 0; i < h->generations.count; i++) {
		struct generation *g = find_generation(m, generations[i].number);

		g->access_log = generations[i].access_log;
		g->dump = generations[i].settings;
	}
}

int import_state(struct master *m, const struct handover *h, const char **why)
{
	const struct handover_self *self = h->self.items;
	const struct handover_path *program = h->program.items, *pid_file = h->pid_file.items;

	assert(m->current == NULL && list_is_empty(&m->children));
	*why = find_fault(h);
	if (*why != NULL)
		return -1;
	*why = "out of memory";
	mem_free(m->upgrade.program);
	m->upgrade.program = mem_strdup(program->path);
	if (self->pid_file != -1)
		m->pidfile.path = mem_strdup(pid_file->path);
	if (m->upgrade.program == NULL || (self->pid_file != -1 && m->pidfile.path == NULL) ||
		import_board(m, self->board) == -1)
		return -1;
	*why = "its settings cannot be loaded";
	if (import_all(m, h) == -1)
		return -1;
	import_descriptors(m, h);
	fdstore_import(&m->fdstore, &m->escrow);
	m->root_seed = self->seed;
	m->last_generation = self->last_generation;
	/* Each program makes a generation of its own: so no id comes twice. */
	m->last_stand_in = self->last_generation << 16;
	m->reload_again = self->reload != 0;
	m->upgrade.wanted = self->upgrade != 0;
	m->daemon.on = self->daemon != 0;
	(void)snprintf(m->upgrade.version, sizeof m->upgrade.version, "%s", self->writer);
	return 0;
}
