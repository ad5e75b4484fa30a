/*
 * The steps of an upgrade in place. What is handed over is in handover.h. The environment carries
 * the rest: TINYLB_STATE and TINYLB_FORMER, the descriptors of the state and of the program that
 * wrote it, and on the way back TINYLB_REFUSED, the reason. These three names must never change.
 */
#include "config.h"

#include "upgrade.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "export.h"
#include "handover_env.h"
#include "master/announce.h"
#include "master/children/monitor_child.h"
#include "master/generations/reload.h"
#include "master/notify.h"
#include "program.h"
#include "trial.h"

void upgrade_init(struct master *m)
{
	if (m->options->arguments != NULL)
		m->upgrade.program = program_find();
}

void upgrade_fini(struct master *m)
{
	fd_close(&m->upgrade.words);
	fd_close(&m->upgrade.former);
	mem_free(m->upgrade.program);
}

void upgrade_request(struct master *m)
{
	struct upgrade *u = &m->upgrade;

	if (u->program == NULL || m->options->arguments == NULL) {
		log_warnx("upgrade refused: this program cannot be upgraded in place");
		return;
	}
	if (m->phase != MASTER_RUNNING) {
		log_warnx("upgrade refused: the program is stopping");
		return;
	}
	if (!u->wanted && (u->phase != UPGRADE_NONE || !reload_has_room(m)))
		log_notice("the upgrade waits until what is under way has ended");
	u->wanted = true;
}

static void refuse(struct master *m, const char *why)
{
	upgrade_phase_set(&m->upgrade, UPGRADE_NONE);
	log_errorx("upgrade refused: %s; tinylb %s goes on", why, PACKAGE_VERSION);
}

static void begin(struct master *m)
{
	char why[128];

	m->upgrade.wanted = false;
	log_notice("upgrading: trying the program at %s", m->upgrade.program);
	upgrade_phase_set(&m->upgrade, UPGRADE_TRYING);
	if (trial_start(m) == 0)
		return;
	(void)snprintf(why, sizeof why, "the trial cannot be started: %s", strerror(errno));
	refuse(m, why);
}

void upgrade_tried(struct master *m, int status)
{
	bool passed = trial_end(m, status);
	char why[128];

	assert(m->upgrade.phase == UPGRADE_TRYING);
	if (m->phase != MASTER_RUNNING) {
		upgrade_phase_set(&m->upgrade, UPGRADE_NONE);
		return;
	}
	if (passed) {
		upgrade_phase_set(&m->upgrade, UPGRADE_TRIED);
		return;
	}
	if (WIFSIGNALED(status))
		(void)snprintf(why, sizeof why, "the trial of the new program was killed by SIG%s",
			process_signal_name(WTERMSIG(status)));
	else
		(void)snprintf(why, sizeof why,
			"the new program has not passed its trial (exit code %d)",
			WEXITSTATUS(status));
	refuse(m, why);
}

/* Becomes `program`, an open file; -1: the program at the path. Returns only where that fails, with
 * errno. `refused`: why it is gone back to; or NULL. */
static void become(struct master *m, int program, const char *refused)
{
	struct handover h;
	int state, error;

	assert(m->current != NULL && m->next == NULL);
	monitor_child_end(m);
	if (export_state(m, &h) == -1)
		return;
	state = export_file(&h);
	if (state != -1 && program_keep(&h, true) == 0) {
		handover_env_set(state, program == -1 ? m->upgrade.former : -1, refused);
		program_become(m->upgrade.program, program, m->options->arguments);
	}
	error = errno;
	handover_env_clear();
	if (program_keep(&h, false) == -1)
		log_error("a descriptor stays open in other programs");
	fd_close(&state);
	handover_fini(&h);
	errno = error;
}

/* Hands over to the new program. */
static void go_forward(struct master *m)
{
	char why[128];

	/* Kept open, the present program can be run again whatever becomes of its file. */
	m->upgrade.former = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	log_notice("upgrading: tinylb %s hands over to %s", PACKAGE_VERSION, m->upgrade.program);
	notify_reloading();
	if (m->upgrade.former != -1)
		become(m, -1, NULL);
	(void)snprintf(why, sizeof why, "the new program cannot be started: %s", strerror(errno));
	fd_close(&m->upgrade.former);
	refuse(m, why);
	announce_ready(m);
}

/* Goes back to the former program. */
static void go_back(struct master *m)
{
	log_errorx(
		"upgrade failed: %s; going back to tinylb %s", m->upgrade.why, m->upgrade.version);
	become(m, m->upgrade.former, m->upgrade.why);
	log_error("cannot go back to the former program: this one goes on with its workers");
	fd_close(&m->upgrade.former);
	upgrade_phase_set(&m->upgrade, UPGRADE_NONE);
	announce_ready(m);
}

bool upgrade_advance(struct master *m)
{
	struct upgrade *u = &m->upgrade;

	if (m->phase != MASTER_RUNNING)
		return false;
	switch (u->phase) {
	case UPGRADE_NONE:
		if (!u->wanted || m->current == NULL || !reload_has_room(m))
			return false;
		begin(m);
		return u->phase != UPGRADE_TRYING;
	case UPGRADE_TRIED:
		/* A worker that is being started sends its sockets to the program that started it.
		 */
		if (child_is_any_starting(&m->children, NULL))
			return false;
		go_forward(m);
		return true;
	case UPGRADE_FAILED:
		if (child_is_any_starting(&m->children, NULL))
			return false;
		go_back(m);
		return true;
	case UPGRADE_TRYING:
	case UPGRADE_PROVING:
		break;
	}
	return false;
}
