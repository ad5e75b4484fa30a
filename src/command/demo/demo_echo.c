/*
 * Puts together the text that a backend of the demo answers with. It parses nothing and cuts
 * nothing out: what the balancer sent is what one wants to see.
 */
#include "config.h"

#include "demo_echo.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

int demo_echo_init(struct echo *echo)
{
	echo->text = evbuffer_new();
	echo->body = evbuffer_new();
	echo->body_len = 0;
	return echo->text != NULL && echo->body != NULL ? 0 : -1;
}

void demo_echo_fini(struct echo *echo)
{
	if (echo->text != NULL)
		evbuffer_free(echo->text);
	if (echo->body != NULL)
		evbuffer_free(echo->body);
	echo->text = NULL;
	echo->body = NULL;
}

/* Adds lines as they are, but ends them as a terminal likes it. */
static void add_lines(struct evbuffer *text, struct slice lines)
{
	while (lines.len > 0) {
		const char *newline = memchr(lines.data, '\n', lines.len);
		size_t len = newline != NULL ? (size_t)(newline - lines.data) : lines.len;
		size_t used = newline != NULL ? len + 1 : len;

		if (len > 0 && lines.data[len - 1] == '\r')
			len--;
		evbuffer_add(text, lines.data, len);
		evbuffer_add(text, "\n", 1);
		lines = slice_of(lines.data + used, lines.len - used);
	}
}

void demo_echo_begin(struct echo *echo, unsigned port, struct slice head)
{
	evbuffer_drain(echo->text, evbuffer_get_length(echo->text));
	evbuffer_drain(echo->body, evbuffer_get_length(echo->body));
	echo->body_len = 0;
	evbuffer_add_printf(echo->text, "backend %u\n\n", port);
	add_lines(echo->text, head);
}

void demo_echo_add_body(struct echo *echo, struct slice content)
{
	assert(echo->body != NULL);
	echo->body_len += content.len;
	if (echo->body_len <= ECHO_BODY_MAX)
		evbuffer_add(echo->body, content.data, content.len);
}

void demo_echo_end_body(struct echo *echo)
{
	if (echo->body_len > ECHO_BODY_MAX) {
		evbuffer_add_printf(echo->text, "[%" PRIu64 " bytes]\n", echo->body_len);
	} else if (echo->body_len > 0) {
		evbuffer_add_buffer(echo->text, echo->body);
		evbuffer_add(echo->text, "\n", 1);
	}
}

void demo_echo_add_trailers(struct echo *echo, struct slice section)
{
	add_lines(echo->text, section);
}

void demo_echo_send(struct echo *echo, struct evbuffer *out, const char *connection, bool with_body)
{
	evbuffer_add_printf(
		out, "HTTP/1.1 200 OK\r\nDate: %.*s\r\n", CLOCK_HTTP_DATE_LEN, clock_http_date());
	evbuffer_add_printf(out, "Content-Type: text/plain\r\nContent-Length: %zu\r\n",
		evbuffer_get_length(echo->text));
	if (connection != NULL)
		evbuffer_add_printf(out, "Connection: %s\r\n", connection);
	evbuffer_add(out, "\r\n", 2);
	if (with_body)
		evbuffer_add_buffer(out, echo->text);
}
