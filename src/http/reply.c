/*
 * The answers that this program makes itself: a status, a line of text for whoever looks at it, and
 * the fields that say what becomes of the connection.
 */
#include "config.h"

#include "http/reply.h"

/* What is longer is cut, so that a reply never outgrows REPLY_MAX. */
#define DETAIL_MAX 400

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 100, "Continue" },
	{ 200, "OK" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 426, "Upgrade Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
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

static void write_fields(struct text *out, const struct reply *reply, size_t body_len)
{
	if (!slice_is_empty(reply->date)) {
		text_add_string(out, "Date: ");
		text_add_slice(out, reply->date);
		text_add_string(out, "\r\n");
	}
	text_add_string(out, "Content-Type: text/plain\r\nContent-Length: ");
	text_add_decimal(out, body_len);
	text_add_string(out, "\r\n");
	if (reply->retry_after > 0) {
		text_add_string(out, "Retry-After: ");
		text_add_decimal(out, (uint64_t)reply->retry_after);
		text_add_string(out, "\r\n");
	}
	if (reply->close)
		text_add_string(out, "Connection: close\r\n");
	else if (reply->keep_alive_10)
		text_add_string(out, "Connection: keep-alive\r\n");
}

void reply_write(struct text *out, const struct reply *reply)
{
	char space[REPLY_MAX];
	struct text body = text_over(space, sizeof space);

	text_add_string(out, "HTTP/1.1 ");
	text_add_decimal(out, (uint64_t)reply->status);
	text_add_char(out, ' ');
	text_add_string(out, reply_reason(reply->status));
	text_add_string(out, "\r\n");
	if (reply->status >= 200) {
		write_body(&body, reply);
		write_fields(out, reply, body.len);
	}
	text_add_string(out, "\r\n");
	if (!reply->head)
		text_add_slice(out, text_slice(&body));
}
