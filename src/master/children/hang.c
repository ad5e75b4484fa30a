/*
 * A worker that hangs cannot say so. While it has clients it shows on the board at least each tenth
 * of a second that its loop turns; a worker without clients shows nothing and need not. So a hang
 * is: no turn for a while, though there are clients, or connections wait to be accepted.
 */
#include "config.h"

#include "hang.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "stand_in.h"
#include "stop.h"

#define LOOK_MS 200

/* A look that comes later than this says nothing: the machine may have been stopped. The workers
 * get the time anew to show that they turn. */
#define LATE_MS 300

/* A worker hangs that has not turned for so long, though it has something to do, at two looks in a
 * row: that is less than a second after its last turn. */
#define SUSPECT_MS 500

/* How many connections wait on a listening socket. */
static uint32_t count_waiting_on(int fd)
{
	struct tcp_info info = { .tcpi_unacked = 0 };
	socklen_t len = sizeof info;

	/* Of a listening socket this is the length of the queue: tcp(7) does not say so, the kernel
	 * has done so since 2.6. */
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return 0;
	return info.tcpi_unacked;
}

/* True where it accepts from this socket: as one of the current workers, or of those being watched.
 */
static bool accepts_from(
	const struct master *m, const struct child *c, const struct escrow_entry *e)
{
	if (c->generation == m->current)
		return stand_in_accepts(m, c, e);
	return !e->shared && e->slot % c->generation->workers == c->slot;
}

static uint32_t count_waiting(const struct master *m, const struct child *c)
{
	uint32_t waiting = 0;

	for (size_t i = 0; i < m->escrow.count; i++)
		if (accepts_from(m, c, &m->escrow.entries[i]))
			waiting += count_waiting_on(m->escrow.entries[i].fd);
	return waiting;
}

static const char *name_of_state(char letter)
{
	switch (letter) {
	case 'R':
		return "running";
	case 'S':
		return "asleep";
	case 'D':
		return "waiting for a device";
	case 'T':
		return "stopped";
	case 't':
		return "stopped by a debugger";
	default:
		return "in an unknown state";
	}
}

/* "reading from a client (descriptor 12); the process is asleep in futex_wait" */
#define DOING_SIZE (PULSE_TEXT_SIZE + 128)
static void describe(const struct child *c, char out[DOING_SIZE])
{
	char wchan[64], doing[PULSE_TEXT_SIZE];

	(void)process_read(c->pid, "wchan", wchan, sizeof wchan);
	snprintf(out, DOING_SIZE, "%s; the process is %s%s%s",
		pulse_describe(&c->place->pulse, doing), name_of_state(process_state(c->pid)),
		wchan[0] != '\0' && wchan[0] != '0' ? " in " : "", wchan[0] != '0' ? wchan : "");
}

/* Something to read, so that its loop turns if it can. */
static void nudge(const struct child *c)
{
	struct message message = { .type = MESSAGE_NUDGE };

	/* Where the channel is full there is enough to read already. */
	if (c->channel != -1 && channel_send(c->channel, &message, -1) == -1)
		log_debug("worker %u has not read what the master said", c->slot);
}

static uint64_t clients_of(const struct child *c)
{
	return atomic_load_explicit(&c->place->clients, memory_order_relaxed);
}

static void begin(struct master *m, struct child *c, uint64_t now, uint32_t waiting)
{
	char name[CHILD_NAME_SIZE], doing[DOING_SIZE];

	assert(c->hung_since == 0 && c->suspected != 0);
	c->hung_since = c->suspected;
	describe(c, doing);
	log_warnx("%s hangs: nothing for %ju ms, with %ju clients and %u connections that wait; it "
		  "was %s",
		child_name(c, name), (uintmax_t)(now - c->hung_since), (uintmax_t)clients_of(c),
		waiting, doing);
	/* For a worker that is only watched the old one in its slot will accept. */
	if (c->generation != m->current)
		return;
	stand_in_move(m, c);
	stand_in_begin(m, c->slot);
}

