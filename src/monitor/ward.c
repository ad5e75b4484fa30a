/*
 * A ward is driven by its timer, by the results of its probes and by alarms of workers. Each of
 * them changes what is known, and the health word follows from that in one place.
 */
#include "config.h"

#include "ward.h"

#include <stdatomic.h>

#include "base/list.h"
#include "base/log.h"
#include "ramp.h"
#include "say.h"
#include "state.h"

/* Who has just begun to refuse is tried often for so long. */
#define REFUSED_NEWS_US UINT64_C(10000000)

/* A connection that failed is tried at once, but not more often than that. */
#define CONFIRM_EVERY_US UINT64_C(250000)

uint64_t ward_now_us(const struct ward *w)
{
	return w->monitor->loop.now_us;
}

bool ward_is_checked(const struct ward *w)
{
	return w->pool->check.type != CHECK_OFF;
}

bool ward_is_empty(const struct ward *w)
{
	return addresses_count(w->backend->addresses) == 0;
}

bool ward_is_ejected(const struct ward *w)
{
	return w->state == ROWS_EJECTED;
}

bool ward_counts(const struct ward *w)
{
	return w->backend->weight > 0 && w->state != ROWS_EMPTY;
}

void ward_count(const struct ward *w, struct rows_tally *total)
{
	rows_total(w->monitor->start->rows, w->backend->row, total);
}

enum rows_state ward_state(const struct ward *w)
{
	if (ward_is_empty(w))
		return ROWS_EMPTY;
	if (w->refusing)
		return ROWS_REFUSING;
	if (!w->checks.up)
		return w->silent ? ROWS_SILENT : ROWS_DOWN;
	return w->eject.until_us != 0 ? ROWS_EJECTED : ROWS_READY;
}

static unsigned share_of(struct ward *w)
{
	uint64_t next_us;
	unsigned share;

	w->ramp_us = 0;
	if (w->back_us == 0)
		return ROWS_FULL_SHARE;
	share = ramp_share(ward_now_us(w) - w->back_us, w->pool->slow_start, &next_us);
	if (next_us != 0)
		w->ramp_us = ward_now_us(w) + next_us;
	else
		w->back_us = 0;
	return share;
}

