/* The list of algorithms, by the names that the settings use. What each does stands in picker.h. */
#ifndef TINYLB_BALANCE_PICKERS_H
#define TINYLB_BALANCE_PICKERS_H

#include "balance/picker.h"

/* All kinds, ended by NULL. */
extern const struct picker_kind *const pickers_all[];

/* The kind with this name, or NULL when there is none. */
const struct picker_kind *pickers_find(const char *name);

#endif
