/*
 * The steps. Each does to the balancer what an administrator or an accident could do, makes sure
 * that it has happened, and leaves a balancer with all its workers to the next.
 */
#include "config.h"

#include "selftest_steps.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "net/address.h"
#include "selftest_balancer.h"

/* How long the balancer may take for what it is told. */
#define PATIENCE_MS 10000

/* Between two reloads, and two deaths. */
#define RELOAD_PAUSE_MS 100
#define KILL_PAUSE_MS   150

/* Each death makes the balancer wait longer before it starts the next worker in that place. */
#define KILLS_PER_WORKER 3

/* How long a worker is made to stand still: less than what the balancer would end it for. */
#define HANG_MS 1500

/* Before and after it. */
#define HANG_PAUSE_MS 200

#define CONNECTIONS_MAX 1024

static void run_quiet(struct trial *t, uint64_t ms)
{
	selftest_trial_say(t, "nothing happens");
	(void)selftest_trial_turn(t, ms);
}

static bool has_answered(struct trial *t)
{
	return t->scene.balancer.ready_count > t->ready_before;
}

/* Sends HUP and waits until the new generation serves. */
static bool reload(struct trial *t)
{
	uint64_t generation = t->scene.balancer.generation;

	t->ready_before = t->scene.balancer.ready_count;
	selftest_balancer_signal(&t->scene.balancer, SIGHUP);
	if (!selftest_trial_turn_until(t, has_answered, PATIENCE_MS)) {
		if (!selftest_trial_is_over(t))
			selftest_trial_fail(
				t, "it had not reloaded %d s after HUP", PATIENCE_MS / 1000);
		return false;
	}
	if (t->scene.balancer.generation == generation)
		selftest_trial_fail(t, "it refused to reload; its log says why");
	return t->scene.balancer.generation != generation;
}

static void run_reload(struct trial *t, uint64_t ms)
{
	uint64_t until = clock_ms() + ms;
	unsigned count = 0;

	do {
		if (!reload(t))
			return;
		selftest_trial_say(t, "reloads: %u", ++count);
	} while (selftest_trial_turn(t, RELOAD_PAUSE_MS) && clock_ms() < until);
}

/* Gives the balancer another number of workers. */
static bool resize(struct trial *t, int workers)
{
	if (selftest_scene_write_settings(&t->scene, workers) == -1) {
		selftest_trial_fail(t, "its settings could not be written");
		return false;
	}
	if (!reload(t))
		return false;
	if (t->scene.balancer.workers != (uint64_t)workers)
		selftest_trial_fail(t, "it has %ju workers, not %d",
			(uintmax_t)t->scene.balancer.workers, workers);
	return t->scene.balancer.workers == (uint64_t)workers;
}

static void run_resize(struct trial *t, uint64_t ms)
{
	static const int sizes[] = { 4, 1, 3, 8, 2 };
	const size_t count = sizeof sizes / sizeof *sizes;
	char buffer[TRIAL_TEXT_SIZE];
	struct text text = text_over(buffer, sizeof buffer);

	text_add_string(&text, "workers:");
	for (size_t i = 0; i <= count; i++) {
		int workers = i < count ? sizes[i] : t->options->workers;
		uint64_t began = clock_ms(), took;

		if (!resize(t, workers))
			return;
		text_format(&text, "%s %d", i > 0 ? "," : "", workers);
		selftest_trial_say(t, "%s", text_string(&text));
		took = clock_ms() - began;
		if (!selftest_trial_turn(t, took < ms / (count + 1) ? ms / (count + 1) - took : 0))
			return;
	}
}

/* The workers of the current generation. */
static size_t find_workers(
	const struct trial *t, struct proc_worker list[SELFTEST_WORKERS_MAX], uint64_t generation)
{
	struct proc_worker all[4 * SELFTEST_WORKERS_MAX];
	size_t count =
		selftest_proc_workers(t->scene.balancer.master, all, sizeof all / sizeof *all);
	size_t found = 0;

	for (size_t i = 0; i < count && found < SELFTEST_WORKERS_MAX; i++)
		if (all[i].generation == generation)
			list[found++] = all[i];
	return found;
}