/* The only place that writes the health word. */
static void publish(struct ward *w)
{
	struct rows *rows = w->monitor->start->rows;
	struct rows_health health = rows_health(rows, w->backend->row);
	enum rows_state state = ward_state(w);
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

static uint64_t timer_due(const struct ward *w)
{
	uint64_t due = earlier(w->probe_us, w->look_us);

	due = earlier(due, w->ramp_us);
	return earlier(due, w->eject.until_us);
}

uint64_t ward_due(const struct ward *w)
{
	/* A probe has a timer of its own. */
	return earlier(timer_due(w), probe_is_running(&w->probe) ? w->probe.end_us : 0);
}

static void schedule(struct ward *w)
{
	uint64_t due = timer_due(w), now = ward_now_us(w), left = due > now ? due - now : 0;
	struct timeval timeout = { (time_t)(left / 1000000), (suseconds_t)(left % 1000000) };

	if (due == 0)
		event_del(&w->timer);
	else if (event_add(&w->timer, &timeout) == -1)
		log_warnx("no memory for a timer: backends are watched less");
	monitor_note_due(w->monitor, ward_due(w));
}

static void note(_Atomic uint64_t *place, uint64_t value)
{
	if (atomic_load_explicit(place, memory_order_relaxed) != value)
		board_set(place, value);
}

/* What the health word does not tell the next monitor: those come and go with reloads. */
static void take_notes(const struct ward *w)
{
	struct rows_notes *notes = rows_notes(w->monitor->start->rows, w->backend->row);

	note(&notes->until_us, w->eject.until_us);
	note(&notes->well_us, w->eject.well_us);
	note(&notes->next_ms, w->eject.next_ms);
	note(&notes->against, w->checks.against);
}

void ward_settle(struct ward *w)
{
	publish(w);
	take_notes(w);
	schedule(w);
}

void ward_come_back(struct ward *w)
{
	struct rows_tally total;

	ward_count(w, &total);
	eject_begin(&w->eject, &w->pool->eject, &total);
	w->back_us = w->pool->slow_start > 0 ? ward_now_us(w) : 0;
}

static uint64_t pause_us(const struct ward *w)
{
	const struct check_settings *check = &w->pool->check;
	uint64_t random = rng_next(&w->monitor->rng);
	struct checks eager = w->checks;

	/* As if its state were about to change. */
	eager.against += w->refusing && ward_now_us(w) - w->refused_us < REFUSED_NEWS_US;
	return checks_pause_us(&eager, check, random);
}

static void plan_probe(struct ward *w)
{
	w->probe_us = 0;
	if (!ward_is_empty(w) && (ward_is_checked(w) || w->refusing))
		w->probe_us = ward_now_us(w) + pause_us(w);
}

static void begin_refusing(struct ward *w, const char *why)
{
	if (!w->refusing) {
		say_refusing(w, why);
		w->refused_us = ward_now_us(w);
	}
	w->refusing = true;
	if (ward_is_checked(w))
		checks_fail(&w->checks);
}

static void take_check(struct ward *w, enum probe_result result, const char *why)
{
	const struct check_settings *check = &w->pool->check;
	bool passed = result == PROBE_PASSED, first = !w->checks.known;

	if (!passed && w->checks.up)
		log_debug("%s: a check failed: %s", w->backend->url_text, why);
	switch (checks_take(&w->checks, check, passed)) {
	case CHECKS_UP:
		say_up(w);
		ward_come_back(w);
		break;
	case CHECKS_DOWN:
		say_down(w, first, why);
		if (result == PROBE_REFUSED) {
			w->refusing = true;
			w->refused_us = ward_now_us(w);
		}
		break;
	case CHECKS_SAME:
		break;
	}
}

static void take_result(struct ward *w, enum probe_result result, const char *why)
{
	bool confirming = w->confirming, was_refusing = w->refusing;

	w->confirming = false;
	if (result == PROBE_UNKNOWN) {
		log_debug("%s cannot be checked: %s", w->backend->url_text, why);
		return;
	}
	w->silent = result == PROBE_SILENT;
	if (result == PROBE_REFUSED && (confirming || !ward_is_checked(w)))
		begin_refusing(w, why);
	else if (result != PROBE_REFUSED)
		w->refusing = false;
	if (ward_is_checked(w) && (w->probe.asks || w->pool->check.type == CHECK_TCP)) {
		take_check(w, result, why);
	} else if (was_refusing && !w->refusing && !ward_is_checked(w)) {
		say_back(w);
		ward_come_back(w);
	}
}

void ward_probed(struct probe *probe, enum probe_result result, const char *why)
{
	struct ward *w = LIST_ITEM(probe, struct ward, probe);

	take_result(w, result, why);
	plan_probe(w);
	ward_settle(w);
}

static void begin_probe(struct ward *w)
{
	bool asks = w->pool->check.type == CHECK_HTTP && !w->confirming;

	w->probe_us = 0;
	if (!probe_is_running(&w->probe) && !ward_is_empty(w))
		probe_start(&w->probe, asks);
}

void ward_confirm(struct ward *w)
{
	if (w->refusing || w->confirming || ward_now_us(w) - w->confirmed_us < CONFIRM_EVERY_US)
		return;
	w->confirmed_us = ward_now_us(w);
	w->confirming = true;
	begin_probe(w);
}

static bool is_due(const struct ward *w, uint64_t due_us)
{
	return due_us != 0 && due_us <= ward_now_us(w);
}

void ward_timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct ward *w = arg;

	(void)what;
	loop_begin(&w->monitor->loop, PULSE_DEADLINES, fd);
	if (is_due(w, w->look_us))
		ward_look(w);
	if (is_due(w, w->eject.until_us))
		ward_end_ejection(w);
	if (is_due(w, w->probe_us))
		begin_probe(w);
	ward_settle(w);
}

void ward_alarm(struct ward *w)
{
	/* Many alarms, one look. */
	if (w->look_us != 0 && w->look_us <= ward_now_us(w))
		return;
	w->look_us = ward_now_us(w);
	schedule(w);
}

/* It begins anew, with an address that nothing is known of. */
static void begin_anew(struct ward *w)
{
	probe_stop(&w->probe);
	checks_init(&w->checks, true, false);
	w->eject = (struct eject){ 0 };
	w->refusing = w->confirming = false;
	ward_come_back(w);
	if (ward_is_checked(w))
		w->probe_us = ward_now_us(w);
}

void ward_look_up(struct ward *w)
{
	const struct backend_addresses *addresses = w->backend->addresses;
	struct address first;

	if (addresses_version(addresses) == w->addresses_version)
		return;
	w->addresses_version = addresses_version(addresses);
	if (!addresses_get(addresses, 0, &first)) {
		probe_stop(&w->probe);
		w->probe_us = 0;
		say_gone(w);
	} else {
		bool is_new = w->state == ROWS_EMPTY || w->backend->spread == SPREAD_EACH;

		w->address = first;
		say_addresses(w, is_new);
		if (is_new)
			begin_anew(w);
	}
	ward_settle(w);
}
