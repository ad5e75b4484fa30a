/*
 * The process: its loop, what the master orders, and the alarms of workers. Without a check or a
 * look-up to do it sleeps until a worker has seen a failure.
 */
#include "config.h"

#include "monitor/monitor.h"

#include <signal.h>

#include "base/channel.h"
#include "base/fd.h"
#include "base/log.h"
#include "confine.h"
#include "names.h"
#include "targets.h"
#include "watch.h"

/* After alarms were heard, so long none are: a storm of them is one look. */
#define REST_US 20000

/* With more targets than that, the next due time is not searched each time something was due, but
 * when nothing else has been due for a while. */
#define MANY_TARGETS 1000
#define SEARCH_US    UINT64_C(1000000)

struct monitor {
	const struct monitor_start *start;
	struct watch watch;
	struct targets targets;
	struct names names;
	struct event told;   /* the master sent a message */
	struct event alarm;  /* a worker called an alarm */
	struct event rest;   /* until alarms are heard again */
	struct event search; /* for the next due time, where there are many targets */
	uint32_t published;  /* health words set when the board was last published */
};

static void search_due(const struct monitor *m)
{
	watch_set_due(&m->watch, watch_earlier(names_due(&m->names), targets_due(&m->targets)));
}

/* What was due is done: sets the next due time. Where that takes long to find, the search itself is
 * the next work, so that the master does not take it for a hang. */
static void renew_due(struct monitor *m)
{
	static const struct timeval later = { .tv_sec = SEARCH_US / 1000000 };
	uint64_t now = m->watch.loop.now_us, due = watch_due(&m->watch);

	if (due == 0 || due > now)
		return;
	if (m->targets.group.count > MANY_TARGETS && event_add(&m->search, &later) == 0)
		watch_set_due(&m->watch, now + SEARCH_US);
	else
		search_due(m);
}

static void search_cb(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *m = arg;

	(void)what;
	loop_begin(&m->watch.loop, PULSE_DEADLINES, fd);
	search_due(m);
}

static void obey(const struct message *message, int fd)
{
	if (message->type == MESSAGE_REOPEN_LOG && fd != -1)
		log_take_fd(fd);
	else
		fd_close(&fd);
}

static void told_cb(evutil_socket_t channel, short what, void *arg)
{
	struct monitor *m = arg;
	struct message message;
	enum channel_result result;
	int fd;

	(void)what;
	loop_begin(&m->watch.loop, PULSE_ORDERS, -1);
	while ((result = channel_receive(channel, &message, &fd)) == CHANNEL_MESSAGE)
		obey(&message, fd);
	/* Without a master nothing would replace this process, or stop it. */
	if (result == CHANNEL_CLOSED)
		loop_stop(&m->watch.loop);
}

static void listen_again(struct monitor *m)
{
	if (event_add(&m->alarm, NULL) == -1)
		log_warnx("no memory to hear of failures");
}

static void alarm_cb(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval rest = { .tv_usec = REST_US };
	struct monitor *m = arg;

	(void)what;
	loop_begin(&m->watch.loop, PULSE_REQUEST, fd);
	targets_hear(&m->targets);
	/* Without memory for the timer alarms are heard at once. */
	if (event_add(&m->rest, &rest) == -1)
		listen_again(m);
}

static void rest_cb(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *m = arg;

	(void)what;
	loop_begin(&m->watch.loop, PULSE_DEADLINES, fd);
	listen_again(m);
}

/* A terminal sends ^C to every process; the master decides what it means. TERM ends the monitor,
 * which has nothing to finish. */
static void settle_signals(void)
{
	static const int ignored[] = { SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE };
	sigset_t none;

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		(void)signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int add_events(struct monitor *m)
{
	struct event_base *base = m->watch.loop.base;
	int alarm = rows_alarm_fd(m->start->rows);

	if (event_assign(&m->told, base, m->start->channel, EV_READ | EV_PERSIST, told_cb, m) ==
			-1 ||
		event_assign(&m->alarm, base, alarm, EV_READ, alarm_cb, m) == -1 ||
		evtimer_assign(&m->rest, base, rest_cb, m) == -1 ||
		evtimer_assign(&m->search, base, search_cb, m) == -1)
		return -1;
	return event_add(&m->told, NULL) == -1 ? -1 : event_add(&m->alarm, NULL);
}

static void run(struct monitor *m)
{
	do {
		if (m->watch.changes != m->published)
			rows_publish(m->start->rows);
		m->published = m->watch.changes;
		renew_due(m);
	} while (!m->watch.loop.stopped && loop_turn(&m->watch.loop, true));
}

static int set_up(struct monitor *m)
{
	if (targets_init(&m->targets, &m->watch, m->start->settings) == -1 ||
		names_init(&m->names, &m->watch, m->start->settings, &m->targets) == -1)
		return -1;
	return add_events(m);
}

static void take_down(struct monitor *m)
{
	names_fini(&m->names);
	targets_fini(&m->targets);
	event_del(&m->told);
	event_del(&m->alarm);
	event_del(&m->rest);
	event_del(&m->search);
	loop_fini(&m->watch.loop);
}

int monitor_run(const struct monitor_start *start)
{
	struct monitor m = {
		.start = start,
		.watch = { .rows = start->rows, .due_us = &start->life->due_us },
	};

	settle_signals();
	fd_raise_limit();
	rng_seed(&m.watch.rng, start->seed, 0, 0, 0);
	if (loop_init(&m.watch.loop) == -1) {
		log_error("cannot start");
		return MONITOR_EXIT_START;
	}
	loop_show(&m.watch.loop, &start->life->pulse);
	if (set_up(&m) == -1) {
		log_errorx("cannot start: out of memory");
		return MONITOR_EXIT_START;
	}
	if (start->settings->sandbox && !confine_enter())
		log_debug("the monitor has no filter of system calls");
	targets_hear(&m.targets);
	run(&m);
	take_down(&m);
	return 0;
}