static void recover(struct master *m, struct child *c, uint64_t now)
{
	char name[CHILD_NAME_SIZE];

	log_warnx("%s goes on after %ju ms", child_name(c, name),
		(uintmax_t)(now > c->hung_since ? now - c->hung_since : 0));
	c->hung_since = 0;
	if (c->generation == m->current)
		stand_in_end(m, c->slot);
}

static void give_up(struct child *c, uint64_t now)
{
	char name[CHILD_NAME_SIZE], doing[DOING_SIZE];

	describe(c, doing);
	log_errorx("%s has hung for %ju ms: ending it; it was %s", child_name(c, name),
		(uintmax_t)(now - c->hung_since), doing);
	stop_hung(c);
}

/* It has not turned for SUSPECT_MS, which says nothing where there was nothing to do. */
static void suspect(struct master *m, struct child *c, uint64_t now)
{
	uint32_t waiting = count_waiting(m, c);

	if (waiting == 0 && clients_of(c) == 0) {
		c->suspected = 0; /* it rests */
	} else if (c->suspected != 0) {
		begin(m, c, now, waiting);
	} else {
		/* It may have had nothing to do until a moment ago. */
		c->suspected = now - SUSPECT_MS;
		nudge(c);
	}
}

static void look_at(struct master *m, struct child *c, uint64_t now)
{
	uint64_t most = c->generation->settings->timeouts.hang;
	uint64_t beat = atomic_load_explicit(&c->place->pulse.beat_us, memory_order_relaxed) / 1000;
	uint64_t since = beat > m->awake_since ? beat : m->awake_since;
	bool turned = beat != c->last_beat;

	c->last_beat = beat;
	if (turned)
		c->suspected = 0;
	if (c->hung_since == 0) {
		if (!turned && since + SUSPECT_MS <= now)
			suspect(m, c, now);
	} else if (turned) {
		recover(m, c, now);
	} else if (most > 0 && c->hung_since + most <= now && m->awake_since + most <= now) {
		give_up(c, now);
	} else if (c->generation == m->current) {
		/* Siblings may take it for idle, and pass connections to it. */
		stand_in_forward(m, c->slot);
	}
}

static bool is_watched(const struct generation *g)
{
	return g != NULL && g->state == GENERATION_WATCHED;
}

/* With one worker no sibling can stand in, and where timeouts.hang is 0 no worker is ended. */
static bool is_needed(const struct master *m)
{
	const struct generation *g = m->current;

	return g != NULL &&
	       (g->workers > 1 || g->settings->timeouts.hang > 0 || is_watched(m->next));
}

/* New settings that make a worker hang are no good. */
static bool is_watched_hung(const struct master *m, char *why, size_t why_size)
{
	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);

		if (c->generation != m->next || c->hung_since == 0)
			continue;
		snprintf(why, why_size, "worker %u hangs with the new settings", c->slot);
		return true;
	}
	return false;
}

enum hang_verdict hang_look(struct master *m, char *why, size_t why_size)
{
	uint64_t now = clock_ms();

	if (!is_needed(m) || now < m->look_due)
		return HANG_FINE;
	if (now - m->look_due > LATE_MS)
		m->awake_since = now;
	m->look_due = now + LOOK_MS;
	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		struct child *c = LIST_ITEM(l, struct child, link);

		if (c->generation != m->current &&
			(c->generation != m->next || !is_watched(m->next)))
			continue;
		if (c->state == CHILD_READY && c->place != NULL)
			look_at(m, c, now);
	}
	return is_watched(m->next) && is_watched_hung(m, why, why_size) ? HANG_WATCHED : HANG_FINE;
}

uint64_t hang_next_due(const struct master *m)
{
	if (!is_needed(m))
		return UINT64_MAX;
	return m->look_due > 0 ? m->look_due : clock_ms();
}
