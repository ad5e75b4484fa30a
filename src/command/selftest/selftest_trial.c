/*
 * The loop of the selftest: it turns for as long as a step says, and stops turning when the user or
 * the end of the balancer interrupts.
 */
#include "config.h"

#include "selftest_trial.h"

#include <assert.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "selftest_balancer.h"

/* How often a condition is looked at. */
#define LOOK_MS 10

static void alarm_cb(evutil_socket_t fd, short what, void *arg)
{
	struct trial *t = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(t->base);
}

static void told_cb(evutil_socket_t fd, short what, void *arg)
{
	struct trial *t = arg;

	(void)fd;
	(void)what;
	selftest_balancer_listen(&t->scene.balancer);
}

static void interrupt_cb(evutil_socket_t number, short what, void *arg)
{
	struct trial *t = arg;

	(void)number;
	(void)what;
	t->interrupted = true;
	event_base_loopbreak(t->base);
}

/* One of the servers: what is lost with it is no loss of the balancer's. */
static void look_for_servers(struct trial *t)
{
	for (int i = 0; i < SCENE_SERVERS; i++) {
		siginfo_t info = { 0 };

		if (waitid(P_PID, (id_t)t->scene.servers[i], &info, WEXITED | WNOHANG | WNOWAIT) ==
				0 &&
			info.si_pid == t->scene.servers[i])
			selftest_trial_fail(
				t, "somebody has ended the server on port %u", t->scene.ports[i]);
	}
}

static void child_cb(evutil_socket_t number, short what, void *arg)
{
	struct trial *t = arg;

	(void)number;
	(void)what;
	look_for_servers(t);
	if (t->has_ended ||
		!selftest_balancer_has_ended(&t->scene.balancer, &t->end_code, &t->end_status))
		return;
	t->has_ended = true;
	event_base_loopbreak(t->base);
}

static void lost(void *context, const char *text)
{
	struct trial *t = context;

	t->lost_count++;
	if (t->lost != NULL)
		(void)fprintf(t->lost, "%s\n", text);
}

static int watch_signals(struct trial *t)
{
	static const struct {
		int number;
		event_callback_fn cb;
	} handlers[] = { { SIGINT, interrupt_cb }, { SIGTERM, interrupt_cb },
		{ SIGHUP, interrupt_cb }, { SIGCHLD, child_cb } };

	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
		t->signals[i] = evsignal_new(t->base, handlers[i].number, handlers[i].cb, t);
		if (t->signals[i] == NULL || evsignal_add(t->signals[i], NULL) == -1)
			return -1;
	}
	/* Before its end could be heard of, it may have come. */
	child_cb(SIGCHLD, 0, t);
	return 0;
}

static int init_events(struct trial *t)
{
	t->base = event_base_new();
	if (t->base == NULL)
		return -1;
	t->alarm = evtimer_new(t->base, alarm_cb, t);
	t->told = event_new(t->base, t->scene.balancer.told, EV_READ | EV_PERSIST, told_cb, t);
	if (t->alarm == NULL || t->told == NULL || event_add(t->told, NULL) == -1)
		return -1;
	return watch_signals(t);
}

int selftest_trial_init(struct trial *t)
{
	struct load_start start = { .port = t->scene.balancer.port,
		.clients = t->options->connections,
		.lost = lost,
		.context = t };
	char path[PATH_MAX + 8];
	uint64_t seed;

	(void)snprintf(path, sizeof path, "%s/lost", t->scene.folder);
	t->lost = fopen(path, "we");
	if (t->lost == NULL || rng_root_seed(&seed) == -1 || init_events(t) == -1) {
		log_error("cannot begin");
		return -1;
	}
	rng_seed(&t->rng, seed, 0, 0, 0);
	rng_seed(&start.rng, seed, 1, 0, 0);
	start.base = t->base;
	t->load = selftest_load_new(&start);
	if (t->load == NULL) {
		log_errorx("out of memory");
		return -1;
	}
	return 0;
}

void selftest_trial_fini(struct trial *t)
{
	selftest_load_free(t->load);
	for (size_t i = 0; i < sizeof t->signals / sizeof *t->signals; i++)
		if (t->signals[i] != NULL)
			event_free(t->signals[i]);
	if (t->told != NULL)
		event_free(t->told);
	if (t->alarm != NULL)
		event_free(t->alarm);
	if (t->base != NULL) {
		/* What libevent frees late. */
		event_base_loop(t->base, EVLOOP_NONBLOCK);
		event_base_free(t->base);
	}
	if (t->lost != NULL)
		(void)fclose(t->lost);
}

bool selftest_trial_is_over(const struct trial *t)
{
	return t->interrupted || t->has_ended || t->why[0] != '\0';
}

void selftest_trial_linger(struct trial *t, uint64_t ms)
{
	const struct timeval alarm = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000 };

	if (event_add(t->alarm, &alarm) == 0)
		event_base_dispatch(t->base);
	event_del(t->alarm);
}

bool selftest_trial_turn(struct trial *t, uint64_t ms)
{
	if (!selftest_trial_is_over(t))
		selftest_trial_linger(t, ms);
	return !selftest_trial_is_over(t);
}

bool selftest_trial_turn_until(struct trial *t, bool (*is_done)(struct trial *t), uint64_t ms)
{
	uint64_t due = clock_ms() + ms;

	assert(is_done != NULL);
	while (!is_done(t))
		if (clock_ms() >= due || !selftest_trial_turn(t, LOOK_MS))
			return is_done(t);
	return true;
}

void selftest_trial_say(struct trial *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(t->did, sizeof t->did, format, args);
	va_end(args);
}

void selftest_trial_fail(struct trial *t, const char *format, ...)
{
	va_list args;

	if (t->why[0] != '\0')
		return;
	va_start(args, format);
	(void)vsnprintf(t->why, sizeof t->why, format, args);
	va_end(args);
}

const char *selftest_trial_describe_end(const struct trial *t, char out[TRIAL_TEXT_SIZE])
{
	if (t->end_code == CLD_EXITED)
		(void)snprintf(out, TRIAL_TEXT_SIZE, "ended with code %d", t->end_status);
	else
		(void)snprintf(out, TRIAL_TEXT_SIZE, "was killed by SIG%s",
			process_signal_name(t->end_status));
	return out;
}
