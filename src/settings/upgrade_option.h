/* The protocols of the option `upgrade`: one text with commas, as protocol_is_in reads it. */
#ifndef TINYLB_SETTINGS_UPGRADE_OPTION_H
#define TINYLB_SETTINGS_UPGRADE_OPTION_H

#include "base/text.h"

/* Makes *list, which may be NULL, the empty list. 0, or -1 when memory is short. */
int upgrade_option_clear(char **list) __attribute__((warn_unused_result));

/* Adds a protocol to *list, which is owned, and may be NULL. 0, or -1 with what would be right
 * added to `why`; then the list is as it was. `protocol` may be NULL: it was no string. */
int upgrade_option_add(char **list, const char *protocol, struct text *why)
	__attribute__((warn_unused_result));

/* Adds the list to `out` as the settings file would have it: "[ "tcp", "SPDY/3.1" ]". */
void upgrade_option_write(struct text *out, const char *list);

#endif
