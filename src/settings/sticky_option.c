/* A key must be too long to be guessed: an attacker may try many a second. */
#include "config.h"

#include "sticky_option.h"

#include <string.h>

#include "field_name.h"

#define KEY_MIN 16
#define KEY_MAX 256

int sticky_option_check_cookie(const char *text, struct text *why)
{
	return field_name_is_valid(text) ? 0 : field_name_refuse("cookie", why);
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
