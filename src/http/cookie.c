/*
 * Cookie fields are cut at each semicolon and each part at its first "=", as browsers and servers
 * do; quotes protect nothing. Knows what a cookie is, not what any of them means.
 */
#include "config.h"

#include "http/cookie.h"

#include <assert.h>

#include "head.h"

/* Takes the next part of a Cookie field's value off *rest, with its blanks; false: none is left. */
static bool next_part(struct slice *rest, struct slice *part)
{
	const char *end;

	if (slice_is_empty(*rest))
		return false;
	end = memchr(rest->data, ';', rest->len);
	*part = slice_of(rest->data, end != NULL ? (size_t)(end - rest->data) : rest->len);
	rest->data += part->len + (end != NULL);
	rest->len -= part->len + (end != NULL);
	return true;
}

static struct cookie cookie_of(struct slice part)
{
	const char *sign = slice_is_empty(part) ? NULL : memchr(part.data, '=', part.len);
	size_t name_len;

	if (sign == NULL)
		return (struct cookie){ .value = slice_trim(part) };
	name_len = (size_t)(sign - part.data);
	return (struct cookie){
		.name = slice_trim(slice_of(part.data, name_len)),
		.value = slice_trim(slice_of(sign + 1, part.len - name_len - 1)),
	};
}

bool cookies_next(struct cookies *c, struct cookie *cookie)
{
	const struct fields *fields = c->fields;
	struct slice part;

	if ((fields->present & FIELD_BIT(FIELD_COOKIE)) == 0)
		return false;
	while (!next_part(&c->rest, &part)) {
		while (c->next < fields->count && fields->list[c->next].id != FIELD_COOKIE)
			c->next++;
		assert(c->next <= fields->count);
		if (c->next == fields->count)
			return false;
		c->rest = fields->list[c->next++].value;
	}
	*cookie = cookie_of(part);
	return true;
}

struct slice cookie_find(const struct fields *fields, struct slice name)
{
	struct cookies cookies = cookies_of(fields);
	struct cookie cookie;

	while (cookies_next(&cookies, &cookie))
		if (slice_equals(cookie.name, name))
			return cookie.value;
	return slice_of(NULL, 0);
}

static bool has_cookie(struct slice value, struct slice name)
{
	struct slice part;

	while (next_part(&value, &part))
		if (slice_equals(cookie_of(part).name, name))
			return true;
	return false;
}

/* The parts that stay do so byte by byte: what is written is never longer than what came. */
static void write_others(struct text *out, const struct field *field, struct slice name)
{
	struct slice rest = field->value;
	struct slice part;
	bool begun = false;

	while (next_part(&rest, &part)) {
		if (slice_equals(cookie_of(part).name, name))
			continue;
		if (begun) {
			text_add_char(out, ';');
			text_add_slice(out, part);
			continue;
		}
		part = slice_trim(part);
		if (slice_is_empty(part))
			continue;
		text_add_slice(out, field->name);
		text_add_string(out, ": ");
		text_add_slice(out, part);
		begun = true;
	}
	if (begun)
		text_add_string(out, "\r\n");
}

void cookie_write_without(struct text *out, const struct fields *fields, struct slice name)
{
	if ((fields->present & FIELD_BIT(FIELD_COOKIE)) == 0)
		return;
	for (unsigned i = fields->first[FIELD_COOKIE]; i < fields->count; i++) {
		const struct field *field = &fields->list[i];

		if (field->id != FIELD_COOKIE || field->dropped)
			continue;
		if (has_cookie(field->value, name))
			write_others(out, field, name);
		else
			head_write_field(out, field);
	}
}

void cookie_drop_set(struct fields *fields, struct slice name)
{
	if ((fields->present & FIELD_BIT(FIELD_SET_COOKIE)) == 0)
		return;
	for (unsigned i = fields->first[FIELD_SET_COOKIE]; i < fields->count; i++) {
		struct field *field = &fields->list[i];
		struct slice rest = field->value;
		struct slice part;

		if (field->id == FIELD_SET_COOKIE && next_part(&rest, &part) &&
			slice_equals(cookie_of(part).name, name))
			field->dropped = true;
	}
}

void cookie_write_set(struct text *out, struct slice name, struct slice value, bool secure)
{
	text_add_string(out, "Set-Cookie: ");
	text_add_slice(out, name);
	text_add_char(out, '=');
	text_add_slice(out, value);
	text_add_string(out, "; Path=/; HttpOnly; SameSite=Lax");
	text_add_string(out, secure ? "; Secure\r\n" : "\r\n");
	text_add_string(out, "Cache-Control: private\r\n");
}
