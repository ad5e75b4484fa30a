/*
 * Sockets of one address share a name, made of the address: they are all alike, so that each that
 * comes back can have any slot.
 */
#include "config.h"

#include "fdstore.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "master/notify.h"

#define RETRY_MS     200
#define ATTEMPTS_MAX 50

static bool is_allowed(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       strchr("./[]-_", c) != NULL;
}

int fdstore_name(const struct escrow_entry *e, struct fdstore_name *name)
{
	char text[ADDRESS_TEXT_SIZE];
	struct text out = text_over(name->text, sizeof name->text - 1);

	(void)address_format(&e->key, text);
	for (const char *p = text; *p != '\0'; p++) {
		if (is_allowed(*p))
			text_add_char(&out, *p);
		else
			text_format(&out, "%%%02X", (unsigned)(unsigned char)*p);
	}
	/* A path can lead to another socket one day: the file is part of the name. */
	if (e->shared)
		text_format(&out, "+%jx.%jx", (uintmax_t)e->path_dev, (uintmax_t)e->path_ino);
	(void)text_string(&out);
	return out.overflow ? -1 : 0;
}

static bool has_name(const struct fdstore *f, const struct fdstore_name *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->names[i].text, name->text) == 0)
			return true;
	return false;
}

/* 0, or -1: no memory. */
static int add_name(struct fdstore *f, const struct fdstore_name *name)
{
	struct fdstore_name *names;

	if (has_name(f, name))
		return 0;
	names = mem_resize(f->names, f->count + 1, sizeof *names);
	if (names == NULL)
		return -1;
	f->names = names;
	f->names[f->count++] = *name;
	return 0;
}

static int send_remove(const struct fdstore_name *name)
{
	return notify_send_fds(NULL, 0, "FDSTOREREMOVE=1\nFDNAME=%s", name->text);
}

/* Sends those sockets with the address of entry `first` that the store does not have, as many as
 * one message can carry. 0, or -1: the service manager does not take them now. */
static int store_address(struct fdstore *f, struct escrow *escrow, size_t first)
{
	struct fdstore_name name, other;
	size_t sent[NOTIFY_FDS_MAX], n = 0;
	int fds[NOTIFY_FDS_MAX];

	if (fdstore_name(&escrow->entries[first], &name) == -1) {
		/* It cannot be stored: it is not tried again. */
		escrow->entries[first].stored = true;
		return 0;
	}
	for (size_t i = first; i < escrow->count && n < NOTIFY_FDS_MAX; i++) {
		if (escrow->entries[i].stored || fdstore_name(&escrow->entries[i], &other) == -1 ||
			strcmp(name.text, other.text) != 0)
			continue;
		fds[n] = escrow->entries[i].fd;
		sent[n++] = i;
	}
	/* Bound, but not listening yet, a socket looks like one that has failed: hence FDPOLL. */
	if (add_name(f, &name) == -1 ||
		notify_send_fds(fds, n, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name.text) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		escrow->entries[sent[i]].stored = true;
	return 0;
}

static int store_new(struct fdstore *f, struct escrow *escrow)
{
	for (size_t i = 0; i < escrow->count; i++)
		if (!escrow->entries[i].stored && store_address(f, escrow, i) == -1)
			return -1;
	return 0;
}

static bool is_in_escrow(const struct escrow *escrow, const struct fdstore_name *name)
{
	struct fdstore_name other;

	for (size_t i = 0; i < escrow->count; i++)
		if (fdstore_name(&escrow->entries[i], &other) == 0 &&
			strcmp(other.text, name->text) == 0)
			return true;
	return false;
}

static int remove_old(struct fdstore *f, const struct escrow *escrow)
{
	for (size_t i = f->count; i > 0; i--) {
		if (is_in_escrow(escrow, &f->names[i - 1]))
			continue;
		if (send_remove(&f->names[i - 1]) == -1)
			return -1;
		f->names[i - 1] = f->names[--f->count];
	}
	return 0;
}

static void attempt(struct fdstore *f, struct escrow *escrow)
{
	f->due = 0;
	if (remove_old(f, escrow) == 0 && store_new(f, escrow) == 0)
		return;
	if (++f->attempts < ATTEMPTS_MAX)
		f->due = clock_ms() + RETRY_MS;
	else
		log_warnx("the service manager does not take the listening sockets");
}

void fdstore_fini(struct fdstore *f)
{
	mem_free(f->received_names);
	mem_free(f->names);
	*f = (struct fdstore){ 0 };
}

void fdstore_sync(struct fdstore *f, struct escrow *escrow)
{
	if (!notify_is_wanted())
		return;
	f->attempts = 0;
	attempt(f, escrow);
}

void fdstore_retry(struct fdstore *f, struct escrow *escrow)
{
	if (f->due != 0 && f->due <= clock_ms())
		attempt(f, escrow);
}

uint64_t fdstore_due(const struct fdstore *f)
{
	return f->due != 0 ? f->due : UINT64_MAX;
}

void fdstore_import(struct fdstore *f, const struct escrow *escrow)
{
	struct fdstore_name name;

	for (size_t i = 0; i < escrow->count; i++)
		if (escrow->entries[i].stored && fdstore_name(&escrow->entries[i], &name) == 0 &&
			add_name(f, &name) == -1)
			log_warnx("no memory to know what the service manager has");
}

void fdstore_note(struct fdstore *f, const char *text)
{
	struct fdstore_name name;

	assert(strlen(text) < sizeof name.text);
	(void)snprintf(name.text, sizeof name.text, "%s", text);
	if (add_name(f, &name) == -1)
		log_warnx("no memory to know what the service manager has");
}

void fdstore_clear(struct fdstore *f)
{
	f->due = 0;
	while (f->count > 0)
		if (send_remove(&f->names[--f->count]) == -1)
			log_warnx("a listening socket stays with the service manager");
}
