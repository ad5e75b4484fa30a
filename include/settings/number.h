/* Numbers with a unit: durations in milliseconds, sizes in bytes. */
#ifndef TINYLB_SETTINGS_NUMBER_H
#define TINYLB_SETTINGS_NUMBER_H

#include <stdint.h>

#include "base/text.h"

/* Reads "250ms", "5s", "2m" or "1h": a whole number and a unit. What is too large becomes
 * INT64_MAX. 0, or -1. */
int number_parse_duration(const char *text, int64_t *ms) __attribute__((warn_unused_result));

/* Reads "64k", "1M", "1G" or "512" (bytes), the unit in any case. As above. */
int number_parse_size(const char *text, int64_t *bytes) __attribute__((warn_unused_result));

/* With the largest unit that is exact: "90s", "32k". */
void number_add_duration(struct text *out, int64_t ms);
void number_add_size(struct text *out, int64_t bytes);

#endif
