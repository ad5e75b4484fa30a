/* What is wrong is guessed from the word before the colon. */
#include "config.h"

#include "settings/hash_on.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "field_name.h"
#include "settings/suggest.h"

/* The one that was probably meant, with the name that stands there: "heder:X". */
static void add_guess(const char *text, struct text *why)
{
	const char *colon = strchr(text, ':');
	char begin[16] = "";
	struct suggest suggest;

	(void)snprintf(begin, sizeof begin, "%.*s",
		(int)(colon != NULL ? (size_t)(colon - text) : strlen(text)), text);
	suggest = suggest_begin(begin);
	suggest_offer(&suggest, "client");
	suggest_offer(&suggest, "path");
	suggest_offer(&suggest, "header");
	suggest_offer(&suggest, "cookie");
	if (suggest.best == NULL)
		return;
	text_format(why, "; did you mean \"%s", suggest.best);
	if (strcmp(suggest.best, "header") == 0 || strcmp(suggest.best, "cookie") == 0)
		escape_quoted(why,
			slice_of_string(
				colon != NULL && field_name_is_valid(colon + 1) ? colon : ":NAME"));
	text_add_string(why, "\"?");
}

int hash_on_parse(const char *text, struct hash_on *on, struct text *why)
{
	static const struct slice header = { "header:", 7 };
	static const struct slice cookie = { "cookie:", 7 };

	*on = (struct hash_on){ .source = HASH_CLIENT };
	if (strcmp(text, "client") == 0)
		return 0;
	on->source = HASH_PATH;
	if (strcmp(text, "path") == 0)
		return 0;
	if (strncmp(text, header.data, header.len) == 0)
		on->source = HASH_HEADER;
	else if (strncmp(text, cookie.data, cookie.len) == 0)
		on->source = HASH_COOKIE;
	if (on->source != HASH_PATH) {
		on->name = slice_of_string(text + header.len);
		if (field_name_is_valid(on->name.data))
			return 0;
		return field_name_refuse(
			on->source == HASH_HEADER ? "header field" : "cookie", why);
	}
	text_add_string(why, "must be client, path, header:NAME or cookie:NAME");
	add_guess(text, why);
	return -1;
}

int hash_on_check(const char *text, struct text *why)
{
	struct hash_on ignored;

	return hash_on_parse(text, &ignored, why);
}
