/*
 * The small web server behind `tinylb demo`: it answers with its name and the request as it came,
 * so that one sees what the balancer made of it. Correct HTTP/1.1, but for a demonstration only.
 */
#ifndef TINYLB_COMMAND_DEMO_BACKEND_H
#define TINYLB_COMMAND_DEMO_BACKEND_H

#include <stdint.h>

struct demo_backend {
	int listener;      /* listening; the backend's from now on */
	int lifeline;      /* a pipe: its end of file ends the backend */
	uint16_t port;     /* its name */
	uint32_t delay_ms; /* how long it seems to work on a request, a quarter more or less */
};

/* Serves until the lifeline ends. Returns the exit code of the process it was given. */
int demo_backend_run(const struct demo_backend *start);

#endif
