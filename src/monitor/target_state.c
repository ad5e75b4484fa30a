/*
 * The order in state_of is that of the states: a fact that says more hides those that say
 * less. A target without an address cannot refuse, one that refuses has no result of a check.
 */
#include "config.h"

#include "target_state.h"

#include <assert.h>

#include "base/log.h"
#include "ramp.h"
#include "watch.h"

/* The least time between two probes that confirm. */
#define CONFIRM_EVERY_US UINT64_C(250000)

bool target_state_is_checked(const struct target_state *s)
{
	return s->pool->check.type != CHECK_OFF;
}

static const char *state_name(enum rows_state state)
{
	static const char *const names[] = {
		[ROWS_READY] = "ready",
		[ROWS_EJECTED] = "ejected",
		[ROWS_DOWN] = "down",
		[ROWS_SILENT] = "silent",
		[ROWS_REFUSING] = "refusing",
		[ROWS_EMPTY] = "empty",
	};

	return names[state];
}

/* The state that follows from the facts. */
static enum rows_state state_of(const struct target_state *s)
{
	if (s->empty)
		return ROWS_EMPTY;
	if (s->refusing)
		return ROWS_REFUSING;
	if (!s->checks.up)
		return s->silent ? ROWS_SILENT : ROWS_DOWN;
	return s->eject.until_us != 0 ? ROWS_EJECTED : ROWS_READY;
}

/*
 * Every state can follow every other, with two exceptions. A target with new addresses begins anew,
 * so only ready follows empty. And it is ejected for a time only, so that one is set.
 */
static bool is_allowed(const struct target_state *s, enum rows_state next)
{
	if (s->state == ROWS_EMPTY)
		return next == ROWS_READY;
	return next != ROWS_EJECTED || s->eject.until_us != 0;
}

/* The only place where a state changes. */
static void set_state(struct target_state *s, enum rows_state next)
{
	if (next == s->state)
		return;
	assert(is_allowed(s, next));
	if (log_wants(LOG_LEVEL_DEBUG))
		log_debug("%s: state %s -> %s", s->backend->url_text, state_name(s->state),
			state_name(next));
	s->state = next;
}

void target_state_init(struct target_state *s, const struct pool_settings *pool,
	const struct backend_settings *backend, bool empty, const struct rows_tally *total)
{
	assert(pool != NULL && backend != NULL);
	*s = (struct target_state){ .pool = pool, .backend = backend, .empty = empty };
	rise_fall_init(&s->checks, true, false);
	eject_begin(&s->eject, &pool->eject, total);
	/* connect_failed stays 0: an alarm of before is worth a try to connect. */
	s->before = eject_kinds(total);
	s->state = state_of(s);
}

static void recall_ejection(struct target_state *s, uint64_t until_us, uint64_t now_us)
{
	const struct eject_settings *settings = &s->pool->eject;
	uint64_t most = now_us + settings->time_max * 1000;

	if (settings->failures == 0)
		return;
	s->eject.until_us = until_us < most ? until_us : most;
	/* It ends in the usual way, also where that was due while no monitor ran. */
	if (s->eject.until_us < now_us)
		s->eject.until_us = now_us;
}

void target_state_recall(struct target_state *s, struct rows_health health,
	const struct target_notes *notes, uint64_t now_us)
{
	rise_fall_init(&s->checks, true, health.epoch > 0);
	s->eject.well_us = notes->well_us;
	s->eject.next_ms = notes->next_ms;
	switch (health.state) {
	case ROWS_DOWN:
	case ROWS_SILENT:
		s->silent = health.state == ROWS_SILENT;
		if (target_state_is_checked(s))
			rise_fall_fail(&s->checks);
		break;
	case ROWS_REFUSING:
		s->refusing = true;
		s->refused_us = now_us;
		if (target_state_is_checked(s))
			rise_fall_fail(&s->checks);
		break;
	case ROWS_EJECTED:
		recall_ejection(s, notes->until_us, now_us);
		break;
	case ROWS_READY:
		if (health.share < ROWS_FULL_SHARE)
			s->back_us = now_us - ramp_age_us(health.share, s->pool->slow_start);
		break;
	case ROWS_EMPTY:
		break;
	}
	s->checks.against = notes->against;
	/* Not a change: the previous monitor told of it. */
	s->state = state_of(s);
}

void target_state_come_back(struct target_state *s, const struct rows_tally *total, uint64_t now_us)
{
	eject_begin(&s->eject, &s->pool->eject, total);
	s->back_us = s->pool->slow_start > 0 ? now_us : 0;
}

