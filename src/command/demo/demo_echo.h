/* What a backend of the demo answers: its name and the request as it came. */
#ifndef TINYLB_COMMAND_DEMO_ECHO_H
#define TINYLB_COMMAND_DEMO_ECHO_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* A body up to this is echoed, of a larger one only its length. */
#define ECHO_BODY_MAX (16 * 1024)

struct echo {
	struct evbuffer *text; /* what to answer; owned */
	struct evbuffer *body; /* of the request so far, while it is small; owned */
	uint64_t body_len;     /* so far */
};

/* 0, or -1 without memory; then echo_fini may still be called. */
int demo_echo_init(struct echo *echo) __attribute__((warn_unused_result));
void demo_echo_fini(struct echo *echo);

/* A request begins, and its body goes on and ends, and some trailers follow: in this order. */
void demo_echo_begin(struct echo *echo, unsigned port, struct slice head);
void demo_echo_add_body(struct echo *echo, struct slice content);
void demo_echo_end_body(struct echo *echo);
void demo_echo_add_trailers(struct echo *echo, struct slice section);

/* Writes the whole response. `connection` is for the field of this name and may be NULL. */
void demo_echo_send(
	struct echo *echo, struct evbuffer *out, const char *connection, bool with_body);

#endif
