/* Check of an option of sticky sessions, for option.check. */
#ifndef TINYLB_SETTINGS_STICKY_OPTION_H
#define TINYLB_SETTINGS_STICKY_OPTION_H

#include "base/text.h"

/* The name of a cookie. 0, or -1 with what would be right added to `why`. */
int sticky_option_check_cookie(const char *text, struct text *why);

#endif
