/* Names are short, so that a table of them stays small. */
#include "config.h"

#include "field_name.h"

#include <string.h>

#define NAME_MAX_LEN 64

/* RFC 9110 5.6.2, which RFC 6265 takes for the names of cookies, too. */
bool field_name_is_valid(const char *text)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	size_t len = strlen(text);

	return len > 0 && len <= NAME_MAX_LEN && strspn(text, token) == len;
}

int field_name_refuse(const char *what, struct text *why)
{
	text_format(why,
		"the name of a %s has 1 to %d letters, digits and dashes, no blanks and no colon",
		what, NAME_MAX_LEN);
	return -1;
}

int field_name_check_cookie(const char *text, struct text *why)
{
	return field_name_is_valid(text) ? 0 : field_name_refuse("cookie", why);
}
