/*
 * A ward is driven by its timer, by the results of its probes and by alarms of workers. Each of
 * them changes what is known, and the health word follows from that in one place.
 */
#include "config.h"

#include "target_state.h"

#include <stdatomic.h>

#include "base/list.h"
#include "base/log.h"
#include "ramp.h"
#include "target_log.h"
#include "watch.h"

/* Who has just begun to refuse is tried often for so long. */
#define REFUSED_NEWS_US UINT64_C(10000000)

/* A connection that failed is tried at once, but not more often than that. */
#define CONFIRM_EVERY_US UINT64_C(250000)

uint64_t target_now_us(const struct target *w)
{
	return w->monitor->loop.now_us;
}

bool target_is_checked(const struct target *w)
{
	return w->pool->check.type != CHECK_OFF;
}

bool target_is_empty(const struct target *w)
{
	return addresses_count(w->backend->addresses) == 0;
}

bool target_is_ejected(const struct target *w)
{
	return w->state == ROWS_EJECTED;
}

bool target_counts(const struct target *w)
{
	return w->backend->weight > 0 && w->state != ROWS_EMPTY;
}

void target_count(const struct target *w, struct rows_tally *total)
{
	rows_total(w->monitor->start->rows, w->backend->row, total);
}

enum rows_state target_state(const struct target *w)
{
	if (target_is_empty(w))
		return ROWS_EMPTY;
	if (w->refusing)
		return ROWS_REFUSING;
	if (!w->checks.up)
		return w->silent ? ROWS_SILENT : ROWS_DOWN;
	return w->eject.until_us != 0 ? ROWS_EJECTED : ROWS_READY;
}

static unsigned share_of(struct target *w)
{
	uint64_t next_us;
	unsigned share;

	w->ramp_us = 0;
	if (w->back_us == 0)
		return ROWS_FULL_SHARE;
	share = ramp_share(target_now_us(w) - w->back_us, w->pool->slow_start, &next_us);
	if (next_us != 0)
		w->ramp_us = target_now_us(w) + next_us;
	else
		w->back_us = 0;
	return share;
}

