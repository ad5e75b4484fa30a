/* Each reader is told what it waits for: the log, the process that --daemon left behind, the
 * service manager. */
#include "config.h"

#include "announce.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "logs.h"
#include "notify.h"

/* The addresses as the settings have them, but with the port that the kernel chose. */
static const char *list_addresses(
	const struct master *m, const struct settings *s, struct text *text)
{
	char buffer[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < s->listener_count; i++) {
		const struct listener_settings *l = &s->listeners[i];
		const struct escrow_entry *e = escrow_find(&m->escrow, &l->address, 0);
		bool chosen = e != NULL && !address_equals(&e->key, &e->bound);

		if (i > 0)
			text_add_string(text, ", ");
		text_add_string(text, chosen ? address_format(&e->bound, buffer) : l->address_text);
	}
	return text_string(text);
}

void announce_ready(const struct master *m)
{
	assert(m->current != NULL);
	notify_send("READY=1\nSTATUS=Generation %u, %u workers", m->current->number,
		m->current->workers);
}

void announce_start(struct master *m)
{
	const struct generation *g = m->current;
	char buffer[1024];
	struct text text = text_over(buffer, sizeof buffer);

	assert(g != NULL);
	log_set_echo(false);
	log_notice("tinylb %s is ready: pid %d, %u workers, listening on %s", PACKAGE_VERSION,
		(int)getpid(), g->workers, list_addresses(m, g->settings, &text));
	daemon_ready(&m->daemon);
	if (m->options->ready != NULL)
		m->options->ready(m->options->context);
}

/* A changed path has to wait: the lock on the file is held for the life of the master. */
static bool is_pid_file_changed(const struct master *m, const struct settings *old)
{
	const char *a = old->pid_file, *b = m->current->settings->pid_file;

	if (m->options->pid_file != NULL || a == b)
		return false;
	return a == NULL || b == NULL || strcmp(a, b) != 0;
}

void announce_reload(const struct master *m, const struct generation *old)
{
	const struct generation *g = m->current;
	char buffer[1024];
	struct text text = text_over(buffer, sizeof buffer);

	assert(g != NULL && g != old);
	if (logs_change(old->settings, g->settings) == -1)
		log_errorx("cannot open the log %s: %s", g->settings->log, fd_explain_log(errno));
	if (is_pid_file_changed(m, old->settings))
		log_warnx("the new pid_file takes effect at the next start");
	log_notice("reloaded in %ju ms: generation %u, %u workers, listening on %s",
		(uintmax_t)(clock_ms() - g->started), g->number, g->workers,
		list_addresses(m, g->settings, &text));
}
