/* Reopens the log and the access logs after they were rotated. */
#include "config.h"

#include "reopen.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"

int reopen_access_log(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

/* Sends a descriptor to the workers of one generation. */
static void send_all(struct master *m, const struct generation *g, enum message_type type, int fd)
{
	char name[CHILD_NAME_SIZE];

	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		struct child *c = LIST_ITEM(l, struct child, link);
		struct message message = { .type = type };

		if (c->generation != g || c->channel == -1)
			continue;
		if (channel_send(c->channel, &message, fd) == -1)
			log_warn("cannot send a new log to %s", child_name(c, name));
	}
}

static void reopen_generation(struct master *m, struct generation *g)
{
	const char *path = g->settings->access_log;
	int fd;

	if (log_fd() != -1 &&
		(m->current == NULL || strcmp(g->settings->log, m->current->settings->log) == 0))
		send_all(m, g, MESSAGE_REOPEN_LOG, log_fd());
	if (path == NULL)
		return;
	fd = reopen_access_log(path);
	if (fd == -1) {
		log_error("cannot reopen the access log %s", path);
		return;
	}
	fd_close(&g->access_log);
	g->access_log = fd;
	send_all(m, g, MESSAGE_REOPEN_ACCESS, fd);
}

void reopen_logs(struct master *m)
{
	if (log_reopen() == -1)
		log_error("cannot reopen the log");
	if (m->current != NULL)
		reopen_generation(m, m->current);
	if (m->next != NULL)
		reopen_generation(m, m->next);
	for (struct list *l = m->past.next; l != &m->past; l = l->next)
		reopen_generation(m, LIST_ITEM(l, struct generation, link));
	log_info("logs reopened");
}
