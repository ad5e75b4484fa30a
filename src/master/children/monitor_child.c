/*
 * Keeps one monitor running. It is ended and started without ceremony: all that it knows and others
 * need is on the board. One that hangs, too, shows on memory that it shares with the master: when
 * it wanted to do something, and when it last did; one that rests is not disturbed.
 */
#include "config.h"

#include "master/children/monitor_child.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/privilege.h"
#include "master/children/spawn.h"
#include "master/shutdown.h"
#include "master/supervise.h"
#include "monitor/monitor.h"

#define LOOK_MS 500

/* It has not done what was due for so long: it hangs. Twice as long is for others to decide: a look
 * that comes late may mean that all of the machine was stopped. */
#define HANGS_MS 1500

static struct child *find(const struct master *m)
{
	for (struct list *l = m->children.next; l != &m->children; l = l->next)
		if (LIST_ITEM(l, struct child, link)->role == CHILD_MONITOR)
			return LIST_ITEM(l, struct child, link);
	return NULL;
}

/* As a worker, but for files, which the look-up of names needs. */
static int give_up_rights(const struct settings *s)
{
	const char *what;

	if (privilege_drop(s->user, s->group, &what) == -1) {
		log_error("cannot give up privileges: %s", what);
		return -1;
	}
	if (s->sandbox && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		log_warn("the monitor runs without no_new_privs");
	return 0;
}

static void run(const struct master *m, const struct generation *g, struct monitor_start *start)
{
	int keep[] = { start->channel, log_keep_fd(), rows_alarm_fd(start->rows) };

	if (spawn_become(m, g, "monitor", keep, sizeof keep / sizeof *keep) == -1)
		exit(MONITOR_EXIT_START);
	log_set_role("monitor");
	if (give_up_rights(g->settings) == -1)
		exit(MONITOR_EXIT_START);
	exit(monitor_run(start));
}

static struct monitor_life *make_life(void)
{
	void *life = mmap(NULL, sizeof(struct monitor_life), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return life != MAP_FAILED ? life : NULL;
}

void monitor_forget(struct child *c)
{
	if (c->life != NULL)
		(void)munmap(c->life, sizeof *c->life);
	c->life = NULL;
}

/* 0, or -1 with errno. */
static int spawn(struct master *m, struct generation *g)
{
	struct child *c = child_add(m, CHILD_MONITOR, g, 0);
	struct monitor_start start = { .settings = g->settings, .rows = g->rows };
	char name[CHILD_NAME_SIZE];
	int ends[2];

	if (c == NULL)
		return -1;
	start.life = c->life = make_life();
	start.seed = rng_next(&m->jitter);
	if (c->life == NULL || channel_pair(ends) == -1) {
		child_remove(m, c);
		return -1;
	}
	start.channel = ends[1];
	c->pid = spawn_fork();
	if (c->pid == 0)
		run(m, g, &start);
	fd_close(&ends[1]);
	c->channel = ends[0];
	if (c->pid == -1) {
		child_remove(m, c);
		return -1;
	}
	log_debug("%s was started", child_name(c, name));
	child_set_state(c, CHILD_READY, 0);
	return 0;
}

static void postpone(struct master *m, uint64_t lived_ms)
{
	m->monitor_due =
		clock_ms() + backoff_next(&m->monitor_backoff, lived_ms, rng_next(&m->jitter));
}

void monitor_keep(struct master *m)
{
	struct generation *g = m->current;
	struct child *c = find(m);

	if (g == NULL || g->rows == NULL || m->phase > MASTER_LAME_DUCK)
		return;
	if (c != NULL && c->generation != g)
		end_at_once(c);
	if (c != NULL || m->monitor_due > clock_ms())
		return;
	m->monitor_due = 0;
	if (spawn(m, g) == -1) {
		log_error("cannot start the monitor");
		postpone(m, 0);
	}
}

void monitor_died(struct master *m, const struct child *c, int status)
{
	char name[CHILD_NAME_SIZE], death[DEATH_SIZE];

	supervise_describe_death(c, status, death);
	m->monitor_due = 0;
	if (c->state == CHILD_KILLED && c->hung_since == 0) {
		log_debug("%s %s", child_name(c, name), death);
		return;
	}
	postpone(m, clock_ms() - c->started);
	log_errorx("%s %s; workers go on with what they see themselves until the next one starts",
		child_name(c, name), death);
}

/* A worker has called, and nobody has come. */
static bool is_called(const struct child *c)
{
	struct pollfd alarm = { .fd = rows_alarm_fd(c->generation->rows), .events = POLLIN };

	return poll(&alarm, 1, 0) == 1;
}

/* Something was due before now, and it has not stirred since. */
static bool is_late(const struct child *c, uint64_t now)
{
	uint64_t due = atomic_load_explicit(&c->life->due_us, memory_order_relaxed) / 1000;
	uint64_t beat = atomic_load_explicit(&c->life->pulse.beat_us, memory_order_relaxed) / 1000;

	return (due != 0 && due < now && beat < due) || is_called(c);
}

static void look_at(struct child *c, uint64_t now)
{
	uint64_t beat = atomic_load_explicit(&c->life->pulse.beat_us, memory_order_relaxed);
	char name[CHILD_NAME_SIZE];

	if (!is_late(c, now) || beat != c->last_beat || c->suspected == 0)
		c->suspected = now;
	c->last_beat = beat;
	if (now - c->suspected < HANGS_MS || c->generation->settings->timeouts.hang == 0)
		return;
	c->hung_since = c->suspected;
	log_errorx("%s hangs: nothing for %ju ms, though something was due: killing it",
		child_name(c, name), (uintmax_t)(now - c->suspected));
	end_at_once(c);
}

void monitor_look(struct master *m)
{
	struct child *c = find(m);
	uint64_t now = clock_ms();

	if (c == NULL || c->state != CHILD_READY || now < m->monitor_look)
		return;
	/* One that comes late says nothing: the machine, or all of us, may have been stopped. */
	if (now - m->monitor_look > HANGS_MS / 2)
		c->suspected = now;
	m->monitor_look = now + LOOK_MS;
	look_at(c, now);
}

uint64_t monitor_next_due(const struct master *m)
{
	bool is_awaited = m->current != NULL && m->phase <= MASTER_LAME_DUCK && find(m) == NULL;

	return is_awaited && m->monitor_due > 0 ? m->monitor_due : UINT64_MAX;
}

void monitor_end(struct master *m)
{
	struct child *c = find(m);

	if (c == NULL)
		return;
	end_at_once(c);
	/* It is gone in a moment, and only then may the next one start. */
	while (waitpid(c->pid, NULL, 0) == -1 && errno == EINTR)
		;
	child_remove(m, c);
}
