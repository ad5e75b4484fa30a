/*
 * The requests of `tinylb selftest`: each is one of its kind, and so is the only answer that is
 * right for it. Bytes only, no sockets.
 */
#ifndef TINYLB_COMMAND_SELFTEST_PROBE_H
#define TINYLB_COMMAND_SELFTEST_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "http/response.h"

/* The most that a request with its filler takes. */
#define PROBE_MAX (16 * 1024)

struct probe {
	uint64_t token; /* unlike that of any other request */
	bool post;      /* the filler is a body, else a field of the head */
	bool close;     /* asks for the end of the connection after the answer */
	size_t filler;  /* bytes that come back; they follow from the token */
};

/* Makes up a request from random bits. */
struct probe selftest_probe_make(uint64_t token, uint64_t random, bool close);

void selftest_probe_write(struct text *out, const struct probe *probe);

enum verdict { VERDICT_MORE, VERDICT_RIGHT, VERDICT_WRONG };

struct judgement {
	bool keep_alive; /* of a right answer: the connection may be used again */
	const char *why; /* of a wrong one */
	int status;      /* 0: it was not read */
};

/*
 * Holds what came so far against what a backend of the demo answers to `probe`. A byte too many is
 * wrong as well. `scratch` is for parsing.
 */
enum verdict selftest_probe_judge(const struct probe *probe, struct slice answer,
	struct response *scratch, struct judgement *judgement) __attribute__((warn_unused_result));

#endif
