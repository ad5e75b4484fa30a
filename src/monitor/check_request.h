/* The request of a check. Pure. */
#ifndef TINYLB_MONITOR_CHECK_REQUEST_H
#define TINYLB_MONITOR_CHECK_REQUEST_H

#include <stdbool.h>

#include "base/text.h"
#include "settings/pools.h"

/* Writes the request to `out`. False: it does not fit. */
bool check_request_write(struct text *out, const struct backend_settings *backend,
	const struct check_settings *check);

#endif
