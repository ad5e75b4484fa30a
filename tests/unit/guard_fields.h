/* A field section at the very end of readable memory. */
#ifndef TINYLB_TESTS_GUARD_FIELDS_H
#define TINYLB_TESTS_GUARD_FIELDS_H

#include "guard.h"
#include "http/field.h"

/* Parses `input`, which must be whole and well-formed. The fields lie in guarded memory. */
static inline void guard_parse_fields(struct fields *fields, const char *input)
{
	size_t len = strlen(input);
	const char *why;
	bool too_many;

	fields_init(fields);
	assert_int_equal(
		fields_parse(fields, guard_place(input, len), len, FIELDS_MAX, &why, &too_many),
		(long)len);
}

#endif
