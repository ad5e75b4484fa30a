/*
 * The invariant against smuggling: the head that goes on reads back as exactly one message, with
 * the same framing, method and status, the target joined with the backend's path, and nothing in it
 * that was meant for one connection only. Two bytes of an input choose what is written and how.
 */
#include "config.h"

#include "fuzz.h"
#include "http/cookie.h"
#include "http/forward.h"
#include "http/location.h"
#include "http/request.h"
#include "http/response.h"

static const struct head_limits limits = { 32768, FIELDS_MAX - 16 };
static const struct head_limits back_limits = { 65536, FIELDS_MAX };

static struct request request, request_back;
static struct response response, response_back;
static char out_room[80 * 1024];
static char twice_room[80 * 1024];

/* Goes with a connection and never further. */
#define HOP                                                                                        \
	(FIELD_BIT(FIELD_HTTP2_SETTINGS) | FIELD_BIT(FIELD_KEEP_ALIVE) |                           \
		FIELD_BIT(FIELD_PROXY_AUTHORIZATION) | FIELD_BIT(FIELD_PROXY_CONNECTION))
/* Connection cannot take these away: framing, routing, what is said of the client. */
#define NOT_TO_BE_NAMED                                                                            \
	(FIELD_BIT(FIELD_CDN_LOOP) | FIELD_BIT(FIELD_DATE) | FIELD_BIT(FIELD_EXPECT) |             \
		FIELD_BIT(FIELD_FORWARDED) | FIELD_BIT(FIELD_HOST) | FIELD_BIT(FIELD_VIA) |        \
		FIELD_BIT(FIELD_X_FORWARDED_FOR) | FIELD_BIT(FIELD_X_FORWARDED_HOST) |             \
		FIELD_BIT(FIELD_X_FORWARDED_OTHER) | FIELD_BIT(FIELD_X_FORWARDED_PROTO) |          \
		FIELD_BIT(FIELD_X_REAL_IP) | FIELD_BIT(FIELD_X_REQUEST_ID))
/* Written from what was understood. */
#define OURS_IN_REQUEST                                                                            \
	(FIELD_BIT(FIELD_CDN_LOOP) | FIELD_BIT(FIELD_CONNECTION) |                                 \
		FIELD_BIT(FIELD_CONTENT_LENGTH) | FIELD_BIT(FIELD_EXPECT) |                        \
		FIELD_BIT(FIELD_HOST) | FIELD_BIT(FIELD_MAX_FORWARDS) | FIELD_BIT(FIELD_TE) |      \
		FIELD_BIT(FIELD_PROXY_AUTHENTICATE) | FIELD_BIT(FIELD_TRANSFER_ENCODING) |         \
		FIELD_BIT(FIELD_UPGRADE) | FIELD_BIT(FIELD_VIA) | FIELD_BIT(FIELD_X_REQUEST_ID) |  \
		FIELD_BIT(FIELD_TWIN) | FIELD_BIT(FIELD_TRAILER))
/* What is said of the client. */
#define CLAIMS                                                                                     \
	(FIELD_BIT(FIELD_FORWARDED) | FIELD_BIT(FIELD_X_FORWARDED_FOR) |                           \
		FIELD_BIT(FIELD_X_FORWARDED_HOST) | FIELD_BIT(FIELD_X_FORWARDED_OTHER) |           \
		FIELD_BIT(FIELD_X_FORWARDED_PROTO) | FIELD_BIT(FIELD_X_REAL_IP))
#define OURS_IN_RESPONSE                                                                           \
	(FIELD_BIT(FIELD_CONNECTION) | FIELD_BIT(FIELD_CONTENT_LENGTH) | FIELD_BIT(FIELD_DATE) |   \
		FIELD_BIT(FIELD_TRANSFER_ENCODING) | FIELD_BIT(FIELD_UPGRADE) |                    \
		FIELD_BIT(FIELD_PROXY_AUTHENTICATE) | FIELD_BIT(FIELD_TE) |                        \
		FIELD_BIT(FIELD_TRAILER))

