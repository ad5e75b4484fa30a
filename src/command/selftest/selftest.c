/* Runs the steps and tells what came of them: a line for each as it ends, and a table. */
#include "config.h"

#include "command/selftest.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "selftest_steps.h"

enum { EXIT_KEPT, EXIT_LOST, EXIT_USAGE };

/* Descriptors of a process beside those of connections. */
#define OTHER_FDS 64

/* The load goes on so long after a balancer that has died: what comes of it belongs to the answer.
 */
#define AFTERMATH_MS 1500

/* How many of those that were lost are told one by one. */
#define TOLD_MAX 5

struct report {
	struct tally_row rows[SELFTEST_STEPS];
	size_t count;
	unsigned failed; /* steps */
};

/* Each connection needs a descriptor here and two in a worker. */
static int check_limits(const struct selftest_options *options)
{
	size_t limit = fd_raise_limit();
	size_t needed = 2 * (size_t)options->connections + OTHER_FDS;

	if (limit >= needed)
		return 0;
	log_errorx("%d connections need %zu open files, and the limit is %zu: raise it (ulimit -n) "
		   "or give a smaller number of --connections",
		options->connections, needed, limit);
	return -1;
}

static int check_machine(void)
{
	if (selftest_proc_is_there())
		return 0;
	log_errorx("/proc does not tell which processes have which children and connections: "
		   "without it nothing can be proved here");
	return -1;
}

static void print_step(const struct trial *t, const struct selftest_step *step,
	const struct tally *tally, uint64_t ms)
{
	uint64_t lost = selftest_tally_lost(tally);

	printf("%-8s %5.1f s  %" PRIu64 " requests so far, ", step->name, (double)ms / 1000,
		selftest_tally_sent(tally));
	if (lost == 0)
		printf("none lost");
	else
		printf("%" PRIu64 " LOST", lost);
	if (t->did[0] != '\0')
		printf("; %s", t->did);
	if (t->why[0] != '\0')
		printf("; FAILED: %s", t->why);
	printf("\n");
	(void)fflush(stdout);
}

static void run_step(
	struct trial *t, struct report *report, const struct selftest_step *step, uint64_t ms)
{
	struct tally_row *row = &report->rows[report->count++];
	bool is_last = report->count == SELFTEST_STEPS;
	uint64_t began = clock_ms();
	char how[TRIAL_TEXT_SIZE];

	row->name = step->name;
	selftest_load_count_in(t->load, &row->tally);
	t->did[0] = t->why[0] = '\0';
	step->run(t, ms);
	if (t->has_ended && !is_last) {
		selftest_trial_fail(t, "the balancer %s", selftest_trial_describe_end(t, how));
		selftest_trial_linger(t, AFTERMATH_MS);
	}
	if (row->tally.counts[OUTCOME_RIGHT] == 0 && !t->interrupted)
		selftest_trial_fail(t, "no request was answered");
	print_step(t, step, &row->tally, clock_ms() - began);
	report->failed += t->why[0] != '\0';
}

static void run_steps(struct trial *t, struct report *report)
{
	unsigned shares = 0;

	for (size_t i = 0; i < SELFTEST_STEPS; i++)
		shares += selftest_steps[i].share;
	for (size_t i = 0; i < SELFTEST_STEPS && !t->interrupted && !t->has_ended; i++)
		run_step(t, report, &selftest_steps[i],
			(uint64_t)t->options->seconds * 1000 * selftest_steps[i].share / shares);
	/* What is under way where the steps have ended early is not counted. */
	selftest_load_finish(t->load);
}

/* Some of those that were lost, as they were written down. */
static void print_lost(struct trial *t)
{
	char line[300];
	unsigned count = 0;

	if (t->lost_count == 0 || fflush(t->lost) != 0)
		return;
	t->lost = freopen(NULL, "re", t->lost);
	printf("\n");
	while (t->lost != NULL && count < TOLD_MAX && fgets(line, sizeof line, t->lost) != NULL) {
		printf("lost: %s", line);
		count++;
	}
	if (t->lost_count > count)
		printf("lost: %u more\n", t->lost_count - count);
}

static void print_foot(const struct trial *t, const struct tally *all)
{
	printf("\nkilled: the connection was held by a worker at the moment it was killed");
	if (t->is_guess)
		printf(", or may have\nbeen: which ones it held could not be read on this machine");
	printf(". Nothing can save such a\nrequest; every other one has to be answered.\n");
	if (all->counts[OUTCOME_AWAY] > 0)
		printf("%" PRIu64 " connections that were begun after the balancer had been told "
		       "to stop were turned\naway, as they have to be.\n",
			all->counts[OUTCOME_AWAY]);
}

/* Returns true where all is well. */
static bool print_report(struct trial *t, const struct report *report)
{
	struct tally all = { 0 };
	bool is_whole = report->count == SELFTEST_STEPS && !t->interrupted;

	for (size_t i = 0; i < report->count; i++)
		for (int k = 0; k < OUTCOME_COUNT; k++)
			all.counts[k] += report->rows[i].tally.counts[k];
	printf("\n");
	selftest_tally_write(stdout, report->rows, report->count);
	print_foot(t, &all);
	print_lost(t);
	if (selftest_tally_lost(&all) > 0)
		printf("\n%" PRIu64 " of %" PRIu64 " requests were lost.\n",
			selftest_tally_lost(&all), selftest_tally_sent(&all));
	else if (report->failed > 0)
		printf("\nNo request was lost, but not everything happened as it had to.\n");
	else if (is_whole)
		printf("\nNothing was lost.\n");
	if (t->interrupted)
		printf("Interrupted: the rest was not tried.\n");
	return is_whole && selftest_tally_lost(&all) == 0 && report->failed == 0;
}

static bool run(struct trial *t)
{
	static struct report report; /* requests count in it until the end */

	if (selftest_trial_init(t) == -1)
		return false;
	printf("tinylb %s on 127.0.0.1:%u, workers: %d, connections at a time: %d, small servers: "
	       "%d, seconds: about %d\n\n",
		PACKAGE_VERSION, t->scene.balancer.port, t->options->workers,
		t->options->connections, SCENE_SERVERS, t->options->seconds);
	(void)fflush(stdout);
	run_steps(t, &report);
	return print_report(t, &report);
}

int command_selftest(int argc, char **argv)
{
	static struct trial trial;
	struct selftest_options options;
	bool is_started, is_fine, keep;

	log_set_form(LOG_FORM_PLAIN);
	switch (selftest_options_parse(&options, argc, argv)) {
	case SELFTEST_HELP:
		return EXIT_KEPT;
	case SELFTEST_USAGE:
		return EXIT_USAGE;
	case SELFTEST_RUN:
		break;
	}
	if (check_machine() == -1 || check_limits(&options) == -1)
		return EXIT_LOST;
	(void)signal(SIGPIPE, SIG_IGN);
	trial.options = &options;
	is_started = selftest_scene_start(&trial.scene, options.workers) == 0;
	is_fine = is_started && run(&trial);
	/* The folder tells what was lost, and why. */
	keep = options.keep || (is_started && !is_fine && !trial.interrupted);
	selftest_trial_fini(&trial);
	selftest_scene_end(&trial.scene, keep);
	if (keep && trial.scene.folder[0] != '\0')
		printf("The log and the settings are in %s\n", trial.scene.folder);
	(void)fflush(stdout);
	return is_fine ? EXIT_KEPT : EXIT_LOST;
}
