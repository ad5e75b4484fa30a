/*
 * The life of a generation until it is the current one: look up names, start workers one after the
 * other, commit. The settings are never edited, and the old generation is not touched before the
 * new one is whole. Where too many old generations still drain a reload waits for them.
 */
#include "config.h"

#include "reload.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "canary.h"
#include "generation_drain.h"
#include "master/announce.h"
#include "master/children/monitor_child.h"
#include "master/children/spawn.h"
#include "master/messages.h"
#include "master/notify.h"
#include "master/sockets/bind.h"
#include "master/sockets/fdstore.h"
#include "register_rows.h"
#include "settings/lookup.h"

/* How long sockets of addresses that are gone are kept after the last old worker; ms. */
#define KEEP_GONE_MS 200
#define CANNOT_LOAD  "the settings could not be loaded, for the reasons above"

static void begin_again(struct master *m)
{
	if (!m->reload_again || m->phase != MASTER_RUNNING)
		return;
	m->reload_again = false;
	reload_request(m);
}

/* Says why there is no new generation; `what`: "refused" or "rolled back". */
static void refuse(struct master *m, const char *what, const char *why)
{
	if (m->current == NULL) {
		log_errorx("cannot start: %s", why);
		m->exit_code = 1;
		master_state_set_phase(m, MASTER_STOPPING);
		return;
	}
	if (m->phase == MASTER_RUNNING && upgrade_phase_fail(&m->upgrade, why))
		return;
	log_errorx("reload %s: %s; generation %u goes on", what, why, m->current->number);
	announce_ready(m);
}

void reload_withdraw(struct master *m)
{
	struct generation *g = m->next;

	assert(g != NULL);
	m->next = NULL;
	canary_end(m, g);
	generation_set_state(g, GENERATION_FAILED);
	list_append(&m->past, &g->link);
	/* A client that connects to a socket of its own while that is closed would be reset. Shut,
	 * it lets no client in: the client tries again, and comes to a socket that stays. */
	escrow_shut_generation(&m->escrow, g->number);
	/* Workers that are ready may have accepted connections: they finish them. */
	messages_read_starting(m, g);
	generation_drain_begin(m, g);
	escrow_drop_generation(&m->escrow, g->number);
}

void reload_fail(struct master *m, const char *why)
{
	reload_withdraw(m);
	refuse(m, "refused", why);
	begin_again(m);
}

void reload_roll_back(struct master *m, const char *why)
{
	reload_withdraw(m);
	refuse(m, "rolled back", why);
	begin_again(m);
}

static void start_workers(struct generation *g)
{
	generation_set_state(g, GENERATION_STARTING);
	g->deadline = clock_ms() + CHILD_START_TIMEOUT_MS;
}

/* Does all that can be done before the first fork. 0, or -1 with `why`. */
static int prepare(struct master *m, struct generation *g, char *why, size_t why_size)
{
	const struct settings *s = g->settings;

	if (s->access_log != NULL) {
		g->access_log = fd_open_log(s->access_log);
		if (g->access_log == -1) {
			snprintf(why, why_size, "cannot open the access log %s: %s", s->access_log,
				fd_explain_log(errno));
			return -1;
		}
	}
	if (register_rows(m, g, why, why_size) == -1)
		return -1;
	if (bind_prepare(&m->escrow, s, g->workers, g->number, why, why_size) == -1)
		return -1;
	if (!lookup_is_needed(s)) {
		start_workers(g);
		return 0;
	}
	if (spawn_resolver(m, g) == -1) {
		snprintf(why, why_size, "cannot start a process: %s", strerror(errno));
		return -1;
	}
	generation_set_state(g, GENERATION_LOOKUP);
	g->deadline = clock_ms() + CHILD_START_TIMEOUT_MS;
	return 0;
}

void reload_begin(struct master *m, struct settings *settings)
{
	char why[512];

	assert(m->next == NULL && settings != NULL);
	m->next = generation_new(settings, ++m->last_generation);
	if (m->next == NULL)
		refuse(m, "refused", "out of memory");
	else if (prepare(m, m->next, why, sizeof why) == -1)
		reload_fail(m, why);
}

/* True where a reload waits for something that newer settings may make needless: for a name server
 * that is silent, or for the end of the watch. */
static bool is_waiting(const struct generation *g)
{
	return g->state == GENERATION_LOOKUP || g->state == GENERATION_WATCHED;
}

bool reload_has_room(const struct master *m)
{
	return m->next == NULL && generation_drain_room_due(m) == 0;
}

/* True when a reload has to wait until an old generation has ended. */
static bool postpone(struct master *m)
{
	uint64_t due = generation_drain_room_due(m), now = clock_ms();

	if (due == 0)
		return false;
	if (!m->reload_again)
		log_notice("reload waits until an old generation has ended; at most %ju s",
			(uintmax_t)(due > now ? (due - now + 999) / 1000 : 0));
	m->reload_again = true;
	return true;
}

