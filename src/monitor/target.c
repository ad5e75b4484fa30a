/* How a ward begins: where the last monitor, of this or of another generation, has left it. */
#include "config.h"

#include <stdatomic.h>

#include "ramp.h"
#include "watch.h"

/* The first check of all comes within this time. */
#define FIRST_CHECK_US UINT64_C(500000)

static uint64_t noted(const _Atomic uint64_t *place)
{
	return atomic_load_explicit(place, memory_order_relaxed);
}

static void recall_ejection(struct target *w, const struct rows_notes *notes)
{
	const struct eject_settings *settings = &w->pool->eject;
	uint64_t now = target_now_us(w), until = noted(&notes->until_us);
	uint64_t most = now + settings->time_max * 1000;

	if (settings->failures == 0)
		return;
	w->eject.until_us = until < most ? until : most;
	/* It ends in the usual way, also where that was due while nobody watched. */
	if (w->eject.until_us < now)
		w->eject.until_us = now;
}

/* Goes on where the last monitor has left it. */
static void recall(struct target *w)
{
	struct rows_health health = rows_health(w->monitor->start->rows, w->backend->row);
	const struct rows_notes *notes = rows_notes(w->monitor->start->rows, w->backend->row);
	uint64_t now = target_now_us(w);

	rise_fall_init(&w->checks, true, health.epoch > 0);
	w->eject.well_us = noted(&notes->well_us);
	w->eject.next_ms = noted(&notes->next_ms);
	switch (health.state) {
	case ROWS_DOWN:
	case ROWS_SILENT:
		w->silent = health.state == ROWS_SILENT;
		if (target_is_checked(w))
			rise_fall_fail(&w->checks);
		break;
	case ROWS_REFUSING:
		w->refusing = true;
		w->refused_us = now;
		if (target_is_checked(w))
			rise_fall_fail(&w->checks);
		break;
	case ROWS_EJECTED:
		recall_ejection(w, notes);
		break;
	case ROWS_READY:
		if (health.share < ROWS_FULL_SHARE)
			w->back_us = now - ramp_age_us(health.share, w->pool->slow_start);
		break;
	case ROWS_EMPTY:
		break;
	}
	w->checks.against = (unsigned)noted(&notes->against);
}

static uint64_t first_check_us(const struct pool_settings *pool)
{
	uint64_t interval_us = pool->check.interval * 1000;

	return interval_us < FIRST_CHECK_US ? interval_us : FIRST_CHECK_US;
}

int target_init(struct target *w, struct monitor *monitor, const struct pool_settings *pool,
	const struct backend_settings *backend)
{
	struct rows_tally total;

	w->monitor = monitor;
	w->pool = pool;
	w->backend = backend;
	probe_init(&w->probe);
	w->probe.loop = &monitor->loop;
	w->probe.backend = backend;
	w->probe.check = &pool->check;
	w->probe.done = target_probed;
	if (evtimer_assign(&w->timer, monitor->loop.base, target_timer_cb, w) == -1)
		return -1;
	w->addresses_version = addresses_version(backend->addresses);
	(void)addresses_get(backend->addresses, 0, &w->address);
	target_count(w, &total);
	eject_begin(&w->eject, &pool->eject, &total);
	/* An alarm of before is worth a try to connect. */
	w->connect_failed = 0;
	w->before = eject_kinds(&total);
	recall(w);
	if (!target_is_empty(w) && w->refusing)
		w->probe_us = target_now_us(w);
	else if (!target_is_empty(w) && target_is_checked(w))
		w->probe_us = target_now_us(w) + rng_next(&monitor->rng) % first_check_us(pool);
	target_settle(w);
	return 0;
}

void target_fini(struct target *w)
{
	probe_stop(&w->probe);
	event_del(&w->timer);
}
