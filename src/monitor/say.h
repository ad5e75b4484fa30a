/* What the monitor says in the log of the backends. */
#ifndef TINYLB_MONITOR_SAY_H
#define TINYLB_MONITOR_SAY_H

#include <stdbool.h>
#include <stdint.h>

#include "ward.h"

/* `first`: nothing was known of it before. */
void say_down(const struct ward *w, bool first, const char *why);
void say_refusing(const struct ward *w, const char *why);

/* Its checks are passed; it is back for another reason. */
void say_up(const struct ward *w);
void say_back(const struct ward *w);

void say_ejected(const struct ward *w, uint64_t ms, const struct eject_cause *cause,
	const struct rows_tally *total);

/* Its name has other addresses; none. */
void say_addresses(const struct ward *w, bool is_new);
void say_gone(const struct ward *w);

#endif
