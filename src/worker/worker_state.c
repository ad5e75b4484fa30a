/* The only place where the state changes. */
#include "config.h"

#include "worker_state.h"

#include <assert.h>

#include "base/log.h"

static const char *state_name(enum worker_state state)
{
	static const char *const names[] = {
		[WORKER_STARTING] = "starting",
		[WORKER_RUNNING] = "running",
		[WORKER_DRAINING] = "draining",
		[WORKER_ENDED] = "ended",
	};

	return names[state];
}

void worker_state_set(enum worker_state *state, enum worker_state next)
{
	assert(next > *state);
	assert(next != WORKER_DRAINING || *state == WORKER_RUNNING);
	if (log_wants(LOG_LEVEL_DEBUG))
		log_debug("state %s -> %s", state_name(*state), state_name(next));
	*state = next;
}
