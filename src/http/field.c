/*
 * Field sections: reads the lines of a head or a trailer section into slices and tells the fields
 * this program knows from the others. What the fields mean is framing.c's, request.c's and
 * response.c's business.
 */
#include "config.h"

#include "head.h"
#include "http/field.h"
#include "octet.h"

#define NAME_MIN 2
#define NAME_MAX 19

static const struct known {
	const char *name; /* in lower case */
	enum field_id id;
} known[NAME_MAX + 1][2] = {
	/* by length: there are never more than two */
	[2] = { { "te", FIELD_TE } },
	[3] = { { "via", FIELD_VIA } },
	[4] = { { "host", FIELD_HOST }, { "date", FIELD_DATE } },
	[6] = { { "expect", FIELD_EXPECT } },
	[7] = { { "upgrade", FIELD_UPGRADE }, { "trailer", FIELD_TRAILER } },
	[9] = { { "forwarded", FIELD_FORWARDED }, { "x-real-ip", FIELD_X_REAL_IP } },
	[10] = { { "connection", FIELD_CONNECTION }, { "keep-alive", FIELD_KEEP_ALIVE } },
	[12] = { { "x-request-id", FIELD_X_REQUEST_ID }, { "max-forwards", FIELD_MAX_FORWARDS } },
	[14] = { { "content-length", FIELD_CONTENT_LENGTH },
		{ "http2-settings", FIELD_HTTP2_SETTINGS } },
	[15] = { { "x-forwarded-for", FIELD_X_FORWARDED_FOR } },
	[16] = { { "x-forwarded-host", FIELD_X_FORWARDED_HOST },
		{ "proxy-connection", FIELD_PROXY_CONNECTION } },
	[17] = { { "transfer-encoding", FIELD_TRANSFER_ENCODING },
		{ "x-forwarded-proto", FIELD_X_FORWARDED_PROTO } },
	[18] = { { "proxy-authenticate", FIELD_PROXY_AUTHENTICATE } },
	[19] = { { "proxy-authorization", FIELD_PROXY_AUTHORIZATION } },
};

#define HOP_BY_HOP                                                                                 \
	(FIELD_BIT(FIELD_CONNECTION) | FIELD_BIT(FIELD_HTTP2_SETTINGS) |                           \
		FIELD_BIT(FIELD_KEEP_ALIVE) | FIELD_BIT(FIELD_PROXY_AUTHENTICATE) |                \
		FIELD_BIT(FIELD_PROXY_AUTHORIZATION) | FIELD_BIT(FIELD_PROXY_CONNECTION) |         \
		FIELD_BIT(FIELD_TE) | FIELD_BIT(FIELD_TRANSFER_ENCODING) |                         \
		FIELD_BIT(FIELD_UPGRADE))

_Static_assert(FIELD_ID_COUNT <= 32, "ids fit the bit sets of struct fields");

bool field_is_token(struct slice s)
{
	const char *end = s.data + s.len;

	return s.len > 0 && octet_skip(s.data, end, OCTET_TOKEN) == end;
}

enum field_id field_id_of(struct slice name)
{
	if (name.len < NAME_MIN || name.len > NAME_MAX)
		return FIELD_OTHER;
	for (int i = 0; i < 2; i++) {
		const struct known *k = &known[name.len][i];

		if (k->name != NULL && k->name[0] == (name.data[0] | 0x20) &&
			slice_equals_nocase(name, slice_of(k->name, name.len)))
			return k->id;
	}
	return FIELD_OTHER;
}

/* A server behind a CGI-like interface cannot tell X_Forwarded_For from X-Forwarded-For (puma's
 * CVE-2024-45614), so whoever sends the one means to forge the other. */
static enum field_id id_of_underscored(struct slice name)
{
	char dashed[NAME_MAX];

	if (name.len > sizeof dashed)
		return FIELD_OTHER;
	memcpy(dashed, name.data, name.len);
	for (size_t i = 0; i < name.len; i++) {
		if (dashed[i] == '_')
			dashed[i] = '-';
	}
	return field_id_of(slice_of(dashed, name.len)) != FIELD_OTHER ? FIELD_UNDERSCORE_TWIN
								      : FIELD_OTHER;
}

static const char *bad(const char **why, const char *reason)
{
	*why = reason;
	return NULL;
}

