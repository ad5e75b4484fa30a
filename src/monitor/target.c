/*
 * A target is driven by its timer, by the results of its probe, by alarms of workers and by new
 * addresses. Each of them changes facts of its state; then `settle` writes what follows.
 */
#include "config.h"

#include "target.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/log.h"
#include "target_check.h"
#include "target_log.h"

static uint64_t now_us(const struct target *t)
{
	return t->watch->loop.now_us;
}

/* Adds up what workers have counted. */
static void count(const struct target *t, struct rows_tally *total)
{
	rows_total(t->watch->rows, t->state.backend->row, total);
}

/* The only place that writes the health word. */
static void publish(struct target *t)
{
	struct rows *rows = t->watch->rows;
	uint32_t row = t->state.backend->row;
	struct rows_health health = rows_health(rows, row);

	if (!target_state_settle(&t->state, now_us(t), &health))
		return;
	rows_set_health(rows, row, health);
	t->watch->changes++;
}

static void note(_Atomic uint64_t *place, uint64_t value)
{
	if (atomic_load_explicit(place, memory_order_relaxed) != value)
		board_set(place, value);
}

/* Writes what the next monitor needs besides the health word. */
static void write_notes(const struct target *t)
{
	struct rows_notes *notes = rows_notes(t->watch->rows, t->state.backend->row);
	struct target_notes values = target_state_notes(&t->state);

	note(&notes->until_us, values.until_us);
	note(&notes->well_us, values.well_us);
	note(&notes->next_ms, values.next_ms);
	note(&notes->against, values.against);
}

static struct target_notes read_notes(const struct target *t)
{
	struct rows_notes *notes = rows_notes(t->watch->rows, t->state.backend->row);

	return (struct target_notes){
		.until_us = atomic_load_explicit(&notes->until_us, memory_order_relaxed),
		.well_us = atomic_load_explicit(&notes->well_us, memory_order_relaxed),
		.next_ms = atomic_load_explicit(&notes->next_ms, memory_order_relaxed),
		.against = (unsigned)atomic_load_explicit(&notes->against, memory_order_relaxed),
	};
}

uint64_t target_due(const struct target *t)
{
	/* A probe has a timer of its own. */
	return watch_earlier(
		target_state_due(&t->state), probe_is_running(&t->probe) ? t->probe.end_us : 0);
}

static void set_timer(struct target *t)
{
	uint64_t due = target_state_due(&t->state);
	struct timeval timeout = watch_timeout(t->watch, due);

	if (due == 0)
		event_del(&t->timer);
	else if (event_add(&t->timer, &timeout) == -1)
		log_warnx("no memory for a timer: backends are watched less");
	watch_note_due(t->watch, target_due(t));
}

/* Follows each change: the state, the health word, the notes and the timer. */
static void settle(struct target *t)
{
	publish(t);
	write_notes(t);
	set_timer(t);
}

static void probed(struct probe *probe, enum probe_result result, const char *why)
{
	struct target *t = LIST_ITEM(probe, struct target, probe);
	const struct target_result r = { .result = result, .asked = probe->asks, .why = why };
	struct rows_tally total;

	count(t, &total);
	target_log_news(&t->state, target_check_take(&t->state, &r, &total, now_us(t)), why);
	target_check_plan(&t->state, rng_next(&t->watch->rng), now_us(t));
	settle(t);
}

static void begin_probe(struct target *t)
{
	bool asks = t->state.pool->check.type == CHECK_HTTP && !t->state.confirming;

	t->state.probe_us = 0;
	if (!probe_is_running(&t->probe) && !t->state.empty)
		probe_start(&t->probe, asks);
}

/* Whether one more target of the pool may be ejected. */
static bool may_eject(const struct target *t)
{
	const struct pool_settings *pool = t->state.pool;
	size_t all = 0, ejected = 0;

	for (size_t i = 0; i < t->group->count; i++) {
		const struct target_state *s = &t->group->list[i].state;

		if (s->pool != pool)
			continue;
		all += target_state_counts(s);
		ejected += s->state == ROWS_EJECTED;
	}
	return ejected < eject_most(&pool->eject, all);
}

/* Looks at what workers have counted. */
static void look(struct target *t)
{
	struct rows_tally total;
	struct eject_cause cause;

	count(t, &total);
	if (target_state_confirm(&t->state, &total, now_us(t)))
		begin_probe(t);
	if (target_state_look(&t->state, &total, now_us(t), &cause)) {
		if (may_eject(t))
			target_log_ejected(&t->state, target_state_eject(&t->state, now_us(t)),
				&cause, &total);
		else
			target_state_spare(&t->state, &total);
	}
	target_state_looked(&t->state, &total);
}

static void end_ejection(struct target *t)
{
	struct rows_tally total;

	count(t, &total);
	target_log_news(&t->state, target_state_end_ejection(&t->state, &total, now_us(t)), NULL);
}

static bool is_due(const struct target *t, uint64_t due_us)
{
	return due_us != 0 && due_us <= now_us(t);
}

static void timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct target *t = arg;

	(void)what;
	loop_begin(&t->watch->loop, PULSE_DEADLINES, fd);
	if (is_due(t, t->state.look_us))
		look(t);
	if (is_due(t, t->state.eject.until_us))
		end_ejection(t);
	if (is_due(t, t->state.probe_us))
		begin_probe(t);
	settle(t);
}

void target_alarm(struct target *t)
{
	if (target_state_alarm(&t->state, now_us(t)))
		set_timer(t);
}

void target_look_up(struct target *t)
{
	const struct backend_addresses *addresses = t->state.backend->addresses;
	enum target_news news;
	struct rows_tally total;
	struct address first;
	bool is_empty;

	if (addresses_version(addresses) == t->addresses_version)
		return;
	t->addresses_version = addresses_version(addresses);
	is_empty = !addresses_get(addresses, 0, &first);
	count(t, &total);
	if (!is_empty)
		t->state.address = first;
	news = target_state_take_addresses(&t->state, is_empty, &total, now_us(t));
	if (news != TARGET_HAS_MOVED)
		probe_stop(&t->probe);
	target_log_news(&t->state, news, NULL);
	settle(t);
}

int target_init(struct target *t, struct watch *watch, const struct target_group *group,
	const struct pool_settings *pool, const struct backend_settings *backend)
{
	const struct backend_addresses *addresses = backend->addresses;
	struct target_notes notes;
	struct rows_tally total;

	assert(backend->row < rows_size(watch->rows));
	t->watch = watch;
	t->group = group;
	probe_init(&t->probe);
	t->probe.loop = &watch->loop;
	t->probe.backend = backend;
	t->probe.check = &pool->check;
	t->probe.done = probed;
	if (evtimer_assign(&t->timer, watch->loop.base, timer_cb, t) == -1)
		return -1;
	rows_total(watch->rows, backend->row, &total);
	target_state_init(&t->state, pool, backend, addresses_count(addresses) == 0, &total);
	t->addresses_version = addresses_version(addresses);
	(void)addresses_get(addresses, 0, &t->state.address);
	notes = read_notes(t);
	target_state_recall(&t->state, rows_health(watch->rows, backend->row), &notes, now_us(t));
	target_check_plan_first(&t->state, rng_next(&watch->rng), now_us(t));
	settle(t);
	return 0;
}

void target_fini(struct target *t)
{
	probe_stop(&t->probe);
	event_del(&t->timer);
}
