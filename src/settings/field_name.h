/* The names of header fields and cookies that options give. */
#ifndef TINYLB_SETTINGS_FIELD_NAME_H
#define TINYLB_SETTINGS_FIELD_NAME_H

#include <stdbool.h>

#include "base/text.h"

/* Whether `text` is a token of 1 to 64 characters (RFC 9110 5.6.2, which RFC 6265 takes for the
 * names of cookies, too). */
bool field_name_is_valid(const char *text);

/* Adds what would be right to `why`. `what` is "cookie" or "header field". Returns -1. */
int field_name_refuse(const char *what, struct text *why);

/* For option.check: 0 for the name of a cookie, or -1 with what would be right added to `why`. */
int field_name_check_cookie(const char *text, struct text *why);

#endif
