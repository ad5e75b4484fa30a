/* One run of `tinylb selftest`: the scene, the load, and the step that is under way. */
#ifndef TINYLB_COMMAND_SELFTEST_TRIAL_H
#define TINYLB_COMMAND_SELFTEST_TRIAL_H

#include "selftest_load.h"
#include "selftest_options.h"
#include "selftest_proc.h"
#include "selftest_scene.h"

#define TRIAL_TEXT_SIZE 200

struct trial {
	const struct selftest_options *options;
	struct scene scene;
	struct event_base *base;
	struct load *load;
	struct event *alarm;
	struct event *told;
	struct event *signals[4];
	struct rng rng;
	unsigned lost_count; /* that were told of */
	FILE *lost;          /* a file in the folder, with a line for each */
	bool interrupted;    /* by the user */
	bool has_ended;      /* the balancer: no step goes on after that but the last one */
	int end_code;        /* then, as in siginfo_t */
	int end_status;
	bool is_guess;         /* which connections a killed worker held could not be found out */
	unsigned ready_before; /* the last thing that the balancer was told */
	/* of the step under way */
	char did[TRIAL_TEXT_SIZE];
	char why[TRIAL_TEXT_SIZE]; /* it failed; empty: it did not */
};

/* Sets up the loop, the signals and the load of a scene that was started. 0, or -1 and it was said
 * why; trial_fini must be called either way. */
int selftest_trial_init(struct trial *t) __attribute__((warn_unused_result));
void selftest_trial_fini(struct trial *t);

/* Lets the load go on for so long. False when there is nothing to go on with. */
bool selftest_trial_turn(struct trial *t, uint64_t ms);

/* Lets it go on until is_done(t). False where that does not come in time. */
bool selftest_trial_turn_until(struct trial *t, bool (*is_done)(struct trial *t), uint64_t ms);

bool selftest_trial_is_over(const struct trial *t);

/* Lets the load go on whatever has happened. */
void selftest_trial_linger(struct trial *t, uint64_t ms);

/* What the step did, for the user. */
void selftest_trial_say(struct trial *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The step did not do what it was to do. The first reason stays. */
void selftest_trial_fail(struct trial *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "was killed by SIGSEGV": how the balancer ended. */
const char *selftest_trial_describe_end(const struct trial *t, char out[TRIAL_TEXT_SIZE]);

#endif
