/* The command line of `tinylb selftest`. */
#ifndef TINYLB_COMMAND_SELFTEST_OPTIONS_H
#define TINYLB_COMMAND_SELFTEST_OPTIONS_H

#include <stdbool.h>

#define SELFTEST_WORKERS_MAX 64

struct selftest_options {
	int seconds;
	int workers;
	int connections;
	bool keep; /* the folder */
};

enum selftest_verdict { SELFTEST_RUN, SELFTEST_HELP, SELFTEST_USAGE };

/* Fills in the defaults and what the words say. The help and what is wrong are printed. */
enum selftest_verdict selftest_options_parse(struct selftest_options *options, int argc,
	char **argv) __attribute__((warn_unused_result));

#endif