static bool are_all_there(struct trial *t)
{
	struct proc_worker list[SELFTEST_WORKERS_MAX];

	return find_workers(t, list, t->scene.balancer.generation) == t->scene.balancer.workers;
}

/* One of them; 0: there is none at the moment. */
static pid_t choose_worker(struct trial *t)
{
	struct proc_worker list[SELFTEST_WORKERS_MAX];
	size_t count = find_workers(t, list, t->scene.balancer.generation);

	return count > 0 ? list[rng_below(&t->rng, (uint32_t)count)].pid : 0;
}

/* Makes a worker stand still and returns how many requests are under way on its connections; the
 * load hears of them where it is going to be killed. */
static size_t halt(struct trial *t, pid_t worker, bool to_be_killed)
{
	uint16_t ports[CONNECTIONS_MAX];
	ssize_t held;
	size_t pending = 0;

	assert(worker > 0);
	(void)kill(worker, SIGSTOP);
	selftest_proc_wait_stopped(worker);
	if (!to_be_killed)
		return 0;
	held = selftest_proc_held(worker, t->scene.balancer.port, ports, CONNECTIONS_MAX);
	if (held == -1) {
		t->is_guess = true;
		return selftest_load_expect_kill_of_any(t->load);
	}
	for (ssize_t i = 0; i < held; i++)
		pending += selftest_load_expect_kill(t->load, ports[i]);
	return pending;
}

/* It stands still before it is killed, so that what it holds then is known. */
static void run_kill(struct trial *t, uint64_t ms)
{
	uint64_t until = clock_ms() + ms;
	uint64_t most = KILLS_PER_WORKER * t->scene.balancer.workers;
	unsigned count = 0;
	size_t pending = 0;

	while (clock_ms() < until && selftest_trial_turn(t, KILL_PAUSE_MS)) {
		pid_t worker = count < most ? choose_worker(t) : 0;

		if (worker == 0)
			continue;
		pending += halt(t, worker, true);
		(void)kill(worker, SIGKILL);
		selftest_trial_say(
			t, "workers killed: %u, with %zu requests on them", ++count, pending);
	}
	if (count == 0 && !selftest_trial_is_over(t))
		selftest_trial_fail(t, "no worker was found to be killed");
	/* The clients are to hear of the last one before the next step. */
	(void)selftest_trial_turn(t, KILL_PAUSE_MS);
	if (!selftest_trial_turn_until(t, are_all_there, PATIENCE_MS) && !selftest_trial_is_over(t))
		selftest_trial_fail(t, "workers that were killed were not replaced");
}

static void run_hang(struct trial *t, uint64_t ms)
{
	uint64_t until = clock_ms() + ms;
	unsigned count = 0;

	do {
		pid_t worker = selftest_trial_turn(t, HANG_PAUSE_MS) ? choose_worker(t) : 0;

		if (worker == 0)
			break;
		(void)halt(t, worker, false);
		(void)selftest_trial_turn(t, HANG_MS);
		(void)kill(worker, SIGCONT);
		selftest_trial_say(t, "workers that stood still for %d ms: %u", HANG_MS, ++count);
	} while (selftest_trial_turn(t, HANG_PAUSE_MS) && clock_ms() + HANG_MS < until);
	if (count == 0 && !selftest_trial_is_over(t))
		selftest_trial_fail(t, "no worker was found to be halted");
}

/* True where none of `before` is among the workers that serve now. */
static bool are_replaced(const struct trial *t, const struct proc_worker *before, size_t count)
{
	struct proc_worker now[SELFTEST_WORKERS_MAX];
	size_t found = find_workers(t, now, t->scene.balancer.generation);

	for (size_t i = 0; i < found; i++)
		for (size_t k = 0; k < count; k++)
			if (now[i].pid == before[k].pid)
				return false;
	return found > 0;
}

