/* The first steps of a program that takes over from another one, or gets its children back from the
 * program that it had handed them to. */
#include "config.h"

#include "takeover.h"

#include <assert.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "export.h"
#include "handover_env.h"
#include "handover_read.h"
#include "import.h"
#include "master/announce.h"
#include "master/children/stand_in.h"
#include "master/generations/reload.h"
#include "master/supervise.h"
#include "program.h"

bool takeover_is_wanted(void)
{
	return handover_env_is_set();
}

/* Takes the state over. 0; or -1 with *why, and nothing has changed. */
static int take_over(struct master *m, int state, const char **why)
{
	struct handover h;
	size_t len = 0;
	char *text = export_text(state, &len);
	int result = -1;

	*why = "it cannot be read";
	if (text != NULL && handover_read(&h, text, len, why) == 0) {
		result = import_state(m, &h, why);
		if (result == 0 && program_keep(&h, false) == -1)
			log_error("a descriptor stays open in other programs");
		handover_fini(&h);
	}
	mem_free(text);
	return result;
}

/* A program that was run from an open file is named after the number of its descriptor. */
static void restore_name(const struct master *m)
{
	char name[16];

	(void)snprintf(name, sizeof name, "%.15s", basename(m->options->arguments[0]));
	(void)prctl(PR_SET_NAME, name);
}

/* This program cannot use the state: it goes back to the former program as it came. */
static void give_back(const struct master *m, const struct handover_env *env, const char *why)
{
	char text[256];

	(void)snprintf(text, sizeof text, "it does not take the state over: %s", why);
	log_errorx("cannot take over from another tinylb: %s", why);
	if (env->former == -1 || env->state == -1)
		return;
	handover_env_set(env->state, -1, text);
	program_become(NULL, env->former, m->options->arguments);
	log_error("cannot go back to the former program");
}

/* The log is that of the current generation. */
static void open_log(const struct master *m)
{
	const struct settings *s = m->current->settings;

	if (log_open(s->log, (enum log_level)s->log_level) == -1)
		log_errorx("cannot open the log %s: %s", s->log, fd_explain_log(errno));
}

/* Which sibling accepts for a slot without a worker was not handed over: one is chosen anew. */
static void stand_in_again(struct master *m)
{
	for (uint32_t i = 0; i < m->current->workers; i++)
		if (m->current->slots[i].due != 0)
			stand_in_begin(m, i);
}

/* Starts this program's own generation. */
static void begin_generation(struct master *m)
{
	struct settings *settings;

	assert(m->current != NULL && m->next == NULL);
	log_notice("upgrading: tinylb %s takes over from tinylb %s", PACKAGE_VERSION,
		m->upgrade.version);
	upgrade_phase_set(&m->upgrade, UPGRADE_PROVING);
	settings = m->options->load(m->options->context);
	if (settings != NULL)
		reload_begin(m, settings);
	else
		(void)upgrade_phase_fail(&m->upgrade, "the settings could not be loaded");
}

int takeover_begin(struct master *m)
{
	struct handover_env env;
	const char *why = "there is none";

	if (handover_env_take(&env) == -1 || take_over(m, env.state, &why) == -1) {
		give_back(m, &env, why);
		return -1;
	}
	fd_close(&env.state);
	open_log(m);
	if (m->options->arguments != NULL)
		restore_name(m);
	stand_in_again(m);
	/* The former program may have been told of deaths, and not have acted on them. */
	supervise_reap(m);
	m->upgrade.former = env.former;
	if (env.former != -1) {
		begin_generation(m);
		return 0;
	}
	log_errorx("upgrade refused: %s; tinylb %s goes on", env.refused, PACKAGE_VERSION);
	announce_ready(m);
	return 0;
}

int takeover_trial(int state)
{
	struct handover h;
	const char *why = "it cannot be read";
	size_t len = 0;
	char *text = export_text(state, &len);
	int result = text != NULL ? handover_read(&h, text, len, &why) : -1;

	if (result == 0)
		handover_fini(&h);
	else
		(void)fprintf(stderr, "tinylb: the state of the running program: %s\n", why);
	mem_free(text);
	return result;
}