/* Reads up to and with the colon. */
static const char *read_name(struct field *field, const char *p, const char *end, const char **why)
{
	const char *begin = p;
	bool underscored = false;

	p = octet_skip(p, end, OCTET_NAME);
	if (p < end && *p == '_') {
		underscored = true;
		p = octet_skip(p, end, OCTET_TOKEN);
	}
	if (p == end)
		return NULL;
	if (p == begin && (*p == ' ' || *p == '\t'))
		return bad(why, "folded field line or blank before a field name");
	if (*p != ':' || p == begin)
		return bad(why, "bad field name");
	field->name = slice_of(begin, (size_t)(p - begin));
	field->id = underscored ? id_of_underscored(field->name) : field_id_of(field->name);
	return p + 1;
}

const char *head_line_end(const char *p, const char *end, const char **why)
{
	if (p == end)
		return NULL;
	if (*p == '\n')
		return bad(why, "line ends with a bare LF");
	if (*p != '\r')
		return bad(why, "control character");
	if (p + 1 == end)
		return NULL;
	if (p[1] != '\n')
		return bad(why, "bare CR");
	return p + 2;
}

/* Reads what follows the colon, with the CRLF. */
static const char *read_value(struct field *field, const char *p, const char *end, const char **why)
{
	const char *after_colon = p;
	const char *stop;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	stop = octet_skip_value(p, end);
	end = head_line_end(stop, end, why);
	if (end == NULL)
		return NULL;
	field->plain = p == after_colon + 1 && *after_colon == ' ';
	while (stop > p && (stop[-1] == ' ' || stop[-1] == '\t')) {
		stop--;
		field->plain = false;
	}
	field->value = slice_of(p, (size_t)(stop - p));
	return end;
}

const char *head_field_line(struct field *field, const char *p, const char *end, const char **why)
{
	p = read_name(field, p, end, why);
	if (p == NULL)
		return NULL;
	return read_value(field, p, end, why);
}

void fields_init(struct fields *fields)
{
	fields->count = 0;
	fields->present = 0;
	fields->repeated = 0;
}

static void enter(struct fields *fields, enum field_id id)
{
	if (id != FIELD_OTHER) {
		fields->repeated |= fields->present & FIELD_BIT(id);
		if ((fields->present & FIELD_BIT(id)) == 0)
			fields->first[id] = (uint16_t)fields->count;
		fields->present |= FIELD_BIT(id);
	}
	fields->count++;
}

long fields_parse(struct fields *fields, const char *data, size_t len, unsigned max,
	const char **why, bool *too_many)
{
	const char *p = data;
	const char *end = data + len;

	*why = NULL;
	*too_many = false;
	if (max > FIELDS_MAX)
		max = FIELDS_MAX;
	while (p < end && *p != '\r') {
		struct field *field = &fields->list[fields->count];

		if (fields->count >= max) {
			*too_many = true;
			*why = "too many fields";
			return -1;
		}
		p = head_field_line(field, p, end, why);
		if (p == NULL)
			return *why != NULL ? -1 : 0;
		field->dropped = false;
		enter(fields, field->id);
	}
	p = head_line_end(p, end, why);
	if (p == NULL)
		return *why != NULL ? -1 : 0;
	return p - data;
}

const struct field *fields_find(const struct fields *fields, enum field_id id)
{
	if ((fields->present & FIELD_BIT(id)) == 0)
		return NULL;
	return &fields->list[fields->first[id]];
}

bool fields_connection_has(const struct fields *fields, const char *option)
{
	struct slice wanted = slice_of_string(option);
	struct slice rest, element;

	if ((fields->present & FIELD_BIT(FIELD_CONNECTION)) == 0)
		return false;
	for (unsigned i = fields->first[FIELD_CONNECTION]; i < fields->count; i++) {
		if (fields->list[i].id != FIELD_CONNECTION)
			continue;
		rest = fields->list[i].value;
		while (slice_next_element(&rest, &element)) {
			if (slice_equals_nocase(element, wanted))
				return true;
		}
	}
	return false;
}

static void drop_named(struct fields *fields, struct slice name)
{
	for (unsigned i = 0; i < fields->count; i++) {
		struct field *field = &fields->list[i];

		if ((field->id == FIELD_OTHER || field->id == FIELD_UNDERSCORE_TWIN) &&
			slice_equals_nocase(field->name, name))
			field->dropped = true;
	}
}

void fields_drop_hop_by_hop(struct fields *fields)
{
	if ((fields->present & HOP_BY_HOP) == 0)
		return;
	for (unsigned i = 0; i < fields->count; i++) {
		struct field *field = &fields->list[i];
		struct slice rest, option;

		if ((FIELD_BIT(field->id) & HOP_BY_HOP) == 0)
			continue;
		field->dropped = true;
		rest = field->value;
		while (field->id == FIELD_CONNECTION && slice_next_element(&rest, &option)) {
			if (field_id_of(option) == FIELD_OTHER)
				drop_named(fields, option);
		}
	}
}
