/*
 * The master's loop: one ppoll over a signalfd and the channels of the children, with the time
 * until something is due. All that the master does is called from here, one after the other.
 * Nothing blocks but that ppoll.
 */
#include "config.h"

#include "master/master.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/title.h"
#include "logs.h"
#include "master/children/monitor_child.h"
#include "master/children/stand_in.h"
#include "master/generations/generation_drain.h"
#include "master/generations/reload.h"
#include "master/sockets/fdstore_take.h"
#include "master/upgrade/takeover.h"
#include "master/upgrade/upgrade.h"
#include "master_state.h"
#include "messages.h"
#include "shutdown.h"
#include "signals.h"
#include "supervise.h"

static void handle_signal(struct master *m, int number)
{
	switch (number) {
	case SIGCHLD:
		supervise_reap(m);
		break;
	case SIGHUP:
		reload_request(m);
		break;
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
		shutdown_request(m);
		break;
	case SIGUSR1:
		logs_reopen(m);
		break;
	case SIGUSR2:
		upgrade_request(m);
		break;
	default:
		log_info("signal %d is ignored", number);
		break;
	}
}

/* The array to poll: the signalfd, and the channel of each child (-1, which poll skips, where it is
 * closed). NULL for lack of memory. */
static struct pollfd *make_poll_set(const struct master *m, nfds_t *count)
{
	struct pollfd *set;
	nfds_t n = 1;

	for (struct list *l = m->children.next; l != &m->children; l = l->next)
		n++;
	set = mem_zalloc(n, sizeof *set);
	if (set == NULL)
		return NULL;
	*count = n;
	set[0] = (struct pollfd){ .fd = m->signals, .events = POLLIN };
	n = 1;
	for (struct list *l = m->children.next; l != &m->children; l = l->next)
		set[n++] = (struct pollfd){ .fd = LIST_ITEM(l, struct child, link)->channel,
			.events = POLLIN };
	return set;
}

static void wait_for_events(const struct master *m, struct pollfd *set, nfds_t count)
{
	uint64_t due = supervise_next_due(m), now = clock_ms();
	uint64_t ms = due > now ? due - now : 0;
	struct timespec timeout = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	if (ppoll(set, count, due == UINT64_MAX ? NULL : &timeout, NULL) == -1 && errno != EINTR)
		log_error("ppoll");
}

/* One turn. Channels come before signals: a child's last words are read before its death. */
static void turn(struct master *m)
{
	nfds_t count = 0, i = 1;
	struct pollfd *set = make_poll_set(m, &count);
	int number;

	if (set == NULL) {
		/* Nothing is seen until there is memory again; the kernel keeps signals and deaths.
		 */
		log_error("cannot wait for events");
		usleep(100000);
		return;
	}
	wait_for_events(m, set, count);
	/* Reading removes no child, so that the array and the list stay in step. */
	for (struct list *l = m->children.next; l != &m->children; l = l->next)
		if (set[i++].revents != 0)
			messages_read(m, LIST_ITEM(l, struct child, link));
	mem_free(set);
	while ((number = signals_next(m->signals)) != 0)
		handle_signal(m, number);
	supervise_timers(m);
}

/* Everything that can fail before there is a generation. 0, or -1 and the log says why. */
static int prepare(struct master *m, const struct settings *settings)
{
	const struct master_options *o = m->options;
	char why[512];

	if (log_open(settings->log, (enum log_level)settings->log_level) == -1) {
		log_errorx("cannot start: cannot open the log %s: %s", settings->log,
			fd_explain_log(errno));
		return -1;
	}
	if (master_state_make_board(m) == -1 || rng_root_seed(&m->root_seed) == -1) {
		log_error("cannot start");
		return -1;
	}
	if (pidfile_open(&m->pidfile, o->pid_file != NULL ? o->pid_file : settings->pid_file, why,
		    sizeof why) == -1) {
		log_errorx("cannot start: %s", why);
		return -1;
	}
	return 0;
}

/* Begins the first generation of a program that starts. 0, or -1 and the log says why. */
static int begin(struct master *m)
{
	struct settings *settings = m->options->load(m->options->context);

	if (settings == NULL)
		return -1;
	if (prepare(m, settings) == -1) {
		settings_free(settings);
		return -1;
	}
	fdstore_take(&m->fdstore, &m->escrow, settings);
	reload_begin(m, settings);
	return 0;
}

/* What a program needs that starts, and one that takes over as well. 0, or -1 and the log says why.
 */
static int prepare_all(struct master *m)
{
	const char *file = m->options->file;
	uint64_t seed;

	title_set("master%s%s", file != NULL ? " " : "", file != NULL ? file : "");
	m->signals = signals_open();
	if (m->signals == -1 || rng_root_seed(&seed) == -1) {
		log_error("cannot start");
		return -1;
	}
	rng_seed(&m->jitter, seed, 0, 0, 0);
	fd_raise_limit();
	return 0;
}

static void run(struct master *m)
{
	for (;;) {
		do {
			while (reload_advance(m))
				;
			generation_drain_free(m);
		} while (upgrade_advance(m) || reload_resume(m));
		monitor_child_keep(m);
		/* A start that fails may leave no child to wait for: so this comes after it. */
		if (m->phase >= MASTER_STOPPING && list_is_empty(&m->children))
			break;
		turn(m);
	}
	if (m->exit_code == 0)
		log_notice("stopped");
}

static void fini(struct master *m)
{
	generation_drain_free(m);
	stand_in_fini(m);
	escrow_fini(&m->escrow);
	rows_free(m->rows);
	board_free(m->board);
	pidfile_close(&m->pidfile);
	upgrade_fini(m);
	fdstore_fini(&m->fdstore);
	daemon_fini(&m->daemon);
	fd_close(&m->signals);
}

int master_run(const struct master_options *options)
{
	bool takes_over = takeover_is_wanted();
	struct master m;
	int code;

	master_state_init(&m, options);
	fdstore_take_look(&m.fdstore);
	if (options->daemon && !takes_over && (code = daemon_start(&m.daemon)) != -1) {
		fdstore_fini(&m.fdstore);
		return code;
	}
	upgrade_init(&m);
	signals_block();
	log_set_role("master");
	log_set_echo(!takes_over);
	if (prepare_all(&m) == -1 || (takes_over ? takeover_begin(&m) : begin(&m)) == -1)
		m.exit_code = 1;
	else
		run(&m);
	log_set_echo(false);
	fini(&m);
	return m.exit_code;
}

bool master_is_taking_over(void)
{
	return takeover_is_wanted();
}

int master_trial(int state)
{
	return takeover_trial(state);
}
