/*
 * Two rules. Failures in a row are failures between which no worker counted an answer: in which
 * order several workers saw them is not known. A backend that fails more than half of its requests
 * is found in a window of a second, which begins with a failure.
 */
#include "config.h"

#include "eject.h"

#include <assert.h>

#define WINDOW_US    UINT64_C(1000000)
#define WINDOW_LEAST 20

static uint64_t count_failures(
	const struct eject_settings *settings, const struct rows_tally *total)
{
	return total->counts[ROWS_CONNECT_FAILED] + total->counts[ROWS_CUT] +
	       total->counts[ROWS_TIMED_OUT] + total->counts[ROWS_BAD_RESPONSE] +
	       (settings->on_5xx ? total->counts[ROWS_5XX] : 0);
}

static uint64_t count_answers(const struct eject_settings *settings, const struct rows_tally *total)
{
	return total->counts[ROWS_RESPONSES] - (settings->on_5xx ? total->counts[ROWS_5XX] : 0);
}

static uint64_t count_requests(
	const struct eject_settings *settings, const struct rows_tally *total)
{
	return count_failures(settings, total) + count_answers(settings, total);
}

static void begin_window(struct eject *eject, uint64_t failures, uint64_t requests, uint64_t now_us)
{
	eject->window_failures = failures;
	eject->window_requests = requests;
	eject->window_us = now_us;
}

void eject_begin(
	struct eject *eject, const struct eject_settings *settings, const struct rows_tally *total)
{
	eject->seen_failures = count_failures(settings, total);
	eject->seen_answers = count_answers(settings, total);
	eject->in_a_row = 0;
	begin_window(eject, eject->seen_failures, count_requests(settings, total), 0);
}

static void count_in_a_row(
	struct eject *eject, const struct eject_settings *settings, const struct rows_tally *total)
{
	uint64_t failures = count_failures(settings, total);
	uint64_t answers = count_answers(settings, total);

	eject->grew = failures != eject->seen_failures;
	if (answers != eject->seen_answers)
		eject->in_a_row = 0;
	else
		eject->in_a_row += failures - eject->seen_failures;
	eject->seen_failures = failures;
	eject->seen_answers = answers;
}

/* True where more than half of the requests in the window have failed, and they were enough. */
static bool look_at_window(struct eject *eject, const struct eject_settings *settings,
	const struct rows_tally *total, uint64_t now_us, struct eject_cause *cause,
	uint64_t *again_us)
{
	uint64_t failures = count_failures(settings, total);
	uint64_t requests = count_requests(settings, total);
	bool is_open = eject->window_us != 0 && now_us - eject->window_us < 2 * WINDOW_US;

	if (!is_open && !eject->grew) {
		eject->window_us = 0;
		return false;
	}
	if (!is_open) {
		begin_window(eject, failures, requests, now_us);
		*again_us = now_us + WINDOW_US;
		return false;
	}
	cause->failures = failures - eject->window_failures;
	cause->requests = requests - eject->window_requests;
	if (now_us - eject->window_us < WINDOW_US) {
		*again_us = eject->window_us + WINDOW_US;
		return false;
	}
	if (cause->failures > 0 && cause->requests < WINDOW_LEAST) {
		/* The window stays open for more requests. */
		*again_us = now_us + WINDOW_US / 2;
		return false;
	}
	eject->window_us = 0;
	return cause->failures * 2 > cause->requests;
}

bool eject_look(struct eject *eject, const struct eject_settings *settings,
	const struct rows_tally *total, uint64_t now_us, struct eject_cause *cause,
	uint64_t *again_us)
{
	*cause = (struct eject_cause){ 0 };
	*again_us = 0;
	if (settings->failures == 0)
		return false;
	count_in_a_row(eject, settings, total);
	if (eject->in_a_row >= (uint64_t)settings->failures) {
		cause->in_a_row = eject->in_a_row;
		return true;
	}
	return look_at_window(eject, settings, total, now_us, cause, again_us);
}

uint64_t eject_start(struct eject *eject, const struct eject_settings *settings, uint64_t now_us)
{
	uint64_t ms = eject->next_ms;
	uint64_t well_ms = (now_us - eject->well_us) / 1000;

	/* Each time that it was well for so long halves it. */
	while (ms > settings->time && well_ms >= ms) {
		well_ms -= ms;
		ms /= 2;
	}
	if (ms < settings->time)
		ms = settings->time;
	if (ms > settings->time_max)
		ms = settings->time_max;
	assert(eject->until_us == 0);
	eject->until_us = now_us + ms * 1000;
	eject->next_ms = ms < settings->time_max / 2 ? 2 * ms : settings->time_max;
	return ms;
}

void eject_end(struct eject *eject, const struct eject_settings *settings,
	const struct rows_tally *total, uint64_t now_us)
{
	assert(eject->until_us != 0);
	eject->until_us = 0;
	eject->well_us = now_us;
	eject_begin(eject, settings, total);
}

size_t eject_most(const struct eject_settings *settings, size_t count)
{
	size_t most = count * (size_t)settings->most / 100;

	if (count < 2 || settings->most == 0)
		return 0;
	return most > 0 ? most : 1;
}

struct eject_kinds eject_kinds(const struct rows_tally *total)
{
	return (struct eject_kinds){
		.connect = total->counts[ROWS_CONNECT_FAILED],
		.cut = total->counts[ROWS_CUT],
		.timed_out = total->counts[ROWS_TIMED_OUT],
		.bad = total->counts[ROWS_BAD_RESPONSE],
		.status = total->counts[ROWS_5XX],
	};
}

const char *eject_main_kind(const struct eject_kinds *before, const struct eject_kinds *now)
{
	const struct {
		uint64_t count;
		const char *name;
	} kinds[] = {
		{ now->connect - before->connect, "no connection" },
		{ now->cut - before->cut, "closed before the end of an answer" },
		{ now->timed_out - before->timed_out, "no answer in time" },
		{ now->bad - before->bad, "an answer that is not HTTP" },
		{ now->status - before->status, "a status of 500 or more" },
	};
	size_t most = 0;

	for (size_t i = 1; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i].count > kinds[most].count)
			most = i;
	return kinds[most].name;
}
