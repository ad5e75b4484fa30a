/* Compares new settings with old ones by what was counted with either. Pure. */
#ifndef TINYLB_SRC_MASTER_GENERATIONS_CANARY_COMPARE_H
#define TINYLB_SRC_MASTER_GENERATIONS_CANARY_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "board/board.h"

/*
 * True where with `new` there are clearly more answers of the class 5xx, failures to connect to a
 * backend, or slow answers (above twice what nine in ten of the old ones need, and 5 ms more) a
 * request than with `old`; `why` then says what was seen. Clearly is: in five requests at least, at
 * least twice as often, and by so much that chance would do it less than once in 30,000 times (a
 * test of two proportions at 4 standard errors).
 */
bool canary_compare_is_worse(
	const struct board_tally *old, const struct board_tally *new, char *why, size_t why_size);

/* What was counted since `before`: the difference, counter by counter. */
struct board_tally canary_compare_since(
	const struct board_tally *now, const struct board_tally *before);

/* The time in microseconds that nine in ten answers stayed below; UINT64_MAX: it is in the last
 * bucket; 0: there were no answers. */
uint64_t canary_compare_usual_us(const struct board_tally *tally);

#endif
