/*
 * Trailer sections: read with the grammar of head fields and less of a limit, and freed of what
 * must not come after the content (RFC 9110 6.5.1). What is left stays a trailer; nothing is ever
 * merged into the head.
 */
#include "config.h"

#include <assert.h>

#include "http/chunk.h"

#define TRAILER_SIZE_MAX  8192
#define TRAILER_COUNT_MAX 64

/* Besides every field that this program knows by name: who reads these late has already acted
 * without them (authentication, caching, conditions, what the content is). */
static const char *const forbidden[] = {
	"age",
	"authorization",
	"cache-control",
	"content-encoding",
	"content-range",
	"content-type",
	"cookie",
	"expires",
	"if-match",
	"if-modified-since",
	"if-none-match",
	"if-range",
	"if-unmodified-since",
	"pragma",
	"proxy-authentication-info",
	"range",
	"retry-after",
	"vary",
	"warning",
	"www-authenticate",
};

static bool is_forbidden(const struct field *field)
{
	if (field->id != FIELD_OTHER)
		return true;
	for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
		if (slice_equals_nocase(field->name, slice_of_string(forbidden[i])))
			return true;
	}
	return false;
}

/* A section that comes in pieces is parsed when its end or a whole line may have come: there are
 * not many lines, so that octets that come one at a time stay cheap. */
static bool is_ripe(const char *data, size_t len)
{
	const char *end = data + len;
	const char *at = data;

	if (len >= TRAILER_SIZE_MAX || end[-1] == '\n')
		return true;
	for (unsigned lines = 0; lines <= TRAILER_COUNT_MAX; lines++) {
		if (at < end && *at == '\r')
			return true;
		at = memchr(at, '\n', (size_t)(end - at));
		if (at == NULL)
			return false;
		at++;
	}
	return true;
}

enum parse_result trailers_parse(
	struct fields *fields, const char *data, size_t len, size_t *used, const char **why)
{
	size_t within = len < TRAILER_SIZE_MAX ? len : TRAILER_SIZE_MAX;
	bool too_many;
	long n;

	fields_init(fields);
	if (len == 0 || !is_ripe(data, len))
		return PARSE_PARTIAL;
	n = fields_parse(fields, data, within, TRAILER_COUNT_MAX, why, &too_many);
	if (n == 0 && len >= TRAILER_SIZE_MAX) {
		*why = "trailers are too long";
		return PARSE_BAD;
	}
	if (n <= 0)
		return n < 0 ? PARSE_BAD : PARSE_PARTIAL;
	for (unsigned i = 0; i < fields->count; i++)
		fields->list[i].dropped = is_forbidden(&fields->list[i]);
	assert((size_t)n <= within);
	*used = (size_t)n;
	return PARSE_DONE;
}
