/*
 * Reads request heads and judges what the fields of a request mean together. request_line.c reads
 * the request line, field.c the fields, framing.c where the body ends. The first error in the head
 * decides the status, so that a head in pieces is refused for the same reason as a whole one.
 */
#include "config.h"

#include <assert.h>

#include "authority.h"
#include "framing.h"
#include "head_ripe.h"
#include "http/request.h"
#include "http/upgrade_offer.h"
#include "request_line.h"

static void reset(struct request *r)
{
	r->method = METHOD_OTHER;
	r->host = (struct slice){ 0 };
	r->body = (struct body){ 0 };
	r->max_forwards = -1;
	r->keep_alive = r->expect_continue = r->te_trailers = r->upgrade = false;
	r->status = 0;
	r->why = NULL;
	fields_init(&r->fields);
}

/* RFC 9112 3.2 */
static enum parse_result judge_host(struct request *r)
{
	const struct field *field = fields_find(&r->fields, FIELD_HOST);
	bool absolute = !slice_is_empty(r->host);

	if (field == NULL)
		return r->minor == 0 ? PARSE_DONE : request_refuse(r, 400, "no Host");
	if ((r->fields.repeated & FIELD_BIT(FIELD_HOST)) != 0)
		return request_refuse(r, 400, "several Host fields");
	if (slice_is_empty(field->value)) {
		if (r->minor > 0 && !absolute)
			return request_refuse(r, 400, "empty Host");
		return PARSE_DONE;
	}
	if (!authority_is_valid(field->value))
		return request_refuse(r, 400, "bad Host");
	if (!absolute)
		r->host = field->value;
	return PARSE_DONE;
}

static enum parse_result judge_body(struct request *r)
{
	int status = framing_read(&r->fields, &r->body, &r->why);

	if (r->minor == 0 && (r->fields.present & FIELD_BIT(FIELD_TRANSFER_ENCODING)) != 0)
		return request_refuse(r, 400, "Transfer-Encoding in HTTP/1.0");
	if (status != 0)
		return request_refuse(r, status, r->why);
	/* It is not known what an HTTP/1.0 server reads after such a head. */
	if (r->minor == 0 && r->body.length > 0 &&
		(r->method == METHOD_GET || r->method == METHOD_HEAD || r->method == METHOD_DELETE))
		return request_refuse(r, 413, "HTTP/1.0 request of this method with a body");
	return PARSE_DONE;
}

/* RFC 9110 10.1.1: a list. A comma within quotes does not matter here: what has one is refused. */
static enum parse_result judge_expect(struct request *r)
{
	struct field_elements at = { 0 };
	struct slice expectation;

	while (r->minor > 0 && fields_next_element(&r->fields, FIELD_EXPECT, &at, &expectation)) {
		if (!slice_equals_nocase(expectation, slice_of_string("100-continue")))
			return request_refuse(r, 417, "unknown expectation");
		r->expect_continue = !body_is_empty(r->body);
	}
	return PARSE_DONE;
}

/* RFC 9110 7.6.2 */
static enum parse_result judge_max_forwards(struct request *r)
{
	const struct field *field = fields_find(&r->fields, FIELD_MAX_FORWARDS);
	uint64_t left;

	if (field == NULL || (r->method != METHOD_OPTIONS && r->method != METHOD_TRACE))
		return PARSE_DONE;
	if ((r->fields.repeated & FIELD_BIT(FIELD_MAX_FORWARDS)) != 0 ||
		slice_parse_decimal(field->value, INT64_MAX, &left) == -1)
		return request_refuse(r, 400, "bad Max-Forwards");
	r->max_forwards = (int64_t)left;
	return PARSE_DONE;
}

static void note_te(struct request *r)
{
	struct field_elements at = { 0 };
	struct slice coding;

	while (r->minor > 0 && fields_next_element(&r->fields, FIELD_TE, &at, &coding)) {
		if (slice_equals_nocase(coding, slice_of_string("trailers")))
			r->te_trailers = true;
	}
}

static enum parse_result judge_connection(struct request *r)
{
	struct connection_options options;

