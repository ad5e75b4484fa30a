/* Makes and frees generations, and changes their state. What happens to them is decided in reload.c
 * and canary.c. */
#include "config.h"

#include "generation.h"

#include <assert.h>
#include <sched.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "master/children/inbox.h"

static uint32_t count_processors(void)
{
	cpu_set_t set;
	long online;

	if (sched_getaffinity(0, sizeof set, &set) == 0)
		return (uint32_t)CPU_COUNT(&set);
	/* The set has no room for that many processors. */
	online = sysconf(_SC_NPROCESSORS_ONLN);
	return online > 0 ? (uint32_t)online : 1;
}

uint32_t generation_most_workers(void)
{
	uint32_t processors = count_processors(), most = SETTINGS_WORKERS_MAX;

	return processors > most ? processors : most;
}

struct generation *generation_make(struct settings *settings, uint32_t number, uint32_t workers)
{
	struct generation *g;

	assert(settings != NULL && workers > 0);
	g = mem_zalloc(1, sizeof *g);
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

struct generation *generation_new(struct settings *settings, uint32_t number)
{
	uint32_t workers = settings->workers > 0 ? (uint32_t)settings->workers : count_processors();
	struct generation *g = generation_make(settings, number, workers);

	if (g != NULL)
		g->inboxes = inbox_open_all(workers);
	return g;
}

void generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	assert(g->rows == NULL);
	list_remove(&g->link);
	settings_free(g->settings);
	fd_close(&g->access_log);
	inbox_close_all(g->inboxes, g->workers);
	fd_close(&g->dump);
	mem_free(g->slots);
	mem_free(g);
}

static bool is_allowed(enum generation_state from, enum generation_state to)
{
	switch (from) {
	case GENERATION_NEW:
		return to != GENERATION_NEW && to != GENERATION_WATCHED;
	case GENERATION_LOOKUP:
		return to == GENERATION_STARTING || to == GENERATION_FAILED;
	case GENERATION_STARTING:
		return to == GENERATION_WATCHED || to == GENERATION_CURRENT ||
		       to == GENERATION_FAILED;
	case GENERATION_WATCHED:
		return to == GENERATION_STARTING || to == GENERATION_FAILED;
	case GENERATION_CURRENT:
		return to == GENERATION_DRAINING;
	case GENERATION_DRAINING:
	case GENERATION_FAILED:
		break;
	}
	return false;
}

void generation_set_state(struct generation *g, enum generation_state state)
{
	static const char *const names[] = {
		[GENERATION_NEW] = "new",
		[GENERATION_LOOKUP] = "looking up names",
		[GENERATION_STARTING] = "starting",
		[GENERATION_WATCHED] = "watched",
		[GENERATION_CURRENT] = "current",
		[GENERATION_DRAINING] = "draining",
		[GENERATION_FAILED] = "failed",
	};

	assert(is_allowed(g->state, state));
	if (log_wants(LOG_LEVEL_DEBUG))
		log_debug("generation %u: %s -> %s", g->number, names[g->state], names[state]);
	g->state = state;
}
