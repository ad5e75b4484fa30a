/* The messages of children. They are in a process's own words: each is checked against what the
 * master knows, and refused where it does not fit. */
#include "config.h"

#include "messages.h"

#include <stdio.h>

#include "base/fd.h"
#include "base/log.h"
#include "master/children/stand_in.h"
#include "master/generations/generation_drain.h"

/* A worker has bound a socket: from now on the connections on it outlive the worker. */
static void take_escrow(struct master *m, struct child *c, uint32_t number, int fd)
{
	const struct settings *s = c->generation->settings;
	struct message answer = { .type = MESSAGE_ESCROWED, .number = number };
	char name[CHILD_NAME_SIZE];

	if (c->state != CHILD_STARTING || number >= s->listener_count || fd == -1 ||
		escrow_find(&m->escrow, &s->listeners[number].address, c->slot) != NULL) {
		log_warnx("%s sent a socket that nobody asked for", child_name(c, name));
		fd_close(&fd);
		return;
	}
	if (escrow_add(&m->escrow, &s->listeners[number].address, c->slot, c->generation->number,
		    fd) == -1 ||
		channel_send(c->channel, &answer, -1) == -1)
		log_error("cannot take a socket from %s", child_name(c, name));
}

static void take_ready(struct master *m, struct child *c)
{
	char name[CHILD_NAME_SIZE];

	if (c->state != CHILD_STARTING)
		return;
	child_set_state(c, CHILD_READY, 0);
	if (c->generation->state == GENERATION_CURRENT)
		log_info("%s is ready", child_name(c, name));
	if (c->generation == m->current)
		stand_in_end(m, c->slot);
}

static void take_cut(struct generation *g, const struct message *message)
{
	g->cut_requests += message->number;
	g->cut_idle += message->id;
	g->cut_workers++;
}

static void take_message(struct master *m, struct child *c, const struct message *message, int fd)
{
	switch (message->type) {
	case MESSAGE_ESCROW:
		take_escrow(m, c, message->number, fd);
		return;
	case MESSAGE_READY:
		take_ready(m, c);
		messages_tell_lame_duck(m, c);
		break;
	case MESSAGE_CUT:
		take_cut(c->generation, message);
		break;
	case MESSAGE_PASSED:
		generation_drain_rescue(m, c->generation);
		break;
	case MESSAGE_RELEASED:
		stand_in_released(m, c, message->id);
		break;
	case MESSAGE_FAILED:
		snprintf(c->why, sizeof c->why, "%s", message->text);
		break;
	default:
		log_warnx("worker %u sent a message of type %u", c->slot, message->type);
		break;
	}
	fd_close(&fd);
}

void messages_read(struct master *m, struct child *c)
{
	struct message message;
	int fd;

	while (c->channel != -1) {
		switch (channel_receive(c->channel, &message, &fd)) {
		case CHANNEL_MESSAGE:
			take_message(m, c, &message, fd);
			break;
		case CHANNEL_CLOSED:
			fd_close(&c->channel);
			return;
		case CHANNEL_EMPTY:
			return;
		}
	}
}

void messages_read_starting(struct master *m, const struct generation *g)
{
	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		struct child *c = LIST_ITEM(l, struct child, link);

		if ((g == NULL || c->generation == g) && c->state == CHILD_STARTING)
			messages_read(m, c);
	}
}

void messages_tell_lame_duck(const struct master *m, const struct child *c)
{
	struct message message = { .type = MESSAGE_LAME_DUCK };

	if (m->phase == MASTER_LAME_DUCK && c->channel != -1 &&
		channel_send(c->channel, &message, -1) == -1)
		log_warn("a worker does not learn that it is a lame duck");
}
