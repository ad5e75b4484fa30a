/* What stands in a line of each kind of a hand-over. */
#ifndef TINYLB_SRC_MASTER_UPGRADE_HANDOVER_RECORD_H
#define TINYLB_SRC_MASTER_UPGRADE_HANDOVER_RECORD_H

#include "handover.h"

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
struct handover_list *handover_record_list(struct handover *h, const struct record *r);
const struct handover_list *handover_record_peek(const struct handover *h, const struct record *r);

/* Writes all descriptors of `h` to `out`, unless that is NULL, and returns how many they are. */
size_t handover_record_descriptors(const struct handover *h, int *out);

#endif
