/* The routes of a listener. */
#ifndef TINYLB_SETTINGS_VERIFY_ROUTES_H
#define TINYLB_SETTINGS_VERIFY_ROUTES_H

#include "settings/report.h"
#include "settings/settings.h"
#include "verify_entries.h"

/* Judges the routes of a listener, makes their hosts and paths canonical and finds their pools. */
void verify_routes(struct listener_settings *listener, const struct pool_names *pools,
	struct settings_errors *errors);

#endif