/* The only place that writes the health word. */
static void publish(struct target *w)
{
	struct rows *rows = w->monitor->start->rows;
	struct rows_health health = rows_health(rows, w->backend->row);
	enum rows_state state = target_state(w);
	unsigned share = state == ROWS_READY ? share_of(w) : ROWS_FULL_SHARE;

	w->state = state;
	/* That something is known of it is news, too: to the next monitor. */
	if (health.state == state && health.share == share &&
		(health.epoch > 0 || !w->checks.known))
		return;
	health.epoch += health.state != state || health.epoch == 0;
	health.state = state;
	health.share = share;
	rows_set_health(rows, w->backend->row, health);
	w->monitor->changes++;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static uint64_t timer_due(const struct target *w)
{
	uint64_t due = earlier(w->probe_us, w->look_us);

	due = earlier(due, w->ramp_us);
	return earlier(due, w->eject.until_us);
}

uint64_t target_due(const struct target *w)
{
	/* A probe has a timer of its own. */
	return earlier(timer_due(w), probe_is_running(&w->probe) ? w->probe.end_us : 0);
}

static void schedule(struct target *w)
{
	uint64_t due = timer_due(w), now = target_now_us(w), left = due > now ? due - now : 0;
	struct timeval timeout = { (time_t)(left / 1000000), (suseconds_t)(left % 1000000) };

	if (due == 0)
		event_del(&w->timer);
	else if (event_add(&w->timer, &timeout) == -1)
		log_warnx("no memory for a timer: backends are watched less");
	monitor_note_due(w->monitor, target_due(w));
}

static void note(_Atomic uint64_t *place, uint64_t value)
{
	if (atomic_load_explicit(place, memory_order_relaxed) != value)
		board_set(place, value);
}

/* What the health word does not tell the next monitor: those come and go with reloads. */
static void take_notes(const struct target *w)
{
	struct rows_notes *notes = rows_notes(w->monitor->start->rows, w->backend->row);

	note(&notes->until_us, w->eject.until_us);
	note(&notes->well_us, w->eject.well_us);
	note(&notes->next_ms, w->eject.next_ms);
	note(&notes->against, w->checks.against);
}

void target_settle(struct target *w)
{
	publish(w);
	take_notes(w);
	schedule(w);
}

void target_come_back(struct target *w)
{
	struct rows_tally total;

	target_count(w, &total);
	eject_begin(&w->eject, &w->pool->eject, &total);
	w->back_us = w->pool->slow_start > 0 ? target_now_us(w) : 0;
}

static uint64_t pause_us(const struct target *w)
{
	const struct check_settings *check = &w->pool->check;
	uint64_t random = rng_next(&w->monitor->rng);
	struct rise_fall eager = w->checks;

	/* As if its state were about to change. */
	eager.against += w->refusing && target_now_us(w) - w->refused_us < REFUSED_NEWS_US;
	return rise_fall_pause_us(&eager, check, random);
}

static void plan_probe(struct target *w)
{
	w->probe_us = 0;
	if (!target_is_empty(w) && (target_is_checked(w) || w->refusing))
		w->probe_us = target_now_us(w) + pause_us(w);
}

static void begin_refusing(struct target *w, const char *why)
{
	if (!w->refusing) {
		target_log_refusing(w, why);
		w->refused_us = target_now_us(w);
	}
	w->refusing = true;
	if (target_is_checked(w))
		rise_fall_fail(&w->checks);
}

static void take_check(struct target *w, enum probe_result result, const char *why)
{
	const struct check_settings *check = &w->pool->check;
	bool passed = result == PROBE_PASSED, first = !w->checks.known;

	if (!passed && w->checks.up)
		log_debug("%s: a check failed: %s", w->backend->url_text, why);
	switch (rise_fall_take(&w->checks, check, passed)) {
	case RISE_FALL_UP:
		target_log_up(w);
		target_come_back(w);
		break;
	case RISE_FALL_DOWN:
		target_log_down(w, first, why);
		if (result == PROBE_REFUSED) {
			w->refusing = true;
			w->refused_us = target_now_us(w);
		}
		break;
	case RISE_FALL_SAME:
		break;
	}
}

static void take_result(struct target *w, enum probe_result result, const char *why)
{
	bool confirming = w->confirming, was_refusing = w->refusing;

	w->confirming = false;
	if (result == PROBE_UNKNOWN) {
		log_debug("%s cannot be checked: %s", w->backend->url_text, why);
		return;
	}
	w->silent = result == PROBE_SILENT;
	if (result == PROBE_REFUSED && (confirming || !target_is_checked(w)))
		begin_refusing(w, why);
	else if (result != PROBE_REFUSED)
		w->refusing = false;
	if (target_is_checked(w) && (w->probe.asks || w->pool->check.type == CHECK_TCP)) {
		take_check(w, result, why);
	} else if (was_refusing && !w->refusing && !target_is_checked(w)) {
		target_log_back(w);
		target_come_back(w);
	}
}

void target_probed(struct probe *probe, enum probe_result result, const char *why)
{
	struct target *w = LIST_ITEM(probe, struct target, probe);

	take_result(w, result, why);
	plan_probe(w);
	target_settle(w);
}

static void begin_probe(struct target *w)
{
	bool asks = w->pool->check.type == CHECK_HTTP && !w->confirming;

	w->probe_us = 0;
	if (!probe_is_running(&w->probe) && !target_is_empty(w))
		probe_start(&w->probe, asks);
}

void target_confirm(struct target *w)
{
	if (w->refusing || w->confirming || target_now_us(w) - w->confirmed_us < CONFIRM_EVERY_US)
		return;
	w->confirmed_us = target_now_us(w);
	w->confirming = true;
	begin_probe(w);
}

static bool is_due(const struct target *w, uint64_t due_us)
{
	return due_us != 0 && due_us <= target_now_us(w);
}

void target_timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct target *w = arg;

	(void)what;
	loop_begin(&w->monitor->loop, PULSE_DEADLINES, fd);
	if (is_due(w, w->look_us))
		target_look(w);
	if (is_due(w, w->eject.until_us))
		target_end_ejection(w);
	if (is_due(w, w->probe_us))
		begin_probe(w);
	target_settle(w);
}

void target_alarm(struct target *w)
{
	/* Many alarms, one look. */
	if (w->look_us != 0 && w->look_us <= target_now_us(w))
		return;
	w->look_us = target_now_us(w);
	schedule(w);
}

/* It begins anew, with an address that nothing is known of. */
static void begin_anew(struct target *w)
{
	probe_stop(&w->probe);
	rise_fall_init(&w->checks, true, false);
	w->eject = (struct eject){ 0 };
	w->refusing = w->confirming = false;
	target_come_back(w);
	if (target_is_checked(w))
		w->probe_us = target_now_us(w);
}

void target_look_up(struct target *w)
{
	const struct backend_addresses *addresses = w->backend->addresses;
	struct address first;

	if (addresses_version(addresses) == w->addresses_version)
		return;
	w->addresses_version = addresses_version(addresses);
	if (!addresses_get(addresses, 0, &first)) {
		probe_stop(&w->probe);
		w->probe_us = 0;
		target_log_gone(w);
	} else {
		bool is_new = w->state == ROWS_EMPTY || w->backend->spread == SPREAD_EACH;

		w->address = first;
		target_log_addresses(w, is_new);
		if (is_new)
			begin_anew(w);
	}
	target_settle(w);
}
