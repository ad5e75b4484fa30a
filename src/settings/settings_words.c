/* Words take the way of values in a file, so that they are refused for the same reasons. */
#include "config.h"

#include "settings/settings_words.h"

#include <assert.h>

#include "base/memory.h"
#include "settings/draft.h"
#include "settings/report.h"
#include "settings/value.h"
#include "value_text.h"

#define POOL_NAME "backends"

static const struct settings_place command_line = { NULL, 0 };

static int store(enum option_scope scope, const char *name, const char *word, void *base,
	struct settings_errors *errors)
{
	char bytes[1024];
	char shown_bytes[512];
	struct text why = text_over(bytes, sizeof bytes);
	struct text shown = text_over(shown_bytes, sizeof shown_bytes);
	struct value_reader reader = { NULL, &why };
	struct value value = { .kind = VALUE_STRING, .string = word };
	const struct option *option = option_find(scope, name);

	assert(option != NULL);
	if (value_store(option, &value, base, &reader) == 0)
		return 0;
	value_text_add(&shown, &value);
	report_error(errors, &command_line, "%s: %s", text_string(&shown), text_string(&why));
	return -1;
}

static int make_lists(struct settings *settings, size_t listen_count, size_t url_count)
{
	if (draft_make_items(option_find(OPTION_TOP, "listeners"), settings, listen_count) == -1 ||
		draft_make_items(option_find(OPTION_TOP, "pools"), settings, 1) == -1)
		return -1;
	settings->pools[0].name = mem_strdup(POOL_NAME);
	if (settings->pools[0].name == NULL)
		return -1;
	return draft_make_items(
		option_find(OPTION_POOL, "backends"), &settings->pools[0], url_count);
}

struct settings *settings_words_load(const char *const *listen, size_t listen_count,
	const char *const *urls, size_t url_count, struct settings_errors *errors)
{
	struct settings *settings = draft_new();

	if (settings == NULL || make_lists(settings, listen_count, url_count) == -1) {
		report_error(errors, &command_line, "out of memory");
		settings_free(settings);
		return NULL;
	}
	if (listen_count == 0)
		report_error(errors, &command_line, "no address to listen on: --listen :8080");
	if (url_count == 0)
		report_error(errors, &command_line, "no backend: http://localhost:8001");
	for (size_t i = 0; i < listen_count; i++)
		(void)store(OPTION_LISTENER, "address", listen[i], &settings->listeners[i], errors);
	for (size_t i = 0; i < url_count; i++)
		(void)store(
			OPTION_BACKEND, "url", urls[i], &settings->pools[0].backends[i], errors);
	return draft_finish(settings, errors);
}
