/* Reads what the kernel and the balancer write: fixed words and numbers, one after the other. */
#ifndef TINYLB_COMMAND_SELFTEST_SCAN_H
#define TINYLB_COMMAND_SELFTEST_SCAN_H

#include <stdbool.h>
#include <stdint.h>

/* Each goes on with *at behind what it has read; false, and no step, where something else is there.
 */
bool selftest_scan_text(const char **at, const char *text);
bool selftest_scan_number(const char **at, int base, uint64_t *number);

/* Behind the next `count` words and the spaces before and after each. */
void selftest_scan_over(const char **at, unsigned count);

#endif