static bool is_named(const struct fields *fields, struct slice name)
{
	for (unsigned i = 0; i < fields->count; i++) {
		struct slice rest = fields->list[i].value;
		struct slice option;

		while (fields->list[i].id == FIELD_CONNECTION && slice_next_element(&rest, &option))
			if (slice_equals_nocase(option, name))
				return true;
	}
	return false;
}

/* Fields that mean nothing to us: those of a connection gone, the others there, in their order. */
static void claim_others(const struct fields *in, const struct fields *back, uint32_t ours)
{
	unsigned k = 0;

	FUZZ_CLAIM((back->present & HOP) == 0);
	for (unsigned i = 0; i < in->count; i++) {
		const struct field *f = &in->list[i];
		bool is_kept = (FIELD_BIT(f->id) & NOT_TO_BE_NAMED) != 0;

		if ((FIELD_BIT(f->id) & (ours | HOP)) != 0)
			continue;
		if (!is_kept && is_named(in, f->name))
			continue;
		while (k < back->count && (FIELD_BIT(back->list[k].id) & ours) != 0)
			k++;
		FUZZ_CLAIM(k < back->count);
		FUZZ_CLAIM(slice_equals(f->name, back->list[k].name));
		FUZZ_CLAIM(slice_equals(f->value, back->list[k].value));
		k++;
	}
	while (k < back->count && (FIELD_BIT(back->list[k].id) & ours) != 0)
		k++;
	FUZZ_CLAIM(k == back->count);
}

static void claim_target(struct slice in, struct slice path, struct slice back)
{
	char room[10000];
	struct text joined = text_over(room, sizeof room);

	if (in.data[0] == '*') {
		FUZZ_CLAIM(slice_equals(in, back));
		return;
	}
	text_add_slice(&joined, path);
	if (joined.len == 0 || room[joined.len - 1] != '/')
		text_add_char(&joined, '/');
	text_add_slice(&joined, in.data[0] == '/' ? slice_of(in.data + 1, in.len - 1) : in);
	FUZZ_CLAIM(slice_equals(text_slice(&joined), back));
}

static bool ends_with(struct slice list, struct slice last)
{
	return list.len >= last.len &&
	       slice_equals(slice_of(list.data + list.len - last.len, last.len), last);
}

/* The last field with this id. */
static struct slice last_value(const struct fields *fields, enum field_id id)
{
	struct slice last = { "", 0 };

	for (unsigned i = 0; i < fields->count; i++)
		if (fields->list[i].id == id)
			last = fields->list[i].value;
	return last;
}

/* For a reader who knows quoted strings (RFC 9110 5.6.4). */
static struct slice last_element(struct slice list)
{
	size_t from = 0;
	bool quoted = false;

	for (size_t i = 0; i < list.len; i++) {
		if (list.data[i] == '"')
			quoted = !quoted;
		else if (quoted && list.data[i] == '\\')
			i++;
		else if (!quoted && list.data[i] == ',')
			from = i + 1;
	}
	FUZZ_CLAIM(!quoted);
	return slice_trim(slice_of(list.data + from, list.len - from));
}

/* The peer comes last in the lists, and is alone in them where it is not trusted. */
static void claim_client(const struct forward_request *how)
{
	const struct fields *back = &request_back.fields;
	struct slice peers = last_value(back, FIELD_X_FORWARDED_FOR);
	struct slice nodes = last_value(back, FIELD_FORWARDED);

	if (how->x_forwarded) {
		FUZZ_CLAIM((back->repeated & FIELD_BIT(FIELD_X_FORWARDED_FOR)) == 0);
		FUZZ_CLAIM(
			slice_is_empty(how->peer) || slice_equals(last_element(peers), how->peer));
		FUZZ_CLAIM(how->trusted || slice_equals(peers, how->peer));
		FUZZ_CLAIM((back->present & FIELD_BIT(FIELD_X_FORWARDED_PROTO)) != 0);
	}
	if (how->rfc7239) {
		FUZZ_CLAIM((back->repeated & FIELD_BIT(FIELD_FORWARDED)) == 0);
		FUZZ_CLAIM(ends_with(nodes, slice_of_string(";proto=http")));
		FUZZ_CLAIM(memcmp(last_element(nodes).data, "for=", 4) == 0);
		FUZZ_CLAIM(how->trusted || memcmp(nodes.data, "for=", 4) == 0);
	}
}

