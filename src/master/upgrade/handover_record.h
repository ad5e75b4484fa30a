/* The table behind handover.h: what stands in a line of each kind. */
#ifndef TINYLB_SRC_MASTER_UPGRADE_HANDOVER_RECORD_H
#define TINYLB_SRC_MASTER_UPGRADE_HANDOVER_RECORD_H

#include "master/upgrade/handover.h"

enum field_type {
	FIELD_END,
	FIELD_NUMBER, /* uint32_t */
	FIELD_LONG,   /* uint64_t */
	FIELD_PLACE,  /* int; a dash for -1 */
	FIELD_FD,     /* the same, and a descriptor */
	FIELD_ADDRESS,
	FIELD_TEXT, /* the rest of the line */
};

struct field {
	enum field_type type;
	size_t offset;
	uint32_t max; /* of a number; 0: any */
};

#define FIELDS_MAX 12 /* with the end */

/* A kind of line. */
struct record {
	const char *word;
	size_t list; /* in struct handover */
	size_t size; /* of an item */
	struct field fields[FIELDS_MAX];
};

extern const struct record handover_records[];
extern const size_t handover_record_count;

/* The list of `h` that lines of this kind are kept in. */
struct handover_list *handover_list_of(struct handover *h, const struct record *r);

/* What handover_read cannot see in one line. NULL, or what is wrong. */
const char *handover_find_fault(const struct handover *h);

#endif
