/* Generations: making and freeing them. What happens to them is decided in reload.c. */
#include "config.h"

#include "master/master_state.h"

#include <sched.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "master/children/inbox.h"
#include "master/generations/register_rows.h"

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

struct board *state_new_board(void)
{
	uint32_t processors = count_processors(), most = SETTINGS_WORKERS_MAX;

	return board_new(GENERATIONS_MAX * (processors > most ? processors : most));
}

struct generation *generation_make(struct settings *settings, uint32_t number, uint32_t workers)
{
	struct generation *g = mem_zalloc(1, sizeof *g);

	if (g == NULL) {
		settings_free(settings);
		return NULL;
	}
	list_init(&g->link);
	g->settings = settings;
	g->access_log = -1;
	g->dump = -1;
	g->number = number;
	g->started = clock_ms();
	g->workers = workers;
	g->slots = mem_zalloc(workers, sizeof *g->slots);
	if (g->slots == NULL) {
		generation_free(g);
		return NULL;
	}
	return g;
}

struct generation *generation_new(struct master *m, struct settings *settings)
{
	uint32_t workers = settings->workers > 0 ? (uint32_t)settings->workers : count_processors();
	struct generation *g = generation_make(settings, ++m->last_generation, workers);

	if (g != NULL)
		g->inboxes = inboxes_open(workers);
	return g;
}

void generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	list_remove(&g->link);
	roll_dismiss(g);
	settings_free(g->settings);
	fd_close(&g->access_log);
	inboxes_close(g->inboxes, g->workers);
	fd_close(&g->dump);
	mem_free(g->slots);
	mem_free(g);
}

static unsigned count_children(const struct master *m, const struct generation *g)
{
	unsigned n = 0;

	for (struct list *l = m->children.next; l != &m->children; l = l->next)
		n += LIST_ITEM(l, struct child, link)->generation == g;
	return n;
}

bool generation_is_starting(const struct master *m, const struct generation *g)
{
	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);

		if ((g == NULL || c->generation == g) && c->role == CHILD_WORKER &&
			c->state == CHILD_STARTING)
			return true;
	}
	return false;
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
		if (count_children(m, g) > 0)
			continue;
		if (g->state == GENERATION_DRAINING)
			tell_end(g);
		generation_free(g);
	}
	if (m->rows != NULL && list_is_empty(&m->past))
		rows_settle(m->rows);
}
