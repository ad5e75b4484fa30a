/* Each message names its target by the URL of the settings. */
#include "config.h"

#include "target_log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"

#define NAME_SIZE 640
#define LIST_SIZE 512

/* Writes the URL and, where each address of a name is a target, the address. */
static const char *name(const struct target_state *s, char out[NAME_SIZE])
{
	struct text text = text_over(out, NAME_SIZE);
	char address[ADDRESS_TEXT_SIZE];

	text_add_string(&text, s->backend->url_text);
	if (s->backend->spread == SPREAD_EACH && s->address.len > 0)
		text_format(&text, " (%s)", address_format(&s->address, address));
	return text_string(&text);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static const char *list_addresses(const struct target_state *s, char out[LIST_SIZE])
{
	struct address all[BACKEND_ADDRESSES_MAX];
	uint32_t version, count = addresses_read(s->backend->addresses, all, &version);
	struct text text = text_over(out, LIST_SIZE);
	char address[ADDRESS_TEXT_SIZE];

	for (uint32_t i = 0; i < count; i++)
		text_format(&text, "%s%s", i > 0 ? ", " : "", address_format(&all[i], address));
	return text_string(&text);
}

void target_log_news(const struct target_state *s, enum target_news news, const char *why)
{
	int fall = s->pool->check.fall, rise = s->pool->check.rise;
	char bytes[NAME_SIZE], list[LIST_SIZE];

	(void)name(s, bytes);
	switch (news) {
	case TARGET_NO_NEWS:
		break;
	case TARGET_FIRST_CHECK_FAILED:
		assert(why != NULL);
		log_warnx("%s is down: its first check failed: %s", bytes, why);
		break;
	case TARGET_CHECKS_FAILED:
		assert(why != NULL);
		log_warnx("%s is down: %d check%s failed: %s", bytes, fall, plural((uint64_t)fall),
			why);
		break;
	case TARGET_CHECKS_PASSED:
		log_notice("%s is back: %d check%s passed", bytes, rise, plural((uint64_t)rise));
		break;
	case TARGET_REFUSES:
		assert(why != NULL);
		log_warnx("%s is down: it takes no connections: %s", bytes, why);
		break;
	case TARGET_IS_BACK:
		log_notice("%s is back", bytes);
		break;
	case TARGET_IS_NEW:
		log_notice("%s is new, at %s", s->backend->url_text, list_addresses(s, list));
		break;
	case TARGET_HAS_MOVED:
		log_notice("%s is at other addresses: %s", bytes, list_addresses(s, list));
		break;
	case TARGET_IS_GONE:
		log_notice("%s is gone: its name does not have the address any more", bytes);
		break;
	}
}

void target_log_ejected(const struct target_state *s, uint64_t ms, const struct eject_cause *cause,
	const struct rows_tally *total)
{
	const struct eject_kinds now = eject_kinds(total);
	const char *kind = eject_main_kind(&s->before, &now);
	char bytes[NAME_SIZE];

	(void)name(s, bytes);
	if (cause->in_a_row > 0)
		log_warnx("%s is ejected for %.*g s: %" PRIu64 " failure%s in a row (%s)", bytes, 6,
			(double)ms / 1000, cause->in_a_row, plural(cause->in_a_row), kind);
	else
		log_warnx("%s is ejected for %.*g s: %" PRIu64 " of %" PRIu64
			  " requests failed (%s)",
			bytes, 6, (double)ms / 1000, cause->failures, cause->requests, kind);
}
