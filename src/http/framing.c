/*
 * Decides where a body ends and whether its connection stays open. Everything that could be read in
 * two ways is refused here; nothing is repaired. So Content-Length and Transfer-Encoding are not
 * read as other lists are: empty elements, equal values and several fields are refused, because
 * peers differ in what they make of them, and then in where the body ends.
 */
#include "config.h"

#include <assert.h>

#include "framing.h"
#include "octet.h"

static int refuse(const char **why, int status, const char *reason)
{
	*why = reason;
	return status;
}

static int read_length(const struct fields *fields, struct body *body, const char **why)
{
	const struct field *field = fields_find(fields, FIELD_CONTENT_LENGTH);

	if ((fields->repeated & FIELD_BIT(FIELD_CONTENT_LENGTH)) != 0)
		return refuse(why, 400, "several Content-Length fields");
	if (slice_parse_decimal(field->value, INT64_MAX, &body->length) == -1)
		return refuse(why, 400, "bad Content-Length");
	body->kind = BODY_LENGTH;
	return 0;
}

/* A coding with its parameters, less quoted ones: token *( OWS ";" OWS token "=" token ). */
static bool coding_is_well_formed(struct slice coding)
{
	bool name = true;

	for (;;) {
		const char *semicolon = memchr(coding.data, ';', coding.len);
		size_t len = semicolon != NULL ? (size_t)(semicolon - coding.data) : coding.len;
		struct slice part = slice_trim(slice_of(coding.data, len));
		const char *equals = memchr(part.data, '=', part.len);
		struct slice after = { 0 };

		if (!name && equals == NULL)
			return false;
		if (!name) {
			after = slice_of(equals + 1, (size_t)(part.data + part.len - equals - 1));
			part.len = (size_t)(equals - part.data);
		}
		if (!field_is_token(part) || (!name && !field_is_token(after)))
			return false;
		if (semicolon == NULL)
			return true;
		coding = slice_of(semicolon + 1, coding.len - len - 1);
		name = false;
	}
}

/*
 * Judges a list that is not exactly "chunked". Returns 501 for codings that we do not know. Returns
 * 400 for what is wrong whatever codings one knows: chunked that is not the last, comes twice, or
 * has parameters, and bad grammar.
 */
static int judge_codings(struct slice list, bool *chunked_before)
{
	for (;;) {
		const char *comma = memchr(list.data, ',', list.len);
		size_t len = comma != NULL ? (size_t)(comma - list.data) : list.len;
		struct slice coding = slice_trim(slice_of(list.data, len));
		struct slice name = coding;
		const char *semicolon = memchr(coding.data, ';', coding.len);

		if (*chunked_before || !coding_is_well_formed(coding))
			return 400;
		if (semicolon != NULL)
			name = slice_trim(slice_of(coding.data, (size_t)(semicolon - coding.data)));
		*chunked_before = slice_equals_nocase(name, slice_of_string("chunked"));
		if (*chunked_before && semicolon != NULL)
			return 400;
		if (comma == NULL)
			return 501;
		list = slice_of(comma + 1, list.len - len - 1);
	}
}

static int refuse_codings(const struct fields *fields, const char **why)
{
	bool chunked_before = false;

	assert((fields->present & FIELD_BIT(FIELD_TRANSFER_ENCODING)) != 0);
	for (unsigned i = fields->first[FIELD_TRANSFER_ENCODING]; i < fields->count; i++) {
		const struct field *field = &fields->list[i];

		if (field->id == FIELD_TRANSFER_ENCODING &&
			judge_codings(field->value, &chunked_before) == 400)
			return refuse(why, 400, "bad Transfer-Encoding");
	}
	return refuse(why, 501, "unknown transfer coding");
}

int framing_read(const struct fields *fields, struct body *body, const char **why)
{
	const uint32_t codings = FIELD_BIT(FIELD_TRANSFER_ENCODING);
	const uint32_t length = FIELD_BIT(FIELD_CONTENT_LENGTH);

	body->kind = BODY_NONE;
	body->length = 0;
	if ((fields->present & (codings | length)) == 0)
		return 0;
	if ((fields->present & codings) == 0)
		return read_length(fields, body, why);
	if ((fields->present & length) != 0)
		return refuse(why, 400, "both Transfer-Encoding and Content-Length");
	if ((fields->repeated & codings) != 0 ||
		!slice_equals_nocase(fields_find(fields, FIELD_TRANSFER_ENCODING)->value,
			slice_of_string("chunked")))
		return refuse_codings(fields, why);
	body->kind = BODY_CHUNKED;
	return 0;
}

static void note_option(struct connection_options *options, struct slice option)
{
	if (slice_equals_nocase(option, slice_of_string("keep-alive")))
		options->keep_alive = true;
	else if (slice_equals_nocase(option, slice_of_string("close")))
		options->close = true;
	else if (slice_equals_nocase(option, slice_of_string("upgrade")))
		options->upgrade = true;
	else if (!field_is_token(option))
		options->malformed = true;
}

int framing_read_options(struct connection_options *options, const struct fields *fields)
{
	struct field_elements at = { 0 };
	struct slice option;
	unsigned count = 0;

	while (fields_next_element(fields, FIELD_CONNECTION, &at, &option)) {
		if (++count > CONNECTION_OPTIONS_MAX)
			return -1;
		note_option(options, option);
	}
	return 0;
}
