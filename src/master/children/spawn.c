/*
 * A child is this process, forked: it closes the descriptors of others, takes its name, and calls
 * the function that it is for. It never returns from here.
 */
#include "config.h"

#include "spawn.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/privilege.h"
#include "base/title.h"
#include "master/logs.h"
#include "master/signals.h"
#include "settings/lookup.h"
#include "worker/worker.h"

/* Opens the log of this generation. The master changes its own log only when the generation has
 * become the current one. 0, or -1 with errno. */
static int open_log(const struct master *m, const struct settings *s)
{
	const struct settings *present = m->current != NULL ? m->current->settings : NULL;

	log_set_echo(false);
	if (m->daemon.on)
		daemon_silence();
	/* Mostly the log that was inherited is the right one. */
	return present != NULL ? logs_change(present, s) : 0;
}

int spawn_become(const struct master *m, const struct generation *g, const char *title,
	const int *keep, size_t count)
{
	fd_close_except(keep, count);
	title_set("%s gen %u", title, g->number);
	return open_log(m, g->settings);
}

static void run_worker(const struct master *m, const struct generation *g, uint32_t slot,
	struct worker_start *start)
{
	int *keep = mem_zalloc(start->socket_count + start->workers + 4, sizeof *keep);
	struct message failed = { .type = MESSAGE_FAILED };
	char role[32];
	size_t n = 0;
	int code;

	if (keep == NULL)
		exit(WORKER_EXIT_ERROR);
	keep[n++] = start->channel;
	keep[n++] = start->access_log;
	keep[n++] = log_keep_fd();
	keep[n++] = rows_alarm_fd(start->rows);
	for (size_t i = 0; i < start->socket_count; i++)
		keep[n++] = start->sockets[i].fd;
	for (uint32_t i = 0; start->inboxes != NULL && i < start->workers; i++)
		keep[n++] = i == slot ? start->inboxes[i].out : start->inboxes[i].in;
	snprintf(role, sizeof role, "worker %u", slot);
	if (spawn_become(m, g, role, keep, n) == -1) {
		snprintf(failed.text, sizeof failed.text, "cannot open the log %s: %s",
			g->settings->log, fd_explain_log(errno));
		if (channel_send(start->channel, &failed, -1) == -1)
			log_error("cannot tell the master: %s", failed.text);
		exit(WORKER_EXIT_START);
	}
	mem_free(keep);
	snprintf(role, sizeof role, "worker %u/%u", slot, g->number);
	log_set_role(role);
	code = worker_run(start);
	exit(code);
}

/* Without rights, and without the means to gain some, a resolver can do no harm with what a name
 * server sends. */
static void drop_privileges(const struct settings *settings)
{
	if (settings->sandbox && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		log_warn("names are looked up without no_new_privs");
	if (privilege_leave_root(settings->user) == -1)
		log_warn("names are looked up as root");
}

static void run_resolver(const struct master *m, const struct generation *g)
{
	int keep[1] = { log_keep_fd() };

	if (spawn_become(m, g, "resolver", keep, 1) == -1)
		_exit(1);
	log_set_role("resolver");
	/* A resolver has nothing to finish: any signal may end it. */
	signals_unblock();
	drop_privileges(g->settings);
	/* A name that is not found is logged and has no address: that is no failure. */
	if (lookup_run(g->settings, m->current != NULL ? m->current->settings : NULL) == -1)
		_exit(1);
	_exit(0);
}

static void announce(const struct child *c)
{
	char name[CHILD_NAME_SIZE];

	log_debug("%s was started", child_name(c, name));
}

pid_t spawn_fork(void)
{
	fflush(NULL);
	return fork();
}

int spawn_resolver(struct master *m, struct generation *g)
{
	struct child *c = child_add(&m->children, CHILD_RESOLVER, g, 0);

	if (c == NULL)
		return -1;
	c->pid = spawn_fork();
	if (c->pid == 0)
		run_resolver(m, g);
	if (c->pid == -1) {
		child_remove(c, m->board);
		return -1;
	}
	announce(c);
	return 0;
}

/* The parent's side of a fork: keeps its end of the channel. 0, or -1 with errno: there was no
 * fork. */
static int keep_channel(struct master *m, struct child *c, int ends[2])
{
	fd_close(&ends[1]);
	if (c->pid == -1) {
		fd_close(&ends[0]);
		child_remove(c, m->board);
		return -1;
	}
	c->channel = ends[0];
	c->deadline = c->started + CHILD_START_TIMEOUT_MS;
	announce(c);
	return 0;
}

/* A worker that is about to be forked, with a place on the board. NULL with errno. */
static struct child *add_worker(struct master *m, struct generation *g, uint32_t slot)
{
	struct child *c = child_add(&m->children, CHILD_WORKER, g, slot);

	if (c == NULL)
		return NULL;
	c->place = board_take(m->board, g->number, slot);
	if (c->place != NULL)
		c->column = rows_take_column(g->rows);
	if (c->column != ROWS_NONE) {
		atomic_store_explicit(&c->place->column, c->column, memory_order_relaxed);
		atomic_store_explicit(&c->place->rows, rows_id(g->rows), memory_order_relaxed);
		return c;
	}
	log_errorx("worker %u gen %u: no place is left on the board, of %u: too many old workers "
		   "have not ended yet",
		slot, g->number, board_size(m->board));
	child_remove(c, m->board);
	errno = EAGAIN;
	return NULL;
}

int spawn_worker(struct master *m, struct generation *g, uint32_t slot)
{
	struct worker_start start = { .settings = g->settings,
		.slot = slot,
		.generation = g->number,
		.workers = g->workers,
		.board = m->board,
		.rows = g->rows,
		.inboxes = g->inboxes,
		.respawn = g->slots[slot].respawn,
		.root_seed = g->settings->seed != 0 ? (uint64_t)g->settings->seed : m->root_seed,
		.access_log = g->access_log };
	struct child *c;
	int ends[2], result;

	assert(slot < g->workers && g->rows != NULL);
	c = add_worker(m, g, slot);
	start.sockets =
		mem_zalloc(escrow_assign_max(&m->escrow, g->settings), sizeof *start.sockets);
	if (c == NULL || start.sockets == NULL || channel_pair(ends) == -1) {
		mem_free(start.sockets);
		if (c != NULL)
			child_remove(c, m->board);
		return -1;
	}
	start.socket_count =
		escrow_assign(&m->escrow, g->settings, slot, g->workers, start.sockets);
	start.channel = ends[1];
	start.place = c->place;
	start.column = c->column;
	c->pid = spawn_fork();
	if (c->pid == 0)
		run_worker(m, g, slot, &start);
	result = keep_channel(m, c, ends);
	mem_free(start.sockets);
	return result;
}
