/* The log and the access logs are opened after they were rotated, and when new settings have other
 * ones. */
#include "config.h"

#include "logs.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"

/* Sends a descriptor to the workers of one generation, and the log to its monitor. */
static void send_all(struct master *m, const struct generation *g, enum message_type type, int fd)
{
	char name[CHILD_NAME_SIZE];

	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		struct child *c = LIST_ITEM(l, struct child, link);
		struct message message = { .type = type };

		if (c->generation != g || c->channel == -1 ||
			(c->role != CHILD_WORKER && type == MESSAGE_REOPEN_ACCESS))
			continue;
		if (channel_send(c->channel, &message, fd) == -1)
			log_warn("cannot send a new log to %s", child_name(c, name));
	}
}

/* False where the access log could not be opened. */
static bool reopen_generation(struct master *m, struct generation *g)
{
	const char *path = g->settings->access_log;
	int fd;

	if (log_fd() != -1 &&
		(m->current == NULL || strcmp(g->settings->log, m->current->settings->log) == 0))
		send_all(m, g, MESSAGE_REOPEN_LOG, log_fd());
	if (path == NULL)
		return true;
	fd = fd_open_log(path);
	if (fd == -1) {
		log_errorx("cannot reopen the access log %s: %s", path, fd_explain_log(errno));
		return false;
	}
	fd_close(&g->access_log);
	g->access_log = fd;
	send_all(m, g, MESSAGE_REOPEN_ACCESS, fd);
	return true;
}

void logs_reopen(struct master *m)
{
	bool done = log_reopen() == 0;

	if (!done)
		log_errorx("cannot reopen the log: %s", fd_explain_log(errno));
	if (m->current != NULL)
		done = reopen_generation(m, m->current) && done;
	if (m->next != NULL)
		done = reopen_generation(m, m->next) && done;
	for (struct list *l = m->past.next; l != &m->past; l = l->next)
		done = reopen_generation(m, LIST_ITEM(l, struct generation, link)) && done;
	if (done)
		log_info("logs reopened");
	else
		log_warnx(
			"not every log was reopened: what could not be goes on into the old file");
}

int logs_change(const struct settings *present, const struct settings *next)
{
	if (strcmp(present->log, next->log) == 0 && present->log_level == next->log_level)
		return 0;
	return log_open(next->log, (enum log_level)next->log_level);
}
