/*
 * Judges what became of a request and counts it. The rules are here and nowhere else: of the
 * requests that were sent, only those on a worker that was killed may be lost.
 */
#include "config.h"

#include "selftest_tally.h"

#include <assert.h>
#include <inttypes.h>

enum outcome selftest_tally_outcome(const struct fate *fate)
{
	switch (fate->how) {
	case ENDING_ANSWERED:
		return fate->right ? OUTCOME_RIGHT : OUTCOME_WRONG;
	case ENDING_LATE:
		/* Also on a killed worker: the kernel closes what a dead process had. */
		return OUTCOME_LATE;
	case ENDING_REFUSED:
		return fate->was_warned ? OUTCOME_AWAY : OUTCOME_REFUSED;
	case ENDING_CLOSED:
		break;
	}
	if (fate->was_killed)
		return OUTCOME_KILLED;
	if (fate->began)
		return OUTCOME_CUT;
	return fate->was_warned ? OUTCOME_AWAY : OUTCOME_RESET;
}

const char *selftest_tally_text(enum outcome outcome)
{
	static const char *const texts[OUTCOME_COUNT] = {
		[OUTCOME_RIGHT] = "was answered",
		[OUTCOME_REFUSED] = "was refused a connection",
		[OUTCOME_RESET] = "lost its connection before an answer began",
		[OUTCOME_CUT] = "lost its connection within the answer",
		[OUTCOME_WRONG] = "got a wrong answer",
		[OUTCOME_LATE] = "had no whole answer in time",
		[OUTCOME_KILLED] = "was on a worker that was killed",
		[OUTCOME_AWAY] = "was turned away",
	};

	assert(outcome < OUTCOME_COUNT);
	return texts[outcome];
}

void selftest_tally_add(struct tally *tally, enum outcome outcome, uint64_t took_us)
{
	assert(outcome < OUTCOME_COUNT);
	tally->counts[outcome]++;
	if (outcome == OUTCOME_RIGHT && took_us > tally->slowest_us)
		tally->slowest_us = took_us;
}

uint64_t selftest_tally_sent(const struct tally *tally)
{
	uint64_t sent = 0;

	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (i != OUTCOME_AWAY)
			sent += tally->counts[i];
	return sent;
}

uint64_t selftest_tally_lost(const struct tally *tally)
{
	uint64_t fine = tally->counts[OUTCOME_RIGHT] + tally->counts[OUTCOME_KILLED];

	return selftest_tally_sent(tally) - fine;
}

static void write_row(FILE *out, const struct tally_row *row)
{
	const uint64_t *counts = row->tally.counts;

	(void)fprintf(out, "%-8s %8" PRIu64, row->name, selftest_tally_sent(&row->tally));
	for (int i = 0; i < OUTCOME_AWAY; i++)
		(void)fprintf(out, " %8" PRIu64, counts[i]);
	(void)fprintf(out, " %8" PRIu64 "\n", (row->tally.slowest_us + 999) / 1000);
}

void selftest_tally_write(FILE *out, const struct tally_row *rows, size_t count)
{
	struct tally_row all = { .name = "all" };

	(void)fprintf(out, "%-8s %8s %8s %8s %8s %8s %8s %8s %8s %8s\n", "step", "requests",
		"answered", "refused", "reset", "cut", "wrong", "late", "killed", "max ms");
	for (size_t i = 0; i < count; i++) {
		const struct tally *tally = &rows[i].tally;

		write_row(out, &rows[i]);
		for (int k = 0; k < OUTCOME_COUNT; k++)
			all.tally.counts[k] += tally->counts[k];
		if (tally->slowest_us > all.tally.slowest_us)
			all.tally.slowest_us = tally->slowest_us;
	}
	write_row(out, &all);
}
