/*
 * Writes heads anew from what was understood. Every field that carries framing, routing or the
 * state of a connection is written here from the struct; a field of the message goes on only if
 * none of these. Nothing is decoded and nothing of the path is changed but for the prefix of the
 * backend.
 */
#include "config.h"

#include <assert.h>

#include "append.h"
#include "forwarded.h"
#include "head.h"
#include "http/cookie.h"
#include "http/forward.h"
#include "http/upgrade_offer.h"

/* Never copied: gone (hop-by-hop), or written from what they meant. Proxy-Authenticate is copied in
 * a 407 only. */
#define REWRITTEN                                                                                  \
	(FIELD_BIT(FIELD_CONNECTION) | FIELD_BIT(FIELD_CONTENT_LENGTH) |                           \
		FIELD_BIT(FIELD_PROXY_AUTHENTICATE) | FIELD_BIT(FIELD_TRANSFER_ENCODING) |         \
		FIELD_BIT(FIELD_UPGRADE))
#define REWRITTEN_REQUEST                                                                          \
	(REWRITTEN | FIELD_BIT(FIELD_EXPECT) | FIELD_BIT(FIELD_HOST) | FIELD_BIT(FIELD_TE) |       \
		FIELD_BIT(FIELD_TWIN) | FIELD_BIT(FIELD_X_REQUEST_ID))

/* Fields that stand plain one after another in the input are one copy. */
static void write_fields(struct text *out, const struct fields *fields, uint32_t without)
{
	struct slice run = { 0 };

	for (unsigned i = 0; i < fields->count; i++) {
		const struct field *field = &fields->list[i];

		if (field->dropped || (without & FIELD_BIT(field->id)) != 0)
			continue;
		if (field->plain && run.len > 0 && run.data + run.len == field->name.data) {
			run.len += head_plain_len(field);
			continue;
		}
		text_add_slice(out, run);
		run = slice_of(field->name.data, field->plain ? head_plain_len(field) : 0);
		if (!field->plain)
			head_write_field(out, field);
	}
	text_add_slice(out, run);
}

static void end_line(struct text *out)
{
	text_add_string(out, "\r\n");
}

/* The backend's path and the target, joined by exactly one slash. */
static void write_target(struct text *out, struct slice path, struct slice target)
{
	bool star = target.len == 1 && target.data[0] == '*';

	assert(!slice_is_empty(target));
	if (!star && !slice_is_empty(path)) {
		text_add_slice(out, path);
		if (path.data[path.len - 1] == '/' && target.data[0] == '/')
			target = slice_of(target.data + 1, target.len - 1);
		else if (path.data[path.len - 1] != '/' && target.data[0] != '/')
			text_add_char(out, '/');
	} else if (target.data[0] == '?') {
		text_add_char(out, '/');
	}
	text_add_slice(out, target);
}

static void write_framing(struct text *out, struct body body)
{
	if (body.kind == BODY_CHUNKED) {
		text_add_string(out, "Transfer-Encoding: chunked\r\n");
	} else if (body.kind == BODY_LENGTH) {
		text_add_string(out, "Content-Length: ");
		text_add_decimal(out, body.length);
		end_line(out);
	}
}

/* What only this connection is told (RFC 9110 7.6.1, 7.8, 10.1.1, 10.1.4). */
static void write_request_hop(struct text *out, const struct request *request, struct slice allowed)
{
	bool upgrade = request->upgrade && upgrade_offer_is_left(&request->fields, allowed);

	if (upgrade && request->te_trailers)
		text_add_string(out, "Connection: Upgrade, TE\r\n");
	else if (upgrade)
		text_add_string(out, "Connection: Upgrade\r\n");
	else if (request->te_trailers)
		text_add_string(out, "Connection: TE\r\n");
	if (upgrade) {
		text_add_string(out, "Upgrade: ");
		upgrade_offer_write(out, &request->fields, allowed);
		end_line(out);
	}
	if (request->te_trailers)
		text_add_string(out, "TE: trailers\r\n");
	if (request->expect_continue)
		text_add_string(out, "Expect: 100-continue\r\n");
}

/* Writes that the request went through here. The token has a length that the compiler knows. */
static void write_way(struct text *out, int minor, const struct forward_request *how)
{
	if (how->cdn_loop && how->token != NULL) {
		text_add_string(out, "CDN-Loop: ");
		text_add(out, how->token, FORWARD_TOKEN_LEN);
		end_line(out);
	}
	if (!how->via)
		return;
	if (minor > 0)
		text_add_string(out, "Via: 1.1 ");
	else
		text_add_string(out, "Via: 1.0 ");
	if (how->token != NULL)
		text_add(out, how->token, FORWARD_TOKEN_LEN);
	else
		text_add_string(out, "tinylb");
	end_line(out);
}

