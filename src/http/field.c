/*
 * Reads the field lines of a head or a trailer section into slices, and tells the fields that this
 * program knows from the others. framing.c, request.c and response.c say what the fields mean.
 */
#include "config.h"

#include <assert.h>

#include "field_names.h"
#include "head.h"
#include "http/field.h"
#include "octet.h"

#define HOP_BY_HOP                                                                                 \
	(FIELD_BIT(FIELD_CONNECTION) | FIELD_BIT(FIELD_HTTP2_SETTINGS) |                           \
		FIELD_BIT(FIELD_KEEP_ALIVE) | FIELD_BIT(FIELD_PROXY_AUTHORIZATION) |               \
		FIELD_BIT(FIELD_PROXY_CONNECTION) | FIELD_BIT(FIELD_TE) |                          \
		FIELD_BIT(FIELD_TRANSFER_ENCODING) | FIELD_BIT(FIELD_UPGRADE))

/* Fields that stay although a Connection field names them: framing, routing, what identifies the
 * client, and the date that every response has. */
#define NOT_TO_BE_NAMED                                                                            \
	(FIELD_BIT(FIELD_CDN_LOOP) | FIELD_BIT(FIELD_CONTENT_LENGTH) | FIELD_BIT(FIELD_DATE) |     \
		FIELD_BIT(FIELD_EXPECT) | FIELD_BIT(FIELD_FORWARDED) | FIELD_BIT(FIELD_HOST) |     \
		FIELD_BIT(FIELD_TRANSFER_ENCODING) | FIELD_BIT(FIELD_VIA) |                        \
		FIELD_BIT(FIELD_X_FORWARDED_FOR) | FIELD_BIT(FIELD_X_FORWARDED_HOST) |             \
		FIELD_BIT(FIELD_X_FORWARDED_OTHER) | FIELD_BIT(FIELD_X_FORWARDED_PROTO) |          \
		FIELD_BIT(FIELD_X_REAL_IP) | FIELD_BIT(FIELD_X_REQUEST_ID))

_Static_assert(FIELD_ID_COUNT <= 32, "ids fit the bit sets of struct fields");

bool field_is_token(struct slice s)
{
	const char *end = s.data + s.len;

	return s.len > 0 && octet_skip(s.data, end, OCTET_TOKEN) == end;
}

enum field_id field_id_of(struct slice name)
{
	return field_names_find(name);
}

/* A server behind a CGI-like interface cannot tell X_Forwarded_For from X-Forwarded-For (puma's
 * CVE-2024-45614); some servers cannot tell X.Forwarded.For from it either. So a client that sends
 * the one may want to forge the other.
 */
static enum field_id id_of_marked(struct slice name)
{
	/* One more than a name has that is known by all of it. */
	char dashed[FIELD_NAMES_LONGEST + 1];
	size_t len = name.len < sizeof dashed ? name.len : sizeof dashed;

	for (size_t i = 0; i < len; i++)
		dashed[i] = octet_is(name.data[i], OCTET_NAME) ? name.data[i] : '-';
	return field_id_of(slice_of(dashed, len)) != FIELD_OTHER ? FIELD_TWIN : FIELD_OTHER;
}

static const char *bad(const char **why, const char *reason)
{
	*why = reason;
	return NULL;
}

/* A name that did not end in a colon at `p`: it may go on with another mark, or be wrong. */
static const char *read_odd_name(
	struct field *field, const char *begin, const char *p, const char *end, const char **why)
{
	p = octet_skip(p, end, OCTET_TOKEN);
	if (p == end)
		return NULL;
	if (p == begin && octet_is_blank(*p))
		return bad(why, "folded field line or blank before a field name");
	if (p == begin || *p != ':')
		return bad(why, "bad field name");
	field->name = slice_of(begin, (size_t)(p - begin));
	field->id = id_of_marked(field->name);
	return p + 1;
}

/* Reads up to and with the colon. */
static inline const char *read_name(
	struct field *field, const char *begin, const char *end, const char **why)
{
	const char *p = octet_skip(begin, end, OCTET_NAME);

