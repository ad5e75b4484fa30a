/* Failures of users' requests, as workers have counted them, and what follows for a backend. */
#include "config.h"

#include "base/log.h"
#include "say.h"
#include "state.h"

static void eject(struct ward *w, const struct eject_cause *cause, const struct rows_tally *total)
{
	if (!monitor_may_eject(w->monitor, w->pool)) {
		eject_begin(&w->eject, &w->pool->eject, total);
		log_debug(
			"%s fails requests, and is not ejected: as many of its pool are as may be",
			w->backend->url_text);
		return;
	}
	say_ejected(w, eject_start(&w->eject, &w->pool->eject, ward_now_us(w)), cause, total);
	/* Other wards ask whether they may, before this one's turn ends. */
	w->state = ROWS_EJECTED;
}

void ward_look(struct ward *w)
{
	struct rows_tally total;
	struct eject_cause cause;

	w->look_us = 0;
	ward_count(w, &total);
	if (total.counts[ROWS_CONNECT_FAILED] != w->connect_failed)
		ward_confirm(w);
	w->connect_failed = total.counts[ROWS_CONNECT_FAILED];
	if (ward_state(w) != ROWS_READY)
		eject_begin(&w->eject, &w->pool->eject, &total);
	else if (eject_look(
			 &w->eject, &w->pool->eject, &total, ward_now_us(w), &cause, &w->look_us))
		eject(w, &cause, &total);
	w->before = eject_kinds(&total);
}

void ward_end_ejection(struct ward *w)
{
	struct rows_tally total;

	ward_count(w, &total);
	eject_end(&w->eject, &w->pool->eject, &total, ward_now_us(w));
	if (ward_state(w) != ROWS_READY)
		return;
	say_back(w);
	ward_come_back(w);
}
