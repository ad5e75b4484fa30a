/* Check of the options that are secret keys, for option.check. */
#ifndef TINYLB_SETTINGS_KEY_OPTION_H
#define TINYLB_SETTINGS_KEY_OPTION_H

#include "base/text.h"

/* 0, or -1 with what would be right added to `why`. */
int key_option_check(const char *text, struct text *why);

#endif
