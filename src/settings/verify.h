/* What shows only when all settings are read. */
#ifndef TINYLB_SETTINGS_VERIFY_H
#define TINYLB_SETTINGS_VERIFY_H

#include "settings/report.h"
#include "settings/settings.h"

/* Reports empty lists, duplicates and pools that do not exist. Links listeners to their pools,
 * resolves what is inherited, and makes hosts and paths of routes canonical. */
void verify_settings(struct settings *settings, struct settings_errors *errors);

#endif
