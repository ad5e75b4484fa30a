/* What strings of the option table must be, beyond being strings: for option.check. */
#ifndef TINYLB_SETTINGS_STICKY_OPTION_H
#define TINYLB_SETTINGS_STICKY_OPTION_H

#include "base/text.h"

/* Each returns 0, or -1 with what would be right. */
int hash_on_check(const char *text, struct text *why);
int sticky_option_check_cookie(const char *text, struct text *why); /* its name */
int sticky_option_check_key(const char *text, struct text *why);    /* long enough to be secret */

#endif
