/*
 * The tables of children and generations: making, finding, naming, freeing. What happens to them is
 * decided in reload.c and supervise.c.
 */
#include "config.h"

#include "state.h"

#include <assert.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"

static uint32_t count_processors(void)
{
	cpu_set_t set;
	long online;

	if (sched_getaffinity(0, sizeof set, &set) == 0)
		return (uint32_t)CPU_COUNT(&set);
	/* More processors than the set has room for. */
	online = sysconf(_SC_NPROCESSORS_ONLN);
	return online > 0 ? (uint32_t)online : 1;
}

struct generation *generation_new(struct master *m, struct settings *settings)
{
	struct generation *g = mem_zalloc(1, sizeof *g);

	if (g == NULL) {
		settings_free(settings);
		return NULL;
	}
	list_init(&g->link);
	g->settings = settings;
	g->access_log = -1;
	g->number = ++m->last_generation;
	g->started = clock_ms();
	g->workers = settings->workers > 0 ? (uint32_t)settings->workers : count_processors();
	g->slots = mem_zalloc(g->workers, sizeof *g->slots);
	if (g->slots == NULL) {
		generation_free(g);
		return NULL;
	}
	return g;
}

void generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	list_remove(&g->link);
	settings_free(g->settings);
	fd_close(&g->access_log);
	mem_free(g->slots);
	mem_free(g);
}

unsigned generation_count_children(const struct master *m, const struct generation *g)
{
	unsigned n = 0;

	for (struct list *l = m->children.next; l != &m->children; l = l->next)
		n += LIST_ITEM(l, struct child, link)->generation == g;
	return n;
}

static void tell_end(const struct generation *g)
{
	if (g->cut_workers == 0 && g->killed == 0)
		log_info("generation %u has ended", g->number);
	else
		log_notice("generation %u has ended; cut off were %u requests and %u idle "
			   "connections of %u workers, and all that %u killed ones had",
			g->number, g->cut_requests, g->cut_idle, g->cut_workers, g->killed);
}

void generation_free_past(struct master *m)
{
	struct list *next;

	for (struct list *l = m->past.next; l != &m->past; l = next) {
		struct generation *g = LIST_ITEM(l, struct generation, link);

		next = l->next;
		if (generation_count_children(m, g) > 0)
			continue;
		if (g->state == GENERATION_DRAINING)
			tell_end(g);
		generation_free(g);
	}
}

struct child *child_add(struct master *m, enum child_role role, struct generation *g, uint32_t slot)
{
	struct child *c = mem_zalloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->role = role;
	c->generation = g;
	c->slot = slot;
	c->channel = -1;
	c->started = clock_ms();
	list_append(&m->children, &c->link);
	return c;
}

void child_remove(struct child *c)
{
	list_remove(&c->link);
	fd_close(&c->channel);
	mem_free(c);
}

struct child *child_find(struct master *m, pid_t pid)
{
	for (struct list *l = m->children.next; l != &m->children; l = l->next)
		if (LIST_ITEM(l, struct child, link)->pid == pid)
			return LIST_ITEM(l, struct child, link);
	return NULL;
}

void child_set_state(struct child *c, enum child_state state, uint64_t timeout)
{
	static const char *const names[] = {
		[CHILD_STARTING] = "starting",
		[CHILD_READY] = "ready",
		[CHILD_DRAINING] = "draining",
		[CHILD_ENDING] = "ending",
		[CHILD_KILLED] = "killed",
	};
	char name[CHILD_NAME_SIZE];

	/* A child only ever moves on. */
	assert(state > c->state);
	log_debug("%s: %s -> %s", child_name(c, name), names[c->state], names[state]);
	c->state = state;
	c->deadline = timeout > 0 ? clock_ms() + timeout : 0;
}

const char *child_name(const struct child *c, char out[CHILD_NAME_SIZE])
{
	if (c->role == CHILD_RESOLVER)
		snprintf(out, CHILD_NAME_SIZE, "resolver gen %u (pid %d)", c->generation->number,
			(int)c->pid);
	else
		snprintf(out, CHILD_NAME_SIZE, "worker %u gen %u (pid %d)", c->slot,
			c->generation->number, (int)c->pid);
	return out;
}
