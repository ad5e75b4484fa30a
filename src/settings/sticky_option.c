/* The name of a cookie has the grammar of a field's name. */
#include "config.h"

#include "sticky_option.h"

#include "field_name.h"

int sticky_option_check_cookie(const char *text, struct text *why)
{
	return field_name_is_valid(text) ? 0 : field_name_refuse("cookie", why);
}