/* Nothing of what a stranger says of itself. */
static void claim_stranger(const struct forward_request *how)
{
	const struct fields *back = &request_back.fields;
	uint32_t written = 0;

	if (how->x_forwarded)
		written |= FIELD_BIT(FIELD_X_FORWARDED_FOR) | FIELD_BIT(FIELD_X_FORWARDED_HOST) |
			   FIELD_BIT(FIELD_X_FORWARDED_PROTO);
	if (how->rfc7239)
		written |= FIELD_BIT(FIELD_FORWARDED);
	FUZZ_CLAIM((back->repeated & CLAIMS) == 0);
	FUZZ_CLAIM((back->present & CLAIMS & ~written) == 0);
	if ((back->present & FIELD_BIT(FIELD_X_FORWARDED_HOST)) != 0)
		FUZZ_CLAIM(slice_equals(last_value(back, FIELD_X_FORWARDED_HOST), request.host));
}

static void claim_added(const struct forward_request *how)
{
	const struct fields *back = &request_back.fields;

	FUZZ_CLAIM(!how->via || ends_with(last_value(back, FIELD_VIA),
					slice_of_string("tinylb-0123456789abcdef")));
	FUZZ_CLAIM(!how->cdn_loop || slice_equals(last_value(back, FIELD_CDN_LOOP),
					     slice_of_string("tinylb-0123456789abcdef")));
	FUZZ_CLAIM((back->present & FIELD_BIT(FIELD_TWIN)) == 0);
	FUZZ_CLAIM((back->repeated & FIELD_BIT(FIELD_X_REQUEST_ID)) == 0);
	FUZZ_CLAIM(slice_equals(last_value(back, FIELD_X_REQUEST_ID), how->request_id));
	claim_client(how);
	if (!how->trusted)
		claim_stranger(how);
}

/* The next cookie that is not the balancer's; false: there is none. */
static bool next_other(struct cookies *cookies, struct slice ours, struct cookie *cookie)
{
	while (cookies_next(cookies, cookie))
		if (!slice_equals(cookie->name, ours) && cookie->name.len + cookie->value.len > 0)
			return true;
	return false;
}

/* The one cookie is gone, the others are there, in their order. */
static void claim_cookies(struct slice ours)
{
	struct cookies in = cookies_of(&request.fields);
	struct cookies back = cookies_of(&request_back.fields);
	struct cookie before, after;

	FUZZ_CLAIM(slice_is_empty(cookie_find(&request_back.fields, ours)));
	if (is_named(&request.fields, slice_of_string("cookie"))) {
		FUZZ_CLAIM((request_back.fields.present & FIELD_BIT(FIELD_COOKIE)) == 0);
		return;
	}
	while (next_other(&in, ours, &before)) {
		FUZZ_CLAIM(next_other(&back, ours, &after));
		FUZZ_CLAIM(slice_equals(before.name, after.name));
		FUZZ_CLAIM(slice_equals(before.value, after.value));
	}
	FUZZ_CLAIM(!next_other(&back, ours, &after));
}

static void claim_request(const struct forward_request *how)
{
	uint32_t ours = OURS_IN_REQUEST | CLAIMS;

	const struct request *r = &request;
	const struct request *b = &request_back;
	bool empty = r->body.kind == BODY_NONE;

	FUZZ_CLAIM(slice_equals(r->method_name, b->method_name));
	FUZZ_CLAIM(b->minor == 1 && b->keep_alive);
	FUZZ_CLAIM(r->body.kind == b->body.kind && r->body.length == b->body.length);
	FUZZ_CLAIM(r->expect_continue == b->expect_continue);
	FUZZ_CLAIM(r->te_trailers == b->te_trailers);
	FUZZ_CLAIM(r->upgrade == b->upgrade);
	FUZZ_CLAIM(slice_equals(b->host, how->host.len > 0 ? how->host : r->host));
	FUZZ_CLAIM(r->max_forwards <= 0 || b->max_forwards == r->max_forwards - 1);
	FUZZ_CLAIM(!empty || (b->fields.present & FIELD_BIT(FIELD_TRAILER)) == 0);
	FUZZ_CLAIM((b->fields.present & FIELD_BIT(FIELD_PROXY_AUTHENTICATE)) == 0);
	claim_target(r->target, how->path, b->target);
	claim_added(how);
	if (!slice_is_empty(how->cookie)) {
		claim_cookies(how->cookie);
		ours |= FIELD_BIT(FIELD_COOKIE);
	}
	claim_others(&r->fields, &b->fields, ours);
}