/* Newer settings take the place of those of a reload that waits. */
static void replace_next(struct master *m, struct settings *settings)
{
	if (settings == NULL) {
		log_errorx("reload refused: %s; the one to generation %u goes on", CANNOT_LOAD,
			m->next->number);
		return;
	}
	log_notice("reloading anew: generation %u was still %s", m->next->number,
		m->next->state == GENERATION_LOOKUP ? "looking up names" : "being watched");
	reload_withdraw(m);
	/* A generation that was watched has clients: it drains as a current one does. */
	if (postpone(m)) {
		settings_free(settings);
		announce_ready(m);
		return;
	}
	reload_begin(m, settings);
}

bool reload_resume(struct master *m)
{
	if (!m->reload_again || !reload_has_room(m) || m->phase != MASTER_RUNNING ||
		upgrade_phase_is_busy(&m->upgrade))
		return false;
	begin_again(m);
	return true;
}

void reload_request(struct master *m)
{
	struct settings *settings;

	if (m->phase != MASTER_RUNNING) {
		log_notice("reload ignored: tinylb is stopping");
		return;
	}
	if (m->next == NULL && postpone(m))
		return;
	if (upgrade_phase_is_busy(&m->upgrade) || (m->next != NULL && !is_waiting(m->next))) {
		m->reload_again = true;
		return;
	}
	log_info("reloading");
	notify_reloading();
	settings = m->options->load(m->options->context);
	if (m->next != NULL)
		replace_next(m, settings);
	else if (settings == NULL)
		refuse(m, "refused", CANNOT_LOAD);
	else
		reload_begin(m, settings);
}

void reload_resolved(struct master *m, bool success)
{
	if (m->next == NULL || m->next->state != GENERATION_LOOKUP)
		return;
	if (!success && m->current != NULL) {
		reload_fail(m, "the process that looks up names has failed");
		return;
	}
	/* Better to serve with those that were found than not at all. */
	if (!success)
		log_warnx("not all names could be looked up");
	start_workers(m->next);
}

void reload_overdue(struct master *m)
{
	char why[128];

	assert(m->next != NULL);
	if (m->next->state == GENERATION_LOOKUP && m->current == NULL) {
		/* Better to serve with those that were found than not at all. */
		log_warnx("looking up names takes too long: going on with those that were found");
		generation_drain_begin(m, m->next);
		start_workers(m->next);
		return;
	}
	snprintf(why, sizeof why, "%s after %u s",
		m->next->state == GENERATION_LOOKUP ? "names were still being looked up"
						    : "not every worker was ready",
		(unsigned)CHILD_START_TIMEOUT_MS / 1000);
	reload_fail(m, why);
}

/* Sockets of addresses that are gone stay in escrow until the old workers have ended: a reload may
 * bring the addresses back. */
static void settle_sockets(struct master *m, const struct generation *old)
{
	const struct settings *s = old != NULL ? old->settings : m->current->settings;
	uint64_t end = clock_ms() + worker_grace(s);

	escrow_settle(&m->escrow, m->current->settings, end - worker_shut(s), end + KEEP_GONE_MS);
}

/* Every worker of the next generation is ready: it becomes the current one. */
static void commit(struct master *m)
{
	struct generation *old = m->current;

	assert(m->next->spawned == m->next->workers);
	m->current = m->next;
	m->next = NULL;
	generation_set_state(m->current, GENERATION_CURRENT);
	settle_sockets(m, old);
	monitor_child_keep(m);
	if (old == NULL) {
		announce_start(m);
	} else {
		generation_set_state(old, GENERATION_DRAINING);
		list_append(&m->past, &old->link);
		messages_read_starting(m, old);
		generation_drain_begin(m, old);
		announce_reload(m, old);
	}
	upgrade_phase_prove(&m->upgrade);
	fdstore_sync(&m->fdstore, &m->escrow);
	announce_ready(m);
	begin_again(m);
}

bool reload_advance(struct master *m)
{
	struct generation *g = m->next;
	char why[128];

	if (g == NULL || g->state != GENERATION_STARTING || child_is_any_starting(&m->children, g))
		return false;
	/* One worker after the other: sockets join the kernel's group in the order of their slots,
	 * and a reason why none can start is logged once. */
	if (canary_begin(m))
		return false;
	if (g->spawned == g->workers) {
		commit(m);
	} else if (spawn_worker(m, g, g->spawned) == 0) {
		g->spawned++;
	} else {
		snprintf(why, sizeof why, "cannot start a process: %s", strerror(errno));
		reload_fail(m, why);
	}
	return true;
}
