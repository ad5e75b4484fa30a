/*
 * Reads response heads: the status line, and whether and how a body follows. It is as strict as
 * with requests: a backend is only half trusted, and a response that two readers could end at two
 * places must reach neither of them.
 */
#include "config.h"

#include "framing.h"
#include "head.h"
#include "head_ripe.h"
#include "http/response.h"
#include "http/upgrade_offer.h"
#include "octet.h"

static enum parse_result refuse(struct response *r, const char *why)
{
	r->why = why;
	return PARSE_BAD;
}

static void reset(struct response *r)
{
	r->reason = (struct slice){ 0 };
	r->body = (struct body){ 0 };
	r->keep_alive = r->via = false;
	r->upgrade = (struct slice){ 0 };
	r->why = NULL;
	fields_init(&r->fields);
}

/* "HTTP/1.1 200", d standing for a digit */
static enum parse_result read_status(struct response *r, const char **at, const char *end)
{
	static const char form[] = "HTTP/1.d ddd";
	static const char usual[] = "HTTP/1.1 ";
	const char *p = *at;
	/* Mostly the line begins as `usual` does: then only the number has to be looked at. */
	size_t known = end - p >= (long)sizeof usual && memcmp(p, usual, sizeof usual - 1) == 0
			       ? sizeof usual - 1
			       : 0;

	for (size_t i = known; i < sizeof form - 1; i++) {
		if (p + i == end)
			return PARSE_PARTIAL;
		if (form[i] == 'd' ? p[i] < '0' || p[i] > '9' : p[i] != form[i])
			return refuse(r, "bad status line");
	}
	r->minor = p[7] != '0';
	r->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
	if (r->status < 100)
		return refuse(r, "bad status");
	*at = p + sizeof form - 1;
	return PARSE_DONE;
}

/* Reads the reason phrase, which may be missing: many servers leave out the space, too, then. */
static enum parse_result read_reason(struct response *r, const char **at, const char *end)
{
	const char *p = *at;
	const char *stop;

	if (p < end && *p != '\r' && *p != ' ')
		return refuse(r, "bad status line");
	if (p < end && *p == ' ')
		p++;
	stop = octet_skip_value(p, end);
	r->reason = slice_of(p, (size_t)(stop - p));
	p = head_line_end(stop, end, &r->why);
	if (p == NULL)
		return r->why != NULL ? PARSE_BAD : PARSE_PARTIAL;
	*at = p;
	return PARSE_DONE;
}

static enum parse_result read_fields(
	struct response *r, const char **at, const char *end, const struct head_limits *limits)
{
	bool too_many;
	long used = fields_parse(
		&r->fields, *at, (size_t)(end - *at), limits->count, &r->why, &too_many);

	if (used == -1)
		return PARSE_BAD;
	*at += used;
	return used == 0 ? PARSE_PARTIAL : PARSE_DONE;
}

/* RFC 9110 7.8: 101 names what was switched to. Several protocols would be layers, one above the
 * other; no protocol that is ever offered can be the lower one. */
static enum parse_result judge_switch(struct response *r, const struct connection_options *options)
{
	const struct field *field = fields_find(&r->fields, FIELD_UPGRADE);

	if (field == NULL || !options->upgrade ||
		(r->fields.repeated & FIELD_BIT(FIELD_UPGRADE)) != 0 ||
		!upgrade_offer_is_protocol(field->value))
		return refuse(r, "101 that does not name one protocol");
	r->upgrade = field->value;
	r->keep_alive = false;
	return PARSE_DONE;
}

/* RFC 9112 6.3. Framing was read strictly even where there is no body to frame. */
static void judge_body(struct response *r, enum method method)
{
	bool framed = r->body.kind == BODY_CHUNKED || r->body.length > 0;

	if (r->status < 200 || r->status == 204) {
		/* A backend that announces a body here may send one: nothing after it is safe. */
		if (framed)
			r->keep_alive = false;
		r->body = (struct body){ 0 };
	} else if (r->status == 304 || method == METHOD_HEAD) {
		r->body = (struct body){ 0 };
	} else if (r->body.kind == BODY_NONE) {
		r->body.kind = BODY_UNTIL_CLOSE;
		r->keep_alive = false;
	}
}

static enum parse_result judge(struct response *r, enum method method)
{
	struct connection_options options;

	if (framing_read(&r->fields, &r->body, &r->why) != 0)
		return PARSE_BAD;
	if (framing_read_connection(&options, &r->fields) == -1)
		return refuse(r, "too many Connection options");
	r->keep_alive = !options.close && (r->minor > 0 || options.keep_alive);
	/* Some servers send chunks in HTTP/1.0, which has none. Where such a body ends is not
	 * certain: nothing behind it on the connection can be trusted (RFC 9112 6.1). */
	if (r->minor == 0 && r->body.kind == BODY_CHUNKED)
		r->keep_alive = false;
	judge_body(r, method);
	return r->status == 101 ? judge_switch(r, &options) : PARSE_DONE;
}

static enum parse_result read_head(struct response *r, const char *data, size_t len,
	enum method method, const struct head_limits *limits)
{
	const char *at = data;
	const char *end = data + len;
	enum parse_result result;

	result = read_status(r, &at, end);
	if (result == PARSE_DONE)
		result = read_reason(r, &at, end);
	if (result == PARSE_DONE)
		result = read_fields(r, &at, end, limits);
	if (result == PARSE_DONE)
		result = judge(r, method);
	r->head_len = (size_t)(at - data);
	return result;
}

enum parse_result response_parse(struct response *r, const char *data, size_t len, size_t seen,
	enum method method, const struct head_limits *limits)
{
	enum parse_result result = PARSE_PARTIAL;
	size_t within = len < limits->size ? len : limits->size;

	reset(r);
	if (seen == 0 || head_is_ripe(data, len, seen, limits))
		result = read_head(r, data, within, method, limits);
	if (result == PARSE_PARTIAL && len >= limits->size)
		return refuse(r, "head is too long");
	return result;
}

bool response_read_keep_alive(const struct response *r, uint64_t *seconds)
{
	static const struct slice name = { "timeout=", 8 };
	struct field_elements at = { 0 };
	struct slice element;

	while (fields_next_element(&r->fields, FIELD_KEEP_ALIVE, &at, &element))
		if (element.len > name.len &&
			slice_equals_nocase(slice_of(element.data, name.len), name))
			return slice_parse_decimal(
				       slice_of(element.data + name.len, element.len - name.len),
				       86400, seconds) == 0;
	return false;
}
