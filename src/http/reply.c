/*
 * The answers that this program makes itself: a status, a line of text for a person, and
 * the fields that say what becomes of the connection.
 */
#include "config.h"

#include "http/reply.h"

#include <assert.h>

#include "head.h"

/* What is longer is cut, so that a reply never outgrows REPLY_MAX. */
#define DETAIL_MAX 400

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 100, "Continue" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 418, "I'm a teapot" },
	{ 421, "Misdirected Request" },
	{ 426, "Upgrade Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 451, "Unavailable For Legal Reasons" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
	{ 508, "Loop Detected" },
};

const char *reply_reason(int status)
{
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "Unknown";
}

static void write_body(struct text *out, const struct reply *reply)
{
	struct slice detail = slice_of_string(reply->detail);

	text_add_decimal(out, (uint64_t)reply->status);
	text_add_char(out, ' ');
	text_add_string(out, reply_reason(reply->status));
	if (detail.len > DETAIL_MAX)
		detail.len = DETAIL_MAX;
	if (detail.len > 0)
		text_add_string(out, ": ");
	text_add_slice(out, detail);
	text_add_char(out, '\n');
}

static void write_number(struct text *out, const char *name, size_t value)
{
	char digits[24];
	struct text number = text_over(digits, sizeof digits);

	text_add_decimal(&number, value);
	head_write_named(out, name, text_slice(&number));
}

static bool has_body(const struct reply *reply)
{
	return reply->status >= 200 && reply->status != 204 && reply->status != 304;
}

static void write_fields(struct text *out, const struct reply *reply, size_t body_len)
{
	const char *type = reply->type != NULL ? reply->type : "text/plain";

	head_write_named(out, "Date", reply->date);
	head_write_named(out, "Location", reply->location);
	if (body_len > 0)
		head_write_named(out, "Content-Type", slice_of_string(type));
	if (has_body(reply))
		write_number(out, "Content-Length", body_len);
	if (reply->retry_after > 0)
		write_number(out, "Retry-After", (size_t)reply->retry_after);
	if (reply->close)
		text_add_string(out, "Connection: close\r\n");
	else if (reply->keep_alive_10)
		text_add_string(out, "Connection: keep-alive\r\n");
}

void reply_write(struct text *out, const struct reply *reply)
{
	char space[REPLY_MAX];
	struct text line = text_over(space, sizeof space);
	struct slice body = reply->body;

	if (reply->type == NULL && has_body(reply)) {
		write_body(&line, reply);
		assert(!line.overflow);
		body = text_slice(&line);
	}
	text_add_string(out, "HTTP/1.1 ");
	text_add_decimal(out, (uint64_t)reply->status);
	text_add_char(out, ' ');
	text_add_string(out, reply_reason(reply->status));
	text_add_string(out, "\r\n");
	if (reply->status >= 200)
		write_fields(out, reply, body.len);
	text_add_string(out, "\r\n");
	if (!reply->head)
		text_add_slice(out, body);
}
