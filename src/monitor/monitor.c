/*
 * The process: its loop, what the master says, and the alarms of workers. Without anything to check
 * or to look up it sleeps until a worker has seen a failure.
 */
#include "config.h"

#include "monitor/monitor.h"

#include <signal.h>

#include "base/channel.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "confine.h"
#include "watch.h"

/* Alarms are heard at once, and then not for so long: a storm of them is one look. */
#define REST_US 20000

/* Who has more targets does not look through all of them each time something was due, but when
 * nothing else has been for a while. */
#define MANY_TARGETS 1000
#define SEARCH_US    UINT64_C(1000000)

bool monitor_may_eject(const struct monitor *m, const struct pool_settings *pool)
{
	size_t count = 0, ejected = 0;

	for (size_t i = 0; i < m->target_count; i++) {
		const struct target *w = &m->targets[i];

		if (w->pool != pool)
			continue;
		count += target_counts(w);
		ejected += target_is_ejected(w);
	}
	return ejected < eject_most(&pool->eject, count);
}

struct target *monitor_target(const struct monitor *m, uint32_t row)
{
	return row < rows_size(m->start->rows) ? m->of_row[row] : NULL;
}

static uint64_t due_of(const struct monitor *m)
{
	return atomic_load_explicit(&m->start->life->due_us, memory_order_relaxed);
}

static void set_due(const struct monitor *m, uint64_t due_us)
{
	atomic_store_explicit(&m->start->life->due_us, due_us, memory_order_relaxed);
}

void monitor_note_due(struct monitor *m, uint64_t due_us)
{
	uint64_t present = due_of(m);

	if (due_us != 0 && (present == 0 || due_us < present))
		set_due(m, due_us);
}

static void search_due(const struct monitor *m)
{
	uint64_t due = names_due(&m->names);

	for (size_t i = 0; i < m->target_count; i++) {
		uint64_t next = target_due(&m->targets[i]);

		if (next != 0 && (due == 0 || next < due))
			due = next;
	}
	set_due(m, due);
}

/* What was due is done: what is next? Where that takes long to find out, to do so is: the master
 * takes it for a sign of life. */
static void renew_due(struct monitor *m)
{
	static const struct timeval later = { .tv_sec = SEARCH_US / 1000000 };

	if (due_of(m) == 0 || due_of(m) > m->loop.now_us)
		return;
	if (m->target_count > MANY_TARGETS && event_add(&m->search, &later) == 0)
		set_due(m, m->loop.now_us + SEARCH_US);
	else
		search_due(m);
}

static void search_cb(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *m = arg;

	(void)what;
	loop_begin(&m->loop, PULSE_DEADLINES, fd);
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
	loop_begin(&m->loop, PULSE_ORDERS, -1);
	while ((result = channel_receive(channel, &message, &fd)) == CHANNEL_MESSAGE)
		obey(&message, fd);
	/* Nobody would replace it, or tell it to stop. */
	if (result == CHANNEL_CLOSED)
		loop_stop(&m->loop);
}

static void hear_all(struct monitor *m)
{
	for (size_t i = 0; i < m->target_count; i++)
		target_alarm(&m->targets[i]);
}

/* Of one worker. */
static void hear(struct monitor *m, uint32_t column)
{
	struct rows_alarms *alarms = rows_alarms(m->start->rows, column);
	uint32_t count = atomic_load_explicit(&alarms->count, memory_order_acquire);
	uint32_t news = count - m->alarms[column];

	m->alarms[column] = count;
	if (news > ROWS_ALARMS) {
		hear_all(m);
		return;
	}
	for (; news > 0; news--) {
		uint32_t row = atomic_load_explicit(
			&alarms->rows[(count - news) % ROWS_ALARMS], memory_order_relaxed);

		if (monitor_target(m, row) != NULL)
			target_alarm(monitor_target(m, row));
	}
}

static void hear_workers(struct monitor *m)
{
	rows_hear(m->start->rows);
	for (uint32_t i = 0; i < rows_columns_used(m->start->rows); i++)
		hear(m, i);
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
	loop_begin(&m->loop, PULSE_REQUEST, fd);
	hear_workers(m);
	/* Without memory there is no rest. */
	if (event_add(&m->rest, &rest) == -1)
		listen_again(m);
}