void forward_request(struct text *out, struct request *request, const struct forward_request *how)
{
	uint32_t without = REWRITTEN_REQUEST | forwarded_without(&request->fields, how);

	fields_drop_hop_by_hop(&request->fields);
	append_drop_unsafe(&request->fields, FIELD_VIA);
	append_drop_unsafe(&request->fields, FIELD_CDN_LOOP);
	if (request->body.kind != BODY_CHUNKED)
		without |= FIELD_BIT(FIELD_TRAILER);
	if (request->max_forwards >= 0)
		without |= FIELD_BIT(FIELD_MAX_FORWARDS);
	if (!slice_is_empty(how->cookie))
		without |= FIELD_BIT(FIELD_COOKIE);
	text_add_slice(out, request->method_name);
	text_add_char(out, ' ');
	write_target(out, how->path, request->target);
	text_add_string(out, " HTTP/1.1\r\nHost: ");
	text_add_slice(out, slice_is_empty(how->host) ? request->host : how->host);
	end_line(out);
	write_fields(out, &request->fields, without);
	if (!slice_is_empty(how->cookie))
		cookie_write_without(out, &request->fields, how->cookie);
	if (request->max_forwards > 0) {
		text_add_string(out, "Max-Forwards: ");
		text_add_decimal(out, (uint64_t)request->max_forwards - 1);
		end_line(out);
	}
	write_framing(out, request->body);
	write_request_hop(out, request, how->upgrade);
	forwarded_write(out, request, how);
	if (!slice_is_empty(how->request_id)) {
		text_add_string(out, "X-Request-Id: ");
		text_add_slice(out, how->request_id);
		end_line(out);
	}
	write_way(out, request->minor, how);
	end_line(out);
}

struct body forward_response_body(const struct response *response, int client_minor)
{
	struct body body = response->body;

	if (body.kind == BODY_CHUNKED || body.kind == BODY_UNTIL_CLOSE)
		body.kind = client_minor > 0 ? BODY_CHUNKED : BODY_UNTIL_CLOSE;
	return body;
}

static void write_status(struct text *out, const struct response *response)
{
	text_add_string(out, "HTTP/1.1 ");
	text_add_decimal(out, (uint64_t)response->status);
	text_add_char(out, ' ');
	text_add_slice(out, response->reason);
	end_line(out);
}

/* The length that a body would have had: of answers to HEAD, and of 304 (RFC 9110 8.6). */
static void write_announced_length(struct text *out, const struct fields *fields)
{
	const struct field *field = fields_find(fields, FIELD_CONTENT_LENGTH);
	struct body body = { BODY_LENGTH, 0 };

	if (field != NULL && slice_parse_decimal(field->value, INT64_MAX, &body.length) == 0)
		write_framing(out, body);
}

/* Writes the protocols that a 426 names, in no more bytes than they came in, and the option of
 * Connection that goes with them. The line is not ended. False: it names none, and nothing is
 * written. */
static bool write_required_upgrade(struct text *out, const struct fields *fields)
{
	const char *between = "Upgrade: ";
	struct field_elements at = { 0 };
	struct slice protocol;

	while (fields_next_element(fields, FIELD_UPGRADE, &at, &protocol)) {
		text_add_string(out, between);
		text_add_slice(out, protocol);
		between = ",";
	}
	if (between[0] != ',')
		return false;
	text_add_string(out, "\r\nConnection: Upgrade");
	return true;
}

/*
 * What only this connection is told. A 426 must say what to switch to (RFC 9110 15.5.22). In other
 * responses Upgrade only advertises ("h2,h2c" of Apache): it is left out, because browsers fail on
 * it behind a proxy. Keep-Alive, TE and Proxy-Connection are demanded by no status, and Trailer is
 * no field of a connection: it goes on where trailers do.
 */
static void write_response_hop(struct text *out, const struct response *response, bool close,
	const struct forward_response *how)
{
	bool keep = how->client_minor == 0 && how->keep_alive_10;

	if (response->status == 426 && write_required_upgrade(out, &response->fields)) {
		text_add_string(out, close ? ", close" : keep ? ", keep-alive" : "");
		end_line(out);
	} else if (close) {
		text_add_string(out, "Connection: close\r\n");
	} else if (keep) {
		text_add_string(out, "Connection: keep-alive\r\n");
	}
}

static void write_final(struct text *out, const struct response *response, struct body body,
	const struct forward_response *how)
{
	if (body.kind == BODY_NONE && response->status != 204)
		write_announced_length(out, &response->fields);
	write_framing(out, body);
	if (response->via && response->minor > 0)
		text_add_string(out, "Via: 1.1 tinylb\r\n");
	else if (response->via)
		text_add_string(out, "Via: 1.0 tinylb\r\n");
	write_response_hop(out, response, how->close || body.kind == BODY_UNTIL_CLOSE, how);
	if (fields_find(&response->fields, FIELD_DATE) == NULL && !slice_is_empty(how->date)) {
		text_add_string(out, "Date: ");
		text_add_slice(out, how->date);
		end_line(out);
	}
}

static void write_switch(struct text *out, struct slice protocol)
{
	text_add_string(out, "Connection: Upgrade\r\nUpgrade: ");
	text_add_slice(out, protocol);
	end_line(out);
}

void forward_response(
	struct text *out, struct response *response, const struct forward_response *how)
{
	struct body body = forward_response_body(response, how->client_minor);
	uint32_t without = REWRITTEN;

	fields_drop_hop_by_hop(&response->fields);
	if (!slice_is_empty(how->cookie))
		cookie_drop_set(&response->fields, how->cookie);
	if (body.kind != BODY_CHUNKED)
		without |= FIELD_BIT(FIELD_TRAILER);
	if (response->status == 407) /* which must have it: RFC 9110 15.5.8 */
		without &= ~FIELD_BIT(FIELD_PROXY_AUTHENTICATE);
	write_status(out, response);
	write_fields(out, &response->fields, without);
	if (response->status == 101)
		write_switch(out, response->upgrade);
	else if (response->status >= 200)
		write_final(out, response, body, how);
	if (!slice_is_empty(how->cookie_value) &&
		(response->status >= 200 || response->status == 101))
		cookie_write_set(out, how->cookie, how->cookie_value, how->cookie_secure);
	end_line(out);
}
