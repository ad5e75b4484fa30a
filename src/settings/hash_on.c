/* Reads the strings of the settings that have a form of their own. */
#include "config.h"

#include "sticky_option.h"

#include <stdio.h>

#include "settings/hash_on.h"
#include "settings/suggest.h"

#define NAME_MAX_LEN 64

/* Nobody who tries many a second comes through so many characters. */
#define KEY_MIN 16
#define KEY_MAX 256

/* RFC 9110 5.6.2, which RFC 6265 takes for the names of cookies, too. */
static bool is_name(const char *text)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	size_t len = strlen(text);

	return len > 0 && len <= NAME_MAX_LEN && strspn(text, token) == len;
}

static int refuse_name(const char *what, struct text *why)
{
	text_format(why,
		"the name of a %s has 1 to %d letters, digits and dashes, no blanks and no colon",
		what, NAME_MAX_LEN);
	return -1;
}

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
		text_add_escaped(why,
			slice_of_string(colon != NULL && is_name(colon + 1) ? colon : ":NAME"));
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
		if (is_name(on->name.data))
			return 0;
		return refuse_name(on->source == HASH_HEADER ? "header field" : "cookie", why);
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

int sticky_option_check_cookie(const char *text, struct text *why)
{
	return is_name(text) ? 0 : refuse_name("cookie", why);
}

int sticky_option_check_key(const char *text, struct text *why)
{
	size_t len = strlen(text);

	if (len >= KEY_MIN && len <= KEY_MAX)
		return 0;
	text_format(why, "must have %d to %d characters, at random: try openssl rand -hex 16",
		KEY_MIN, KEY_MAX);
	return -1;
}