/* `choice` and `more` are the fuzzer's. */
static void try_request(const char *data, size_t len, unsigned choice, unsigned more)
{
	static const char *const hosts[] = { "", "backend.example:8001" };
	static const char *const paths[] = { "", "/app", "/app/", "//" };
	static const char *const peers[] = { "", "192.0.2.7", "2001:db8::1" };
	struct forward_request how = {
		.host = slice_of_string(hosts[choice % 2]),
		.path = slice_of_string(paths[choice / 2 % 4]),
		.peer = slice_of_string(peers[choice / 8 % 3]),
		.scheme = slice_of_string("http"),
		.request_id = slice_of_string(more / 8 % 2 == 0 ? "0af7651916cd43dd" : ""),
		.x_forwarded = more % 2 == 0,
		.rfc7239 = more / 2 % 2 == 0,
		.trusted = more / 4 % 2 == 0,
		.cookie = slice_of_string(more / 16 % 2 == 0 ? "" : "s"),
		.token = "tinylb-0123456789abcdef",
		.via = more / 32 % 2 == 0,
		.cdn_loop = more / 64 % 2 != 0,
	};
	struct text out = text_over(out_room, sizeof out_room);
	struct text twice = text_over(twice_room, sizeof twice_room);

	if (request_parse(&request, data, len, 0, &limits) != PARSE_DONE)
		return;
	if (slice_is_empty(request.host))
		how.host = slice_of_string(hosts[1]);
	/* Such requests are answered here. */
	if (request.max_forwards == 0)
		return;
	forward_request(&out, &request, &how);
	forward_request(&twice, &request, &how);
	FUZZ_CLAIM(!out.overflow && slice_equals(text_slice(&out), text_slice(&twice)));
	FUZZ_CLAIM(out.len <= request.head_len + FORWARD_EXTRA + how.host.len + how.path.len +
				      how.peer.len + how.scheme.len + how.request_id.len);
	if (out.len > 0)
		FUZZ_CLAIM(request_parse(&request_back, out.data, out.len, 0, &back_limits) ==
			   PARSE_DONE);
	FUZZ_CLAIM(request_back.head_len == out.len);
	claim_request(&how);
}

static void claim_length_of_none(void)
{
	const struct field *in = fields_find(&response.fields, FIELD_CONTENT_LENGTH);
	const struct field *back = fields_find(&response_back.fields, FIELD_CONTENT_LENGTH);
	uint64_t a = 0, b = 0;

	if (back == NULL)
		return;
	FUZZ_CLAIM(in != NULL);
	FUZZ_CLAIM(slice_parse_decimal(in->value, INT64_MAX, &a) == 0);
	FUZZ_CLAIM(slice_parse_decimal(back->value, INT64_MAX, &b) == 0 && a == b);
	FUZZ_CLAIM(response.status >= 200 && response.status != 204);
}

