/* Backends that stand for all addresses of a name. */
#ifndef TINYLB_SETTINGS_EXPAND_H
#define TINYLB_SETTINGS_EXPAND_H

#include "settings/settings.h"

/* Puts BACKEND_EACH_MAX backends in the place of each with SPREAD_EACH and a name. 0, or -1: no
 * memory. */
int expand_backends(struct settings *settings) __attribute__((warn_unused_result));

#endif
