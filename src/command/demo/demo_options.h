/* The command line of `tinylb demo`. */
#ifndef TINYLB_COMMAND_DEMO_OPTIONS_H
#define TINYLB_COMMAND_DEMO_OPTIONS_H

#include <stdint.h>

#define DEMO_BACKENDS_MAX 16

struct demo_options {
	uint16_t port; /* of the balancer; 0 everywhere: the kernel chooses */
	uint16_t backends[DEMO_BACKENDS_MAX];
	int backend_count;
	uint32_t delay_ms;
};

enum demo_verdict { DEMO_RUN, DEMO_HELP, DEMO_USAGE };

/* Fills in the defaults and what the words say. The help and what is wrong are printed. */
enum demo_verdict demo_options_parse(struct demo_options *options, int argc, char **argv)
	__attribute__((warn_unused_result));

#endif
