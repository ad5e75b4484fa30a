/*
 * The state of one target, a backend as the monitor sees it, and when its next check or look is
 * due. Pure but for messages at level debug: time, counts and random numbers are arguments.
 * The facts (addresses, refusing, checks, ejection) change first; the state follows from them in
 * target_state_settle, which is to be called after every change.
 */
#ifndef TINYLB_MONITOR_TARGET_STATE_H
#define TINYLB_MONITOR_TARGET_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "board/rows.h"
#include "eject.h"
#include "rise_fall.h"
#include "settings/pools.h"

/* All times are monotonic, in microseconds. */
struct target_state {
	/* settings; borrowed */
	const struct pool_settings *pool;
	const struct backend_settings *backend;
	/* facts */
	struct rise_fall checks;
	struct eject eject;
	bool empty;      /* its name has no address */
	bool refusing;   /* it accepts no connections */
	bool silent;     /* it did not answer the last check */
	bool confirming; /* a worker could not connect: the next probe asks whether that stays so */
	struct address address; /* the first of its addresses, for messages */
	/* runtime */
	enum rows_state state;               /* as last settled */
	uint64_t confirmed_us;               /* time of the last confirming probe */
	uint64_t connect_failed;             /* count of failed connections at the last look */
	struct eject_kinds before;           /* counts of failures at the last look */
	uint64_t back_us;                    /* start of its slow start; 0: it is in none */
	uint64_t refused_us;                 /* since when it has been refusing */
	uint64_t probe_us, look_us, ramp_us; /* due times; 0: not due */
};

/* What a change means to an administrator. target_log.h has a message for each. */
enum target_news {
	TARGET_NO_NEWS,
	TARGET_FIRST_CHECK_FAILED,
	TARGET_CHECKS_FAILED,
	TARGET_CHECKS_PASSED,
	TARGET_REFUSES,   /* it accepts no connections */
	TARGET_IS_BACK,   /* without checks, or after an ejection */
	TARGET_IS_NEW,    /* it had no address before, or another one */
	TARGET_HAS_MOVED, /* it has other addresses */
	TARGET_IS_GONE,   /* it has no address any more */
};

/* What the next monitor needs besides the health word. Reloads replace monitors. */
struct target_notes {
	uint64_t until_us, well_us, next_ms; /* as in struct eject */
	unsigned against;                    /* as in struct rise_fall */
};

/* Begins with nothing known. `empty`: it has no address. `total`: what workers have counted. */
void target_state_init(struct target_state *s, const struct pool_settings *pool,
	const struct backend_settings *backend, bool empty, const struct rows_tally *total);

/* Then restores what the previous monitor knew. Both arguments come from shared memory: an unknown
 * state changes nothing, and a time too late is cut. */
void target_state_recall(struct target_state *s, struct rows_health health,
	const struct target_notes *notes, uint64_t now_us);

/* Takes a change of its addresses (`empty`: to none). After TARGET_IS_NEW it begins anew, and a
 * probe under way means nothing any more; nor does it after TARGET_IS_GONE. */
enum target_news target_state_take_addresses(
	struct target_state *s, bool empty, const struct rows_tally *total, uint64_t now_us);

/* A worker saw it fail. False: a look is due already. */
bool target_state_alarm(struct target_state *s, uint64_t now_us);

/* Begins a look at what workers have counted. True: connections have failed since the last look,
 * and a probe is to find out whether they still do. At most four such probes a second. */
bool target_state_confirm(struct target_state *s, const struct rows_tally *total, uint64_t now_us);

/* Goes on with the look. True: it has failed too often, for `cause`, and either
 * target_state_eject or target_state_spare follows. */
bool target_state_look(struct target_state *s, const struct rows_tally *total, uint64_t now_us,
	struct eject_cause *cause);

/* Ejects it and returns for how many milliseconds. Its state is ROWS_EJECTED at once, so that other
 * targets of the pool can count it. */
uint64_t target_state_eject(struct target_state *s, uint64_t now_us);

/* Leaves it in, though it failed: its failures so far are forgiven. */
void target_state_spare(struct target_state *s, const struct rows_tally *total);

/* Ends the look: the failures so far are those before the next look. */
void target_state_looked(struct target_state *s, const struct rows_tally *total);

/* Its ejection is over. TARGET_IS_BACK, or no news where it may not take requests anyway. */
enum target_news target_state_end_ejection(
	struct target_state *s, const struct rows_tally *total, uint64_t now_us);

/* Sets the state that follows from the facts. *health is the health word as published; true: it has
 * changed and is to be published. */
bool target_state_settle(struct target_state *s, uint64_t now_us, struct rows_health *health);

/* Returns when its timer is due: a probe, a look, a step of the slow start, the end of an ejection.
 * 0: never. */
uint64_t target_state_due(const struct target_state *s);

/* Its checks or its ejection are over: it may take requests again, with a slow start fewer at
 * first. Its failures so far do not matter any more. */
void target_state_come_back(
	struct target_state *s, const struct rows_tally *total, uint64_t now_us);

bool target_state_is_checked(const struct target_state *s);

struct target_notes target_state_notes(const struct target_state *s);

/* Whether it counts among those of its pool of which only some may be ejected. */
bool target_state_counts(const struct target_state *s);

#endif
