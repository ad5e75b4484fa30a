/* Each change of a backend's state is one line in the log, with its reason. */
#include "config.h"

#include "target_log.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"

#define NAME_SIZE 640
#define LIST_SIZE 512

/* The URL, and where each address is a backend, which. */
static const char *name(const struct target *w, char out[NAME_SIZE])
{
	struct text text = text_over(out, NAME_SIZE);
	char address[ADDRESS_TEXT_SIZE];

	text_add_string(&text, w->backend->url_text);
	if (w->backend->spread == SPREAD_EACH && w->address.len > 0)
		text_format(&text, " (%s)", address_format(&w->address, address));
	return text_string(&text);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

void target_log_down(const struct target *w, bool first, const char *why)
{
	int fall = w->pool->check.fall;
	char bytes[NAME_SIZE];

	if (first)
		log_warnx("%s is down: its first check failed: %s", name(w, bytes), why);
	else
		log_warnx("%s is down: %d check%s failed: %s", name(w, bytes), fall,
			plural((uint64_t)fall), why);
}

void target_log_refusing(const struct target *w, const char *why)
{
	char bytes[NAME_SIZE];

	log_warnx("%s is down: it takes no connections: %s", name(w, bytes), why);
}

void target_log_up(const struct target *w)
{
	int rise = w->pool->check.rise;
	char bytes[NAME_SIZE];

	log_notice("%s is back: %d check%s passed", name(w, bytes), rise, plural((uint64_t)rise));
}

void target_log_back(const struct target *w)
{
	char bytes[NAME_SIZE];

	log_notice("%s is back", name(w, bytes));
}

void target_log_ejected(const struct target *w, uint64_t ms, const struct eject_cause *cause,
	const struct rows_tally *total)
{
	const struct eject_kinds now = eject_kinds(total);
	const char *kind = eject_main_kind(&w->before, &now);
	char bytes[NAME_SIZE];

	(void)name(w, bytes);
	if (cause->in_a_row > 0)
		log_warnx("%s is ejected for %.*g s: %" PRIu64 " failure%s in a row (%s)", bytes, 6,
			(double)ms / 1000, cause->in_a_row, plural(cause->in_a_row), kind);
	else
		log_warnx("%s is ejected for %.*g s: %" PRIu64 " of %" PRIu64
			  " requests failed (%s)",
			bytes, 6, (double)ms / 1000, cause->failures, cause->requests, kind);
}

void target_log_addresses(const struct target *w, bool is_new)
{
	struct address all[BACKEND_ADDRESSES_MAX];
	uint32_t version, count = addresses_read(w->backend->addresses, all, &version);
	char bytes[NAME_SIZE], list[LIST_SIZE], address[ADDRESS_TEXT_SIZE];
	struct text text = text_over(list, sizeof list);

	for (uint32_t i = 0; i < count; i++)
		text_format(&text, "%s%s", i > 0 ? ", " : "", address_format(&all[i], address));
	if (is_new)
		log_notice("%s is new, at %s", w->backend->url_text, text_string(&text));
	else
		log_notice("%s is at other addresses: %s", name(w, bytes), text_string(&text));
}

void target_log_gone(const struct target *w)
{
	char bytes[NAME_SIZE];

	log_notice("%s is gone: its name does not have the address any more", name(w, bytes));
}
