/*
 * Keeps one monitor running. It can be killed and started at any time: all that it knows and others
 * need is on the board. Whether it hangs shows in memory that it shares with the master: when it
 * wanted to do something, and when it last did something. A monitor that has nothing to do is not
 * disturbed.
 */
#include "config.h"

#include "monitor_child.h"

#include <assert.h>
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
#include "monitor/monitor.h"
#include "spawn.h"
#include "stop.h"

#define LOOK_MS 500

/* A monitor that has not done what was due for so long hangs. A look that comes more than half of
 * this late says nothing: all of the machine may have been stopped. */
#define HANGS_MS 1500

/* As a worker does, but files stay within reach: the look-up of names needs them. 0, or -1. */
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

/* 0, or -1 with errno. */
static int spawn(struct master *m, struct generation *g)
{
	struct child *c = child_add(&m->children, CHILD_MONITOR, g, 0);
	struct monitor_start start = { .settings = g->settings, .rows = g->rows };
	char name[CHILD_NAME_SIZE];
	int ends[2];

	if (c == NULL)
		return -1;
	start.life = c->life = make_life();
	start.seed = rng_next(&m->jitter);
	if (c->life == NULL || channel_pair(ends) == -1) {
		child_remove(c, m->board);
		return -1;
	}
	start.channel = ends[1];
	c->pid = spawn_fork();
	if (c->pid == 0)
		run(m, g, &start);
	fd_close(&ends[1]);
	c->channel = ends[0];
	if (c->pid == -1) {
		child_remove(c, m->board);
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

void monitor_child_keep(struct master *m)
{
	struct generation *g = m->current;
	struct child *c = child_find_monitor(&m->children);

	if (g == NULL || g->rows == NULL || m->phase > MASTER_LAME_DUCK)
		return;
	if (c != NULL && c->generation != g)
		stop_at_once(c);
	if (c != NULL || m->monitor_due > clock_ms())
		return;
	m->monitor_due = 0;
	if (spawn(m, g) == -1) {
		log_error("cannot start the monitor");
		postpone(m, 0);
	}
}

void monitor_child_died(struct master *m, const struct child *c, int status)
{
	char name[CHILD_NAME_SIZE], death[CHILD_DEATH_SIZE];

	assert(c->role == CHILD_MONITOR);
	child_describe_death(c, status, death);
	m->monitor_due = 0;
	if (c->state == CHILD_KILLED && c->hung_since == 0) {
		log_debug("%s %s", child_name(c, name), death);
		return;
	}
	postpone(m, clock_ms() - c->started);
	log_errorx("%s %s; workers go on with what they see themselves until the next one starts",
		child_name(c, name), death);
}

/* A worker has raised the alarm, and the monitor has not read it. */
static bool is_called(const struct child *c)
{
	struct pollfd alarm = { .fd = rows_alarm_fd(c->generation->rows), .events = POLLIN };

	return poll(&alarm, 1, 0) == 1;
}

/* Something was due before now, and the monitor has not moved since. */
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
	stop_at_once(c);
}

void monitor_child_look(struct master *m)
{
	struct child *c = child_find_monitor(&m->children);
	uint64_t now = clock_ms();

	if (c == NULL || c->state != CHILD_READY || now < m->monitor_look)
		return;
	/* A late look says nothing: the machine may have been stopped. */
	if (now - m->monitor_look > HANGS_MS / 2)
		c->suspected = now;
	m->monitor_look = now + LOOK_MS;
	look_at(c, now);
}

uint64_t monitor_child_next_due(const struct master *m)
{
	bool is_awaited = m->current != NULL && m->phase <= MASTER_LAME_DUCK &&
			  child_find_monitor(&m->children) == NULL;

	return is_awaited && m->monitor_due > 0 ? m->monitor_due : UINT64_MAX;
}

void monitor_child_end(struct master *m)
{
	struct child *c = child_find_monitor(&m->children);

	if (c == NULL)
		return;
	stop_at_once(c);
	/* It is gone in a moment, and the next one may start only then. */
	while (waitpid(c->pid, NULL, 0) == -1 && errno == EINTR)
		;
	child_remove(c, m->board);
}
