/*
 * Decides when to parse a head that arrives in pieces. It looks at lines and octets, and not at
 * what they mean. It keeps no state: the caller remembers how many bytes the last look covered.
 */
#include "config.h"

#include "head_ripe.h"

#include <assert.h>

#include "head.h"
#include "octet.h"

/* The line that ends with the LF at `lf`: is there anything in it that a parser must decide? */
static bool line_is_ripe(const char *data, size_t lf)
{
	const char *begin = data;
	const char *before;
	const char *why = NULL;
	struct field field;

	if (lf == 0 || data[lf - 1] != '\r')
		return true;
	before = memrchr(data, '\n', lf);
	if (before != NULL)
		begin = before + 1;
	if (begin == data || begin == data + 2) /* the first line, or an empty one and the first */
		return true;
	if (begin == data + lf - 1) /* empty: the end */
		return true;
	return field_parse_line(&field, begin, data + lf + 1, &why) == NULL;
}

static bool octet_is_ripe(const char *data, size_t at)
{
	if (data[at] == '\n')
		return line_is_ripe(data, at);
	if (data[at - 1] == '\r')
		return true;
	return data[at] != '\r' && !octet_is(data[at], OCTET_VALUE);
}

bool head_is_ripe(const char *data, size_t len, size_t seen, const struct head_limits *limits)
{
	assert(seen > 0 && seen <= len);
	if (len >= limits->size || (seen < HEAD_LINE_MAX && len >= HEAD_LINE_MAX))
		return true;
	for (size_t i = seen; i < len; i++) {
		if (octet_is_ripe(data, i))
			return true;
	}
	return false;
}