enum target_news target_state_take_addresses(
	struct target_state *s, bool empty, const struct rows_tally *total, uint64_t now_us)
{
	s->empty = empty;
	if (empty) {
		s->probe_us = 0;
		return TARGET_IS_GONE;
	}
	if (s->state != ROWS_EMPTY && s->backend->spread != SPREAD_EACH)
		return TARGET_HAS_MOVED;
	rise_fall_init(&s->checks, true, false);
	s->eject = (struct eject){ 0 };
	s->refusing = s->confirming = false;
	target_state_come_back(s, total, now_us);
	if (target_state_is_checked(s))
		s->probe_us = now_us;
	return TARGET_IS_NEW;
}

bool target_state_alarm(struct target_state *s, uint64_t now_us)
{
	/* Many alarms, one look. */
	if (s->look_us != 0 && s->look_us <= now_us)
		return false;
	s->look_us = now_us;
	return true;
}

bool target_state_confirm(struct target_state *s, const struct rows_tally *total, uint64_t now_us)
{
	uint64_t failed = total->counts[ROWS_CONNECT_FAILED];
	bool is_new = failed != s->connect_failed;

	s->look_us = 0;
	s->connect_failed = failed;
	if (!is_new || s->refusing || s->confirming || now_us - s->confirmed_us < CONFIRM_EVERY_US)
		return false;
	s->confirmed_us = now_us;
	s->confirming = true;
	return true;
}

bool target_state_look(struct target_state *s, const struct rows_tally *total, uint64_t now_us,
	struct eject_cause *cause)
{
	if (state_of(s) == ROWS_READY)
		return eject_look(&s->eject, &s->pool->eject, total, now_us, cause, &s->look_us);
	eject_begin(&s->eject, &s->pool->eject, total);
	return false;
}

uint64_t target_state_eject(struct target_state *s, uint64_t now_us)
{
	uint64_t ms;

	assert(state_of(s) == ROWS_READY);
	ms = eject_start(&s->eject, &s->pool->eject, now_us);
	set_state(s, ROWS_EJECTED);
	return ms;
}

void target_state_spare(struct target_state *s, const struct rows_tally *total)
{
	assert(state_of(s) == ROWS_READY);
	eject_begin(&s->eject, &s->pool->eject, total);
	log_debug("%s fails requests, and is not ejected: as many of its pool are as may be",
		s->backend->url_text);
}

void target_state_looked(struct target_state *s, const struct rows_tally *total)
{
	s->before = eject_kinds(total);
}

enum target_news target_state_end_ejection(
	struct target_state *s, const struct rows_tally *total, uint64_t now_us)
{
	assert(s->eject.until_us != 0);
	eject_end(&s->eject, &s->pool->eject, total, now_us);
	if (state_of(s) != ROWS_READY)
		return TARGET_NO_NEWS;
	target_state_come_back(s, total, now_us);
	return TARGET_IS_BACK;
}

/* Its share of its weight now. Plans the next step of the slow start, or ends that. */
static unsigned take_share(struct target_state *s, uint64_t now_us)
{
	uint64_t next_us;
	unsigned share;

	s->ramp_us = 0;
	if (s->back_us == 0)
		return ROWS_FULL_SHARE;
	share = ramp_share(now_us - s->back_us, s->pool->slow_start, &next_us);
	if (next_us != 0)
		s->ramp_us = now_us + next_us;
	else
		s->back_us = 0;
	return share;
}

bool target_state_settle(struct target_state *s, uint64_t now_us, struct rows_health *health)
{
	unsigned share;

	set_state(s, state_of(s));
	share = s->state == ROWS_READY ? take_share(s, now_us) : ROWS_FULL_SHARE;
	/* That something is known of it is news, too: to the next monitor. */
	if (health->state == s->state && health->share == share &&
		(health->epoch > 0 || !s->checks.known))
		return false;
	health->epoch += health->state != s->state || health->epoch == 0;
	health->state = s->state;
	health->share = share;
	return true;
}

uint64_t target_state_due(const struct target_state *s)
{
	uint64_t due = watch_earlier(s->probe_us, s->look_us);

	due = watch_earlier(due, s->ramp_us);
	return watch_earlier(due, s->eject.until_us);
}

struct target_notes target_state_notes(const struct target_state *s)
{
	return (struct target_notes){
		.until_us = s->eject.until_us,
		.well_us = s->eject.well_us,
		.next_ms = s->eject.next_ms,
		.against = s->checks.against,
	};
}

bool target_state_counts(const struct target_state *s)
{
	return s->backend->weight > 0 && s->state != ROWS_EMPTY;
}
