/* What `tinylb selftest` does to the balancer, one after the other. */
#ifndef TINYLB_COMMAND_SELFTEST_STEPS_H
#define TINYLB_COMMAND_SELFTEST_STEPS_H

#include "selftest_trial.h"

struct selftest_step {
	const char *name;
	unsigned share; /* of the whole time */
	/* Goes on for about `ms`, says what it did, and fails where it could not do it. */
	void (*run)(struct trial *t, uint64_t ms);
};

#define SELFTEST_STEPS 7

extern const struct selftest_step selftest_steps[SELFTEST_STEPS];

#endif
