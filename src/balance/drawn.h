/*
 * What the pickers share that need nothing but an alias table: how one is made, takes other weights
 * and ends. They differ in what they do with their draws.
 */
#ifndef TINYLB_BALANCE_DRAWN_H
#define TINYLB_BALANCE_DRAWN_H

#include "alias.h"
#include "balance/picker.h"

struct picker {
	struct alias *table; /* owned */
};

/* As in struct picker_kind. */
struct picker *drawn_create(const struct picker_members *members);
int drawn_reweigh(struct picker *picker, const unsigned *weights);
void drawn_destroy(struct picker *picker);

#endif