/* USR2: the program takes its own place, with the same process id, which the end of the process
 * would show. It says that it is ready when workers of its own serve. */
static void run_upgrade(struct trial *t, uint64_t ms)
{
	struct proc_worker before[SELFTEST_WORKERS_MAX];
	uint64_t until = clock_ms() + ms;
	unsigned count = 0;

	do {
		size_t workers = find_workers(t, before, t->scene.balancer.generation);

		t->ready_before = t->scene.balancer.ready_count;
		selftest_balancer_signal(&t->scene.balancer, SIGUSR2);
		if (!selftest_trial_turn_until(t, has_answered, PATIENCE_MS)) {
			if (!selftest_trial_is_over(t))
				selftest_trial_fail(t, "it had not been replaced %d s after USR2",
					PATIENCE_MS / 1000);
			return;
		}
		if (!are_replaced(t, before, workers)) {
			selftest_trial_fail(
				t, "after USR2 the same workers serve; its log says why");
			return;
		}
		selftest_trial_say(t, "upgrades: %u", ++count);
	} while (selftest_trial_turn(t, RELOAD_PAUSE_MS) && clock_ms() < until);
}

static bool has_stopped(struct trial *t)
{
	return t->has_ended;
}

static bool has_load_ended(const struct trial *t)
{
	return selftest_load_pending(t->load) == 0;
}

/* 0: somebody listens, or an errno. */
static int try_port(uint16_t port)
{
	struct address a = { .len = sizeof a.u.in };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error = 0;

	a.u.in.sin_family = AF_INET;
	a.u.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.u.in.sin_port = htons(port);
	if (fd == -1 || connect(fd, &a.u.sa, a.len) == -1)
		error = errno;
	fd_close(&fd);
	return error;
}

/* TERM while requests are under way and clients go on coming. */
static void run_stop(struct trial *t, uint64_t ms)
{
	char how[TRIAL_TEXT_SIZE];
	uint64_t began;

	if (!selftest_trial_turn(t, ms))
		return;
	selftest_load_expect_stop(t->load);
	began = clock_ms();
	selftest_balancer_signal(&t->scene.balancer, SIGTERM);
	if (!selftest_trial_turn_until(t, has_stopped, SCENE_DRAIN_MS + PATIENCE_MS)) {
		if (!selftest_trial_is_over(t))
			selftest_trial_fail(t, "it had not ended %d s after TERM",
				(SCENE_DRAIN_MS + PATIENCE_MS) / 1000);
		return;
	}
	selftest_trial_say(t, "ended with code %d %ju ms after TERM", t->end_status,
		(uintmax_t)(clock_ms() - began));
	/* The load hears of it now. */
	for (began = clock_ms(); !has_load_ended(t) && clock_ms() - began < PATIENCE_MS;)
		selftest_trial_linger(t, 10);
	if (t->end_code != CLD_EXITED || t->end_status != 0)
		selftest_trial_fail(t, "after TERM it %s", selftest_trial_describe_end(t, how));
	else if (!selftest_balancer_is_gone(&t->scene.balancer))
		selftest_trial_fail(t, "the master has ended before its workers");
	else if (try_port(t->scene.balancer.port) != ECONNREFUSED)
		selftest_trial_fail(t, "somebody still listens on its port");
}

const struct selftest_step selftest_steps[SELFTEST_STEPS] = {
	{ "quiet", 10, run_quiet },
	{ "reload", 18, run_reload },
	{ "resize", 24, run_resize },
	{ "kill", 22, run_kill },
	{ "hang", 20, run_hang },
	{ "upgrade", 12, run_upgrade },
	{ "stop", 6, run_stop },
};