static void claim_response(const struct forward_response *how)
{
	const struct response *r = &response;
	const struct response *b = &response_back;
	struct body body = forward_response_body(r, how->client_minor);

	FUZZ_CLAIM(r->status == b->status && b->minor == 1);
	FUZZ_CLAIM(slice_equals(r->reason, b->reason));
	FUZZ_CLAIM(slice_equals(r->upgrade, b->upgrade));
	FUZZ_CLAIM(b->body.kind == body.kind && b->body.length == body.length);
	FUZZ_CLAIM(how->client_minor > 0 || b->body.kind != BODY_CHUNKED);
	FUZZ_CLAIM(r->status < 200 || !how->close || !b->keep_alive);
	FUZZ_CLAIM(r->status < 200 || (b->fields.present & FIELD_BIT(FIELD_DATE)) != 0);
	FUZZ_CLAIM((b->fields.present & FIELD_BIT(FIELD_TE)) == 0);
	FUZZ_CLAIM(
		r->status == 407 || (b->fields.present & FIELD_BIT(FIELD_PROXY_AUTHENTICATE)) == 0);
	FUZZ_CLAIM(r->status == 426 || !slice_is_empty(r->upgrade) ||
		   (b->fields.present & FIELD_BIT(FIELD_UPGRADE)) == 0);
	if (body.kind == BODY_NONE)
		claim_length_of_none();
	claim_others(&r->fields, &b->fields, OURS_IN_RESPONSE);
}

/* A reference without a scheme that names a host. Refresh and Set-Cookie begin with something else.
 */
static bool leads_elsewhere(const struct field *field)
{
	return field->id == FIELD_LOCATION &&
	       !slice_equals_nocase(field->name, slice_of_string("Refresh")) &&
	       field->value.len >= 2 && memcmp(field->value.data, "//", 2) == 0;
}

/* References to a backend become the user's. Each grows by no more than is promised, and none turns
 * into the name of a host. Returns by how much all grew together. */
static size_t rewrite_references(unsigned choice)
{
	static char rewritten[80 * 1024];
	struct text room = text_over(rewritten, sizeof rewritten);
	struct location_map map = {
		.authority = slice_of_string("b:1"),
		.prefix = slice_of_string(choice % 2 == 0 ? "/p" : ""),
		.host = slice_of_string(choice / 2 % 2 == 0 ? "u" : ""),
		.https = choice / 4 % 2 != 0,
		.preserved = choice / 8 % 2 != 0,
	};
	size_t before = 0, after = 0;

	for (unsigned i = 0; i < response.fields.count; i++)
		before += response.fields.list[i].value.len;
	location_rewrite(&response.fields, &map, &room);
	FUZZ_CLAIM(!room.overflow);
	for (unsigned i = 0; i < response.fields.count; i++) {
		const struct field *f = &response.fields.list[i];

		after += f->value.len;
		if (f->value.data >= rewritten && f->value.data < rewritten + room.len)
			FUZZ_CLAIM(f->value.len > 0 && !leads_elsewhere(f));
	}
	FUZZ_CLAIM(after <= before + response.fields.count * (LOCATION_EXTRA + map.host.len));
	return after > before ? after - before : 0;
}

static void try_response(const char *data, size_t len, unsigned choice)
{
	static const enum method methods[] = { METHOD_GET, METHOD_HEAD };
	enum method method = methods[choice % 2];
	struct forward_response how = {
		.client_minor = choice / 2 % 2,
		.close = choice / 4 % 2,
		.keep_alive_10 = choice / 8 % 2,
		.date = slice_of_string("Thu, 01 Jan 2026 00:00:00 GMT"),
	};
	struct text out = text_over(out_room, sizeof out_room);
	size_t grown;

	if (response_parse(&response, data, len, 0, method, &limits) != PARSE_DONE)
		return;
	grown = rewrite_references(choice / 16);
	forward_response(&out, &response, &how);
	FUZZ_CLAIM(!out.overflow && out.len <= response.head_len + FORWARD_EXTRA + grown);
	FUZZ_CLAIM(response_parse(&response_back, out.data, out.len, 0, method, &back_limits) ==
		   PARSE_DONE);
	FUZZ_CLAIM(response_back.head_len == out.len);
	claim_response(&how);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned which = input_byte(&in);
	unsigned choice = input_byte(&in);
	struct window w = window_open(in.at, in.left);

	window_show(&w, w.len);
	if (which % 2 == 0)
		try_request(w.data, w.len, choice, which / 2);
	else
		try_response(w.data, w.len, choice);
	return 0;
}
