/*
 * Draining. Where others accept in its place a worker stops at once; at an address that is gone it
 * goes on for a grace. Clients between two requests are sent away over a stretch of time: all at
 * once they would all come back at once.
 */
#include "config.h"

#include "drain.h"

#include "base/log.h"

#define TICK_MS 50

/* Idle clients are sent away within this time, or half of timeouts.drain where that is less. */
#define SPREAD_MAX_MS 5000

#define GRACE_MAX_MS 1000
#define SHUT_MAX_MS  250

/* How much longer it tries to accept those for whom there is no room. */
#define NO_ROOM_US UINT64_C(1000000)

static uint64_t half_of(const struct settings *settings, uint64_t most)
{
	uint64_t half = settings->timeouts.drain / 2;

	return half < most ? half : most;
}

uint64_t worker_grace(const struct settings *settings)
{
	return half_of(settings, GRACE_MAX_MS);
}

uint64_t worker_shut(const struct settings *settings)
{
	uint64_t half = worker_grace(settings) / 2;

	return half < SHUT_MAX_MS ? half : SHUT_MAX_MS;
}

static void accept_last(struct drain *d)
{
	uint64_t now = d->loop->now_us;

	if (now < d->accept_until_us)
		return;
	acceptors_stop(d->acceptors);
	if (!acceptors_take_waiting(d->acceptors) && now < d->accept_until_us + NO_ROOM_US)
		return;
	acceptors_close(d->acceptors);
	d->accepting = false;
}

/* Idle clients leave in a steady stream, as many at a time as it takes for all to be gone when the
 * time for that is over. Right after a request nobody is sent away: that is no reason for more of
 * them later at one time. */
static void dismiss(struct drain *d)
{
	uint64_t now = d->loop->now_us;
	size_t most = SIZE_MAX;

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

static void tick_cb(evutil_socket_t fd, short what, void *arg)
{
	struct drain *d = arg;

	(void)what;
	loop_begin(d->loop, PULSE_DEADLINES, fd);
	if (d->accepting)
		accept_last(d);
	dismiss(d);
	if ((!d->accepting && proxy_client_count(d->proxy) == 0) || d->loop->now_us >= d->until_us)
		loop_stop(d->loop);
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

	if (d->on)
		return;
	d->on = true;
	d->looked_us = d->accept_until_us = d->loop->now_us;
	d->until_us = d->looked_us + d->settings->timeouts.drain * 1000;
	d->spread_until_us = d->looked_us + half_of(d->settings, SPREAD_MAX_MS) * 1000;
	if (reason == DRAIN_REPLACED) {
		d->accepting = acceptors_leave(d->acceptors);
		d->accept_until_us += worker_grace(d->settings) * 1000;
	} else {
		/* A handshake that is under way now is over at the first tick. */
		d->accepting = true;
		acceptors_stop(d->acceptors);
		(void)acceptors_take_waiting(d->acceptors);
	}
	passing_end(d->acceptors->passing);
	proxy_drain(d->proxy);
	if (event_add(&d->tick, &tick) == -1)
		loop_stop(d->loop);
}

void drain_fini(struct drain *d)
{
	event_del(&d->tick);
}