	if (p == end || *p != ':' || p == begin)
		return read_odd_name(field, begin, p, end, why);
	field->name = slice_of(begin, (size_t)(p - begin));
	field->id = field_names_find(field->name);
	return p + 1;
}

/* Reads what follows the colon, with the CRLF. */
static inline const char *read_value(
	struct field *field, const char *begin, const char *end, const char **why)
{
	const char *stop;
	const char *next;

	field->plain = end - begin >= 2 && begin[0] == ' ' && begin[1] > ' ';
	if (field->plain)
		begin++;
	else
		begin = octet_skip_blanks(begin, end);
	stop = octet_skip_value(begin, end);
	if (end - stop >= 2 && stop[0] == '\r' && stop[1] == '\n')
		next = stop + 2;
	else
		next = head_line_end(stop, end, why);
	if (next == NULL)
		return NULL;
	while (octet_is_blank(stop[-1]) && stop > begin) {
		stop--;
		field->plain = false;
	}
	field->value = slice_of(begin, (size_t)(stop - begin));
	return next;
}

static inline const char *read_line(
	struct field *field, const char *p, const char *end, const char **why)
{
	field->dropped = false;
	p = read_name(field, p, end, why);
	return p != NULL ? read_value(field, p, end, why) : NULL;
}

const char *field_parse_line(struct field *field, const char *p, const char *end, const char **why)
{
	return read_line(field, p, end, why);
}

void fields_init(struct fields *fields)
{
	fields->count = 0;
	fields->present = 0;
	fields->repeated = 0;
}

static inline void enter(struct fields *fields, enum field_id id)
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
		p = read_line(field, p, end, why);
		if (p == NULL)
			return *why != NULL ? -1 : 0;
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
	assert(fields->first[id] < fields->count);
	return &fields->list[fields->first[id]];
}

bool fields_next_present(const struct fields *fields, enum field_id id, struct field_elements *at,
	struct slice *element)
{
	if (at->next == 0) {
		at->next = fields->first[id] + 1U;
		at->rest = fields->list[fields->first[id]].value;
	}
	while (!slice_next_element(&at->rest, element)) {
		if ((fields->repeated & FIELD_BIT(id)) == 0)
			return false;
		while (at->next < fields->count && fields->list[at->next].id != id)
			at->next++;
		if (at->next >= fields->count)
			return false;
		at->rest = fields->list[at->next++].value;
	}
	return true;
}

static void drop_named(struct fields *fields, struct slice name)
{
	for (unsigned i = 0; i < fields->count; i++) {
		struct field *field = &fields->list[i];

		if ((FIELD_BIT(field->id) & NOT_TO_BE_NAMED) == 0 &&
			slice_equals_nocase(field->name, name))
			field->dropped = true;
	}
}

void fields_drop_listed(struct fields *fields, struct slice list)
{
	struct slice name;

	while (slice_next_element(&list, &name))
		drop_named(fields, name);
}

void fields_write_named(const struct fields *fields, struct text *list)
{
	if ((fields->present & FIELD_BIT(FIELD_CONNECTION)) == 0)
		return;
	for (unsigned i = fields->first[FIELD_CONNECTION]; i < fields->count; i++) {
		const struct field *field = &fields->list[i];

		if (field->id != FIELD_CONNECTION)
			continue;
		if (list->len > 0)
			text_add_char(list, ',');
		text_add_slice(list, field->value);
	}
}

void fields_drop_hop_by_hop(struct fields *fields)
{
	if ((fields->present & HOP_BY_HOP) == 0)
		return;
	for (unsigned i = 0; i < fields->count; i++) {
		struct field *field = &fields->list[i];

		if ((FIELD_BIT(field->id) & HOP_BY_HOP) == 0)
			continue;
		field->dropped = true;
		if (field->id == FIELD_CONNECTION)
			fields_drop_listed(fields, field->value);
	}
}
