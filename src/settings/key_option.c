/* A key must be too long to be guessed: an attacker may try many a second. */
#include "config.h"

#include "key_option.h"

#include <string.h>

#define KEY_MIN 16
#define KEY_MAX 256

int key_option_check(const char *text, struct text *why)
{
	size_t len = strlen(text);

	if (len >= KEY_MIN && len <= KEY_MAX)
		return 0;
	text_format(why, "must have %d to %d characters, at random: try openssl rand -hex 16",
		KEY_MIN, KEY_MAX);
	return -1;
}
