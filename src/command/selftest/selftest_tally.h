/* What became of the requests of `tinylb selftest`, and the table of it. Pure. */
#ifndef TINYLB_COMMAND_SELFTEST_TALLY_H
#define TINYLB_COMMAND_SELFTEST_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum outcome {
	OUTCOME_RIGHT,   /* answered, and every byte of the answer was as it had to be */
	OUTCOME_REFUSED, /* no connection */
	OUTCOME_RESET,   /* the connection ended before the answer began */
	OUTCOME_CUT,     /* it ended within the answer */
	OUTCOME_WRONG,   /* another answer: an error, or bytes that belong to another request */
	OUTCOME_LATE,    /* no whole answer in time */
	OUTCOME_KILLED,  /* its connection was held by a worker at the moment it was killed */
	OUTCOME_AWAY,    /* turned away by a balancer that had been told to stop */
	OUTCOME_COUNT
};

enum ending { ENDING_ANSWERED, ENDING_REFUSED, ENDING_CLOSED, ENDING_LATE };

/* What is known of a request when it is over. */
struct fate {
	enum ending how;
	bool right;      /* of ENDING_ANSWERED */
	bool began;      /* some of the answer came */
	bool was_killed; /* a worker that held the connection was killed */
	bool was_warned; /* the connection was begun after the balancer had been told to stop */
};

enum outcome selftest_tally_outcome(const struct fate *fate);

/* As a sentence goes on: "was refused". */
const char *selftest_tally_text(enum outcome outcome);

/* Of the requests that were sent during one step. */
struct tally {
	uint64_t counts[OUTCOME_COUNT];
	uint64_t slowest_us; /* of the right answers */
};

void selftest_tally_add(struct tally *tally, enum outcome outcome, uint64_t took_us);

/* Requests that came to an end, those that were turned away not among them. */
uint64_t selftest_tally_sent(const struct tally *tally);

/* Requests that must not have been lost. */
uint64_t selftest_tally_lost(const struct tally *tally);

struct tally_row {
	const char *name;
	struct tally tally;
};

/* Writes the table with a line for each row and one for all. */
void selftest_tally_write(FILE *out, const struct tally_row *rows, size_t count);

#endif