static void rested_cb(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *m = arg;

	(void)what;
	loop_begin(&m->loop, PULSE_DEADLINES, fd);
	listen_again(m);
}

/* A terminal's ^C goes to every process: what it means is for the master to decide. It has nothing
 * to finish, so that TERM may end it as it is. */
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
	struct event_base *base = m->loop.base;
	int alarm = rows_alarm_fd(m->start->rows);

	if (event_assign(&m->told, base, m->start->channel, EV_READ | EV_PERSIST, told_cb, m) ==
			-1 ||
		event_assign(&m->alarm, base, alarm, EV_READ, alarm_cb, m) == -1 ||
		evtimer_assign(&m->rest, base, rested_cb, m) == -1 ||
		evtimer_assign(&m->search, base, search_cb, m) == -1)
		return -1;
	return event_add(&m->told, NULL) == -1 ? -1 : event_add(&m->alarm, NULL);
}

static size_t count_backends(const struct settings *settings)
{
	size_t count = 0;

	for (size_t i = 0; i < settings->pool_count; i++)
		count += settings->pools[i].backend_count;
	return count;
}

/* One for each row: what a pool has twice is one backend. */
static int add_targets(struct monitor *m, const struct pool_settings *pool)
{
	for (size_t i = 0; i < pool->backend_count; i++) {
		const struct backend_settings *backend = &pool->backends[i];
		struct target *w = &m->targets[m->target_count];

		if (backend->row >= rows_size(m->start->rows) || m->of_row[backend->row] != NULL)
			continue;
		m->of_row[backend->row] = w;
		m->target_count++;
		if (target_init(w, m, pool, backend) == -1)
			return -1;
	}
	return 0;
}

static int make_targets(struct monitor *m)
{
	const struct settings *settings = m->start->settings;
	struct rows *rows = m->start->rows;

	m->targets = mem_zalloc(count_backends(settings), sizeof *m->targets);
	m->of_row = mem_zalloc(rows_size(rows), sizeof(struct target *));
	m->alarms = mem_zalloc(rows_columns(rows), sizeof *m->alarms);
	if (m->targets == NULL || m->of_row == NULL || m->alarms == NULL)
		return -1;
	/* What workers called before there was a monitor, or while there was none, is heard. */
	for (uint32_t i = 0; i < rows_columns(rows); i++) {
		uint32_t count =
			atomic_load_explicit(&rows_alarms(rows, i)->count, memory_order_relaxed);

		m->alarms[i] = count > ROWS_ALARMS ? count - ROWS_ALARMS : 0;
	}
	for (size_t i = 0; i < settings->pool_count; i++)
		if (add_targets(m, &settings->pools[i]) == -1)
			return -1;
	return 0;
}

static void run(struct monitor *m)
{
	do {
		if (m->changes != m->published)
			rows_publish(m->start->rows);
		m->published = m->changes;
		renew_due(m);
	} while (!m->loop.stopped && loop_turn(&m->loop, true));
}

static void take_down(struct monitor *m)
{
	names_fini(&m->names);
	for (size_t i = 0; i < m->target_count; i++)
		target_fini(&m->targets[i]);
	event_del(&m->told);
	event_del(&m->alarm);
	event_del(&m->rest);
	event_del(&m->search);
	loop_fini(&m->loop);
	mem_free(m->targets);
	mem_free(m->of_row);
	mem_free(m->alarms);
}

int monitor_run(const struct monitor_start *start)
{
	struct monitor m = { .start = start };

	settle_signals();
	fd_raise_limit();
	rng_seed(&m.rng, start->seed, 0, 0, 0);
	if (loop_init(&m.loop) == -1) {
		log_error("cannot start");
		return MONITOR_EXIT_START;
	}
	loop_show(&m.loop, &start->life->pulse);
	if (make_targets(&m) == -1 || names_init(&m.names, &m) == -1 || add_events(&m) == -1) {
		log_errorx("cannot start: out of memory");
		return MONITOR_EXIT_START;
	}
	if (start->settings->sandbox && !confine_enter())
		log_debug("the monitor has no filter of system calls");
	hear_workers(&m);
	run(&m);
	take_down(&m);
	return 0;
}
