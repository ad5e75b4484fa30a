/* Failures of users' requests, as workers have counted them, and what follows for a backend. */
#include "config.h"

#include "base/log.h"
#include "target_log.h"
#include "watch.h"

static void eject(struct target *w, const struct eject_cause *cause, const struct rows_tally *total)
{
	if (!monitor_may_eject(w->monitor, w->pool)) {
		eject_begin(&w->eject, &w->pool->eject, total);
		log_debug(
			"%s fails requests, and is not ejected: as many of its pool are as may be",
			w->backend->url_text);
		return;
	}
	target_log_ejected(
		w, eject_start(&w->eject, &w->pool->eject, target_now_us(w)), cause, total);
	/* Other targets ask whether they may, before this one's turn ends. */
	w->state = ROWS_EJECTED;
}

void target_look(struct target *w)
{
	struct rows_tally total;
	struct eject_cause cause;

	w->look_us = 0;
	target_count(w, &total);
	if (total.counts[ROWS_CONNECT_FAILED] != w->connect_failed)
		target_confirm(w);
	w->connect_failed = total.counts[ROWS_CONNECT_FAILED];
	if (target_state(w) != ROWS_READY)
		eject_begin(&w->eject, &w->pool->eject, &total);
	else if (eject_look(
			 &w->eject, &w->pool->eject, &total, target_now_us(w), &cause, &w->look_us))
		eject(w, &cause, &total);
	w->before = eject_kinds(&total);
}

void target_end_ejection(struct target *w)
{
	struct rows_tally total;

	target_count(w, &total);
	eject_end(&w->eject, &w->pool->eject, &total, target_now_us(w));
	if (target_state(w) != ROWS_READY)
		return;
	target_log_back(w);
	target_come_back(w);
}
