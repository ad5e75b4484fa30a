/*
 * Writes what a backend is told of the client. Whatever a peer that nobody trusts says of itself is
 * not passed on in any spelling. A trusted one is a proxy: what it says is kept and added to,
 * unless it would swallow what is added (append.h).
 */
#include "config.h"

#include "forwarded.h"

#include <assert.h>

#include "append.h"
#include "head.h"

/* Everything that says who the client is or what it asked for. */
#define CLAIMS                                                                                     \
	(FIELD_BIT(FIELD_FORWARDED) | FIELD_BIT(FIELD_X_FORWARDED_FOR) |                           \
		FIELD_BIT(FIELD_X_FORWARDED_HOST) | FIELD_BIT(FIELD_X_FORWARDED_OTHER) |           \
		FIELD_BIT(FIELD_X_FORWARDED_PROTO) | FIELD_BIT(FIELD_X_REAL_IP))

uint32_t forwarded_without(struct fields *fields, const struct forward_request *how)
{
	uint32_t written = 0;

	if (!how->trusted)
		return CLAIMS;
	if (how->x_forwarded) {
		append_drop_unsafe(fields, FIELD_X_FORWARDED_FOR);
		written |= FIELD_BIT(FIELD_X_FORWARDED_FOR);
	}
	if (how->rfc7239) {
		append_drop_unsafe(fields, FIELD_FORWARDED);
		written |= FIELD_BIT(FIELD_FORWARDED);
	}
	return written & fields->present;
}

/*
 * Begins a field whose value is a list: its name, and what all fields from `first` on said that are
 * of the same name (RFC 9110 5.3). Returns what parts the next element from that.
 */
static struct slice begin_list(
	struct text *out, struct slice name, const struct fields *fields, const struct field *first)
{
	static const struct slice comma = { ", ", 2 };
	const struct field *end = fields->list + fields->count;
	struct slice between = name;

	assert(first == NULL || (first >= fields->list && first < end));
	for (const struct field *field = first; field != NULL && field < end; field++) {
		if (field->id != first->id || field->dropped || slice_is_empty(field->value))
			continue;
		text_add_slice(out, between);
		text_add_slice(out, field->value);
		between = comma;
	}
	return between;
}

/* What the peer said, where it is believed. */
static const struct field *said(
	const struct request *request, const struct forward_request *how, enum field_id id)
{
	return how->trusted ? fields_find(&request->fields, id) : NULL;
}

static void write_x_forwarded(
	struct text *out, const struct request *request, const struct forward_request *how)
{
	static const struct slice name = { "X-Forwarded-For: ", 17 };
	struct slice between =
		begin_list(out, name, &request->fields, said(request, how, FIELD_X_FORWARDED_FOR));

	if (!slice_is_empty(how->peer)) {
		text_add_slice(out, between);
		text_add_slice(out, how->peer);
	}
	if (!slice_is_empty(how->peer) || between.data != name.data)
		text_add_string(out, "\r\n");
	if (said(request, how, FIELD_X_FORWARDED_HOST) == NULL)
		head_write_named(out, "X-Forwarded-Host", request->host);
	if (said(request, how, FIELD_X_FORWARDED_PROTO) == NULL)
		head_write_named(out, "X-Forwarded-Proto", how->scheme);
}

/* In quotes where it is no token (RFC 7239 4). Neither hosts nor addresses have quotes in them. */
static void add_parameter(struct text *out, const char *name, struct slice value)
{
	bool plain = field_is_token(value);

	text_add_string(out, name);
	if (!plain)
		text_add_char(out, '"');
	text_add_slice(out, value);
	if (!plain)
		text_add_char(out, '"');
}

/* RFC 7239 6: an IPv6 address stands in brackets; a peer without an address is "unknown". */
static void add_node(struct text *out, struct slice peer)
{
	if (slice_is_empty(peer)) {
		text_add_string(out, "for=unknown");
	} else if (memchr(peer.data, ':', peer.len) != NULL) {
		text_add_string(out, "for=\"[");
		text_add_slice(out, peer);
		text_add_string(out, "]\"");
	} else {
		add_parameter(out, "for=", peer);
	}
}

static void write_rfc7239(
	struct text *out, const struct request *request, const struct forward_request *how)
{
	static const struct slice name = { "Forwarded: ", 11 };

	text_add_slice(
		out, begin_list(out, name, &request->fields, said(request, how, FIELD_FORWARDED)));
	add_node(out, how->peer);
	if (!slice_is_empty(request->host))
		add_parameter(out, ";host=", request->host);
	add_parameter(out, ";proto=", how->scheme);
	text_add_string(out, "\r\n");
}

void forwarded_write(
	struct text *out, const struct request *request, const struct forward_request *how)
{
	if (how->x_forwarded)
		write_x_forwarded(out, request, how);
	if (how->rfc7239)
		write_rfc7239(out, request, how);
}
