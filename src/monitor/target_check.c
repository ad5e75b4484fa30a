/* Refusing is a fact of its own: it follows from one probe, not from `fall` checks. */
#include "config.h"

#include "target_check.h"

#include <assert.h>

#include "base/log.h"

/* A target that has just begun to refuse is probed at the fast interval for so long. */
#define REFUSED_NEWS_US UINT64_C(10000000)

/* The first check comes within this time. */
#define FIRST_CHECK_US UINT64_C(500000)

void target_check_plan_first(struct target_state *s, uint64_t random, uint64_t now_us)
{
	uint64_t within_us = s->pool->check.interval * 1000;

	if (within_us > FIRST_CHECK_US)
		within_us = FIRST_CHECK_US;
	if (!s->empty && s->refusing)
		s->probe_us = now_us;
	else if (!s->empty && target_state_is_checked(s))
		s->probe_us = now_us + random % within_us;
}

void target_check_plan(struct target_state *s, uint64_t random, uint64_t now_us)
{
	struct rise_fall eager = s->checks;

	s->probe_us = 0;
	if (s->empty || (!target_state_is_checked(s) && !s->refusing))
		return;
	/* One that has just begun to refuse may soon change its state again. */
	eager.against += s->refusing && now_us - s->refused_us < REFUSED_NEWS_US;
	s->probe_us = now_us + rise_fall_pause_us(&eager, &s->pool->check, random);
}

static enum target_news begin_refusing(struct target_state *s, uint64_t now_us)
{
	enum target_news news = s->refusing ? TARGET_NO_NEWS : TARGET_REFUSES;

	if (!s->refusing)
		s->refused_us = now_us;
	s->refusing = true;
	if (target_state_is_checked(s))
		rise_fall_fail(&s->checks);
	return news;
}

static enum target_news take_check(struct target_state *s, const struct target_result *result,
	const struct rows_tally *total, uint64_t now_us)
{
	bool passed = result->result == PROBE_PASSED, first = !s->checks.known;

	if (!passed && s->checks.up)
		log_debug("%s: a check failed: %s", s->backend->url_text, result->why);
	switch (rise_fall_take(&s->checks, &s->pool->check, passed)) {
	case RISE_FALL_UP:
		target_state_come_back(s, total, now_us);
		return TARGET_CHECKS_PASSED;
	case RISE_FALL_DOWN:
		if (result->result == PROBE_REFUSED) {
			s->refusing = true;
			s->refused_us = now_us;
		}
		return first ? TARGET_FIRST_CHECK_FAILED : TARGET_CHECKS_FAILED;
	case RISE_FALL_SAME:
		break;
	}
	return TARGET_NO_NEWS;
}

enum target_news target_check_take(struct target_state *s, const struct target_result *result,
	const struct rows_tally *total, uint64_t now_us)
{
	bool was_confirming = s->confirming, was_refusing = s->refusing;
	enum target_news news = TARGET_NO_NEWS;

	s->confirming = false;
	if (result->result == PROBE_UNKNOWN) {
		log_debug("%s cannot be checked: %s", s->backend->url_text, result->why);
		return news;
	}
	s->silent = result->result == PROBE_SILENT;
	if (result->result == PROBE_REFUSED && (was_confirming || !target_state_is_checked(s)))
		news = begin_refusing(s, now_us);
	else if (result->result != PROBE_REFUSED)
		s->refusing = false;
	if (target_state_is_checked(s) && (result->asked || s->pool->check.type == CHECK_TCP)) {
		enum target_news checked = take_check(s, result, total, now_us);

		/* A target that has just begun to refuse is down already: that is no news. */
		assert(news == TARGET_NO_NEWS || checked == TARGET_NO_NEWS);
		return news != TARGET_NO_NEWS ? news : checked;
	}
	if (was_refusing && !s->refusing && !target_state_is_checked(s)) {
		target_state_come_back(s, total, now_us);
		return TARGET_IS_BACK;
	}
	return news;
}
