/* The master's state: how it begins, and its phase. */
#include "config.h"

#include "master_state.h"

#include <assert.h>

#include "base/log.h"

void master_state_init(struct master *m, const struct master_options *options)
{
	*m = (struct master){ .options = options, .signals = -1 };
	m->daemon.status = -1;
	m->pidfile.fd = -1;
	m->upgrade.words = m->upgrade.former = -1;
	list_init(&m->children);
	list_init(&m->stand_ins);
	list_init(&m->past);
}

void master_state_set_phase(struct master *m, enum master_phase phase)
{
	static const char *const names[] = {
		[MASTER_RUNNING] = "running",
		[MASTER_LAME_DUCK] = "lame duck",
		[MASTER_STOPPING] = "stopping",
		[MASTER_ENDING] = "ending",
	};

	assert(phase > m->phase && phase <= MASTER_ENDING);
	if (log_wants(LOG_LEVEL_DEBUG))
		log_debug("master: %s -> %s", names[m->phase], names[phase]);
	m->phase = phase;
}

int master_state_make_board(struct master *m)
{
	assert(m->board == NULL);
	m->board = board_new(GENERATION_MAX * generation_most_workers());
	return m->board != NULL ? 0 : -1;
}

const struct settings *master_state_next_settings(const struct master *m)
{
	return m->next != NULL ? m->next->settings : NULL;
}
