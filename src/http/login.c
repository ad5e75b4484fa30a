/*
 * Finds the schemes of credentials and challenges. Where a field is malformed, a login is found
 * rather than overlooked: an overlooked one would share its connection with other clients.
 */
#include "config.h"

#include "http/login.h"

#include "octet.h"

static bool is_of_connections(struct slice scheme)
{
	static const struct slice schemes[] = { { "NTLM", 4 }, { "Negotiate", 9 }, { "Nego2", 5 } };

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
		if (slice_equals_nocase(scheme, schemes[i]))
			return true;
	return false;
}

/* Past the quoted string that begins at `p`; where it has no end, past the quote alone. */
static const char *skip_quoted(const char *p, const char *end)
{
	for (const char *q = p + 1; q < end; q++) {
		if (*q == '"')
			return q + 1;
		if (*q == '\\')
			q++;
	}
	return p + 1;
}

/* Past the next comma that is not quoted. */
static const char *skip_element(const char *p, const char *end)
{
	while (p < end && *p != ',')
		p = *p == '"' ? skip_quoted(p, end) : p + 1;
	return p < end ? p + 1 : p;
}

/* Each element of the list is a challenge's scheme, perhaps with its first parameter or a token68
 * behind it, or a further parameter: a token and "=". */
static bool value_has_scheme(struct slice value)
{
	const char *end = value.data + value.len;

	for (const char *p = value.data; p < end; p = skip_element(p, end)) {
		const char *begin = octet_skip_blanks(p, end);
		const char *stop = octet_skip(begin, end, OCTET_TOKEN);
		const char *next = octet_skip_blanks(stop, end);

		if (is_of_connections(slice_of(begin, (size_t)(stop - begin))) &&
			(next == end || *next != '='))
			return true;
	}
	return false;
}

static bool any_has_scheme(const struct fields *fields, enum field_id id)
{
	for (unsigned i = fields->first[id]; i < fields->count; i++)
		if (fields->list[i].id == id && value_has_scheme(fields->list[i].value))
			return true;
	return false;
}

bool login_find_credentials(const struct fields *fields)
{
	return any_has_scheme(fields, FIELD_AUTHORIZATION);
}

bool login_find_challenge(const struct fields *fields)
{
	return any_has_scheme(fields, FIELD_WWW_AUTHENTICATE);
}
