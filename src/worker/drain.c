/*
 * Where other workers accept at an address, a worker that drains stops at once; at an address that
 * the new settings do not have it accepts for a grace. Clients between two requests are sent away
 * over a stretch of time: if all left at once, all would come back at once.
 */
#include "config.h"

#include "drain.h"

#include <assert.h>

#include "base/log.h"
#include "worker/worker_grace.h"

#define TICK_MS 50

/* Idle clients are sent away within this time, or half of timeouts.drain where that is less. */
#define SPREAD_MAX_MS 5000

/* For so long after the grace it tries to accept clients for which there was no room. */
#define NO_ROOM_US UINT64_C(1000000)

static const char *state_name(enum drain_state state)
{
	static const char *const names[] = {
		[DRAIN_OFF] = "off",
		[DRAIN_ACCEPTING] = "accepting",
		[DRAIN_CLOSED] = "closed",
		[DRAIN_OVER] = "over",
	};

	return names[state];
}

/* The only place where the state changes: it goes forward, and may skip states. */
static void set_state(struct drain *d, enum drain_state next)
{
	assert(next > d->state);
	if (log_wants(LOG_LEVEL_DEBUG))
		log_debug("drain: %s -> %s", state_name(d->state), state_name(next));
	d->state = next;
}

static void accept_last(struct drain *d)
{
	uint64_t now = d->loop->now_us;

	assert(d->state == DRAIN_ACCEPTING);
	if (now < d->accept_until_us)
		return;
	acceptors_stop(d->acceptors);
	if (!acceptors_take_waiting(d->acceptors) && now < d->accept_until_us + NO_ROOM_US)
		return;
	acceptors_close(d->acceptors);
	set_state(d, DRAIN_CLOSED);
}

/* Idle clients leave at a steady rate: that at which all are gone when the time for it is over. A
 * client right after a request is not sent away; its turn does not add to those of later ones. */
static void dismiss(struct drain *d)
{
	uint64_t now = d->loop->now_us;
	size_t most = SIZE_MAX;

	assert(d->state == DRAIN_ACCEPTING || d->state == DRAIN_CLOSED);
	if (now < d->spread_until_us) {
		d->credit += (double)proxy_client_count(d->proxy) * (double)(now - d->looked_us) /
			     (double)(d->spread_until_us - d->looked_us);
		most = (size_t)d->credit;
	}
	d->looked_us = now;
	if (most == 0)
		return;
	if (proxy_dismiss_idle(d->proxy, most) == most)
		d->credit -= (double)most;
	else if (d->credit > 1)
		d->credit = 1;
}

static void end(struct drain *d)
{
	set_state(d, DRAIN_OVER);
	event_del(&d->tick);
	loop_stop(d->loop);
}

static void tick_cb(evutil_socket_t fd, short what, void *arg)
{
	struct drain *d = arg;

	(void)what;
	loop_begin(d->loop, PULSE_DEADLINES, fd);
	if (d->state == DRAIN_ACCEPTING)
		accept_last(d);
	dismiss(d);
	if ((d->state == DRAIN_CLOSED && proxy_client_count(d->proxy) == 0) ||
		d->loop->now_us >= d->until_us)
		end(d);
}

int drain_init(struct drain *d, const struct worker_start *start, struct loop *loop,
	struct proxy *proxy, struct acceptors *acceptors)
{
	*d = (struct drain){ .loop = loop,
		.settings = start->settings,
		.proxy = proxy,
		.acceptors = acceptors,
		/* The clients of different workers take turns: multiples of the golden ratio, less
		 * whole ones, spread evenly. The first worker's first client leaves at once. */
		.credit = 1 - (double)(start->slot * 0x9e3779b9u) / 0x1p32 };
	return event_assign(&d->tick, loop->base, -1, EV_PERSIST, tick_cb, d);
}

void drain_start(struct drain *d, enum drain_reason reason)
{
	static const struct timeval tick = { .tv_usec = TICK_MS * 1000 };
	uint64_t half_ms = d->settings->timeouts.drain / 2;

	assert(d->state == DRAIN_OFF);
	d->looked_us = d->accept_until_us = d->loop->now_us;
	d->until_us = d->looked_us + d->settings->timeouts.drain * 1000;
	d->spread_until_us =
		d->looked_us + (half_ms < SPREAD_MAX_MS ? half_ms : SPREAD_MAX_MS) * 1000;
	if (reason == DRAIN_REPLACED) {
		set_state(d, acceptors_leave(d->acceptors) ? DRAIN_ACCEPTING : DRAIN_CLOSED);
		d->accept_until_us += worker_grace(d->settings) * 1000;
	} else {
		/* A handshake that is under way now is over at the first tick. */
		set_state(d, DRAIN_ACCEPTING);
		acceptors_stop(d->acceptors);
		(void)acceptors_take_waiting(d->acceptors);
	}
	passing_end(d->acceptors->passing);
	proxy_drain(d->proxy);
	if (event_add(&d->tick, &tick) == -1)
		end(d);
}

void drain_fini(struct drain *d)
{
	event_del(&d->tick);
}
