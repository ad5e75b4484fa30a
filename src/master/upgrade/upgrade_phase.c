/* The phase of an upgrade: it only notes what happened. What is done about it is in upgrade.c. */
#include "config.h"

#include "upgrade_phase.h"

#include <assert.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/log.h"

static bool is_allowed(enum upgrade_phase from, enum upgrade_phase to)
{
	switch (to) {
	case UPGRADE_NONE:
		return from != UPGRADE_NONE;
	case UPGRADE_TRYING:
	case UPGRADE_PROVING:
		return from == UPGRADE_NONE;
	case UPGRADE_TRIED:
		return from == UPGRADE_TRYING;
	case UPGRADE_FAILED:
		return from == UPGRADE_PROVING;
	}
	return false;
}

void upgrade_phase_set(struct upgrade *u, enum upgrade_phase phase)
{
	static const char *const names[] = {
		[UPGRADE_NONE] = "none",
		[UPGRADE_TRYING] = "trying",
		[UPGRADE_TRIED] = "tried",
		[UPGRADE_PROVING] = "proving",
		[UPGRADE_FAILED] = "failed",
	};

	assert(is_allowed(u->phase, phase));
	if (log_wants(LOG_LEVEL_DEBUG))
		log_debug("upgrade: %s -> %s", names[u->phase], names[phase]);
	u->phase = phase;
}

bool upgrade_phase_is_busy(const struct upgrade *u)
{
	return u->phase == UPGRADE_TRYING || u->phase == UPGRADE_TRIED ||
	       u->phase == UPGRADE_FAILED;
}

void upgrade_phase_prove(struct upgrade *u)
{
	if (u->phase != UPGRADE_PROVING)
		return;
	upgrade_phase_set(u, UPGRADE_NONE);
	fd_close(&u->former);
	log_notice("upgraded from tinylb %s to tinylb %s", u->version, PACKAGE_VERSION);
}

bool upgrade_phase_fail(struct upgrade *u, const char *why)
{
	if (u->phase != UPGRADE_PROVING)
		return false;
	upgrade_phase_set(u, UPGRADE_FAILED);
	(void)snprintf(u->why, sizeof u->why, "%s", why);
	return true;
}
