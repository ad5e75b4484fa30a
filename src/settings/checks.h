/* What strings of the option table must be, beyond being strings: for option.check. */
#ifndef TINYLB_SETTINGS_CHECKS_H
#define TINYLB_SETTINGS_CHECKS_H

#include "base/text.h"

/* Each returns 0, or -1 with what would be right. */
int check_hash_on(const char *text, struct text *why);
int check_cookie(const char *text, struct text *why);     /* its name */
int check_sticky_key(const char *text, struct text *why); /* long enough to be secret */

#endif