	if (framing_read_connection(&options, &r->fields) == -1)
		return request_refuse(r, 400, "too many Connection options");
	if (options.malformed)
		return request_refuse(r, 400, "bad Connection");
	r->keep_alive = !options.close && (r->minor > 0 || options.keep_alive);
	/* RFC 9110 7.8: of HTTP/1.0 it is ignored. */
	r->upgrade = options.upgrade && r->minor > 0 && upgrade_offer_is_valid(&r->fields);
	return PARSE_DONE;
}

/* In a head with none of these fields only Host has to be judged. */
#define SPECIAL                                                                                    \
	(FIELD_BIT(FIELD_CONNECTION) | FIELD_BIT(FIELD_CONTENT_LENGTH) | FIELD_BIT(FIELD_EXPECT) | \
		FIELD_BIT(FIELD_MAX_FORWARDS) | FIELD_BIT(FIELD_TE) |                              \
		FIELD_BIT(FIELD_TRANSFER_ENCODING))

static enum parse_result judge(struct request *r)
{
	enum parse_result result = judge_host(r);

	if ((r->fields.present & SPECIAL) == 0) {
		r->keep_alive = r->minor > 0;
		return result;
	}
	if (result == PARSE_DONE)
		result = judge_body(r);
	if (result == PARSE_DONE)
		result = judge_connection(r);
	if (result == PARSE_DONE)
		result = judge_expect(r);
	if (result == PARSE_DONE)
		result = judge_max_forwards(r);
	note_te(r);
	return result;
}

static enum parse_result read_fields(
	struct request *r, const char **at, const char *end, const struct head_limits *limits)
{
	bool too_many;
	long used = fields_parse(
		&r->fields, *at, (size_t)(end - *at), limits->count, &r->why, &too_many);

	if (used == -1)
		return request_refuse(r, too_many ? 431 : 400, r->why);
	*at += used;
	return used == 0 ? PARSE_PARTIAL : PARSE_DONE;
}

static enum parse_result read_head(
	struct request *r, const char *data, size_t len, const struct head_limits *limits)
{
	const char *at = data;
	const char *end = data + len;
	enum parse_result result;

	if (len > 0 && *at == '\r') { /* one empty line is forgiven: RFC 9112 2.2 */
		if (len > 1 && at[1] != '\n')
			return request_refuse(r, 400, "bare CR");
		if (len < 3)
			return PARSE_PARTIAL;
		at += 2;
	}
	result = request_line_read(r, &at, end);
	if (result == PARSE_DONE)
		result = read_fields(r, &at, end, limits);
	if (result == PARSE_DONE)
		result = judge(r);
	r->head_len = (size_t)(at - data);
	return result;
}

/* The request line as far as it was read, for the log. */
static struct slice first_line(const char *data, size_t len)
{
	struct slice line = slice_of(data, len);
	const char *lf;

	if (len >= 2 && data[0] == '\r' && data[1] == '\n')
		line = slice_of(data + 2, len - 2);
	lf = memchr(line.data, '\n', line.len);
	if (lf != NULL)
		line.len = (size_t)(lf - line.data);
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

enum parse_result request_parse(struct request *r, const char *data, size_t len, size_t seen,
	const struct head_limits *limits)
{
	enum parse_result result = PARSE_PARTIAL;
	size_t within = len < limits->size ? len : limits->size;

	reset(r);
	if (seen == 0 || head_is_ripe(data, len, seen, limits))
		result = read_head(r, data, within, limits);
	if (result == PARSE_DONE) {
		assert(r->head_len <= within);
		return PARSE_DONE;
	}
	r->line = first_line(data, within);
	if (result == PARSE_PARTIAL && len >= limits->size) {
		if (r->line.data + r->line.len == data + within)
			return request_refuse(r, 414, "request line is too long");
		return request_refuse(r, 431, "head is too long");
	}
	return result;
}

struct slice request_first_element(const struct request *request, enum field_id id)
{
	struct field_elements at = { 0 };
	struct slice first;

	return fields_next_element(&request->fields, id, &at, &first) ? first : slice_of(NULL, 0);
}

bool request_is_https(const struct request *request)
{
	static const struct slice https = { "https", 5 };

	return slice_equals_nocase(request_first_element(request, FIELD_X_FORWARDED_PROTO), https);
}
