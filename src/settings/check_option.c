/* Strings that go into requests as they are must not be able to end a line of it, or a word. */
#include "config.h"

#include "check_option.h"

#include <stdbool.h>
#include <string.h>

#include "base/slice.h"

static bool is_one_word(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
			return false;
	return true;
}

const char *check_option_path_fault(const char *text)
{
	if (*text == '/' && is_one_word(text) && strchr(text, '#') == NULL)
		return NULL;
	return "a path begins with a slash and has no spaces: \"/health\"";
}

const char *check_option_host_fault(const char *text)
{
	if (is_one_word(text) && strpbrk(text, "/?#@\\\"") == NULL)
		return NULL;
	return "must be a host, perhaps with a port: \"www.example.com\"";
}

static int parse_code(struct slice text, int *code)
{
	uint64_t number;

	if (slice_parse_decimal(text, 999, &number) == -1 || number < 100)
		return -1;
	*code = (int)number;
	return 0;
}

int check_option_parse_status(const char *text, int *least, int *most)
{
	size_t first = strcspn(text, "-");
	const char *second = text[first] == '-' ? text + first + 1 : text;

	if (parse_code(slice_of(text, first), least) == -1 ||
		parse_code(slice_of_string(second), most) == -1)
		return -1;
	return *least <= *most ? 0 : -1;
}

const char *check_option_status_fault(const char *text)
{
	int least, most;

	if (check_option_parse_status(text, &least, &most) == 0)
		return NULL;
	return "must be a status from 100 to 999, or two with a dash between: \"204\", \"200-399\"";
}
