/* The least of HTTP/1.1 that a load generator and its origin need, read strictly: what a balancer
   sends must be right, or it is a failure. Nothing is allocated. */

#include "config.h"

#include "common.h"
#include "http.h"

#include <string.h>
#include <strings.h>

static bool is_token(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || (c && strchr("!#$%&'*+.^_`|~", c));
}

static bool is_text(const char *text, size_t length, const char *what)
{
	return length == strlen(what) && strncasecmp(text, what, length) == 0;
}

static bool read_length(struct head *head, const char *text, size_t length)
{
	uint64_t value = 0;

	if (head->has_length || !length || length > 18)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (text[i] - '0');
	}
	head->length = value;
	head->has_length = true;
	return true;
}

static bool read_known(
	struct head *head, const char *name, size_t name_length, const char *value, size_t length)
{
	switch (name_length) {
	case 7:
		if (is_text(name, name_length, "Upgrade"))
			head->websocket = is_text(value, length, "websocket");
		return true;
	case 10:
		if (is_text(name, name_length, "Connection"))
			head->close |= is_text(value, length, "close");
		return true;
	case 14:
		if (is_text(name, name_length, "Content-Length"))
			return read_length(head, value, length);
		return true;
	case 17:
		if (is_text(name, name_length, "Transfer-Encoding")) {
			if (head->chunked || !is_text(value, length, "chunked"))
				return false;
			head->chunked = true;
			return true;
		}
		if (is_text(name, name_length, "Sec-WebSocket-Key"))
			head->known_key = length == strlen(WEBSOCKET_KEY) &&
					  memcmp(value, WEBSOCKET_KEY, length) == 0;
		return true;
	case 20:
		if (is_text(name, name_length, "Sec-WebSocket-Accept"))
			head->known_key = length == strlen(WEBSOCKET_ACCEPT) &&
					  memcmp(value, WEBSOCKET_ACCEPT, length) == 0;
		return true;
	default:
		return true;
	}
}

static bool read_field(struct head *head, const char *line, size_t length)
{
	size_t name = 0;
	const char *value;

	while (name < length && is_token((unsigned char)line[name]))
		name++;
	if (!name || name == length || line[name] != ':')
		return false;
	value = line + name + 1;
	length -= name + 1;
	while (length && (*value == ' ' || *value == '\t')) {
		value++;
		length--;
	}
	while (length && (value[length - 1] == ' ' || value[length - 1] == '\t'))
		length--;
	return read_known(head, line, name, value, length);
}

ssize_t head_parse(const char *data, size_t length, struct head *head)
{
	const char *end = memmem(data, length, "\r\n\r\n", 4);
	const char *line = data;

	*head = (struct head){ .line = data };
	if (!end)
		return length < RECEIVE_BYTES ? 0 : -1;
	end += 2;
	while (line < end) {
		const char *stop = memchr(line, '\n', end - line);
		size_t size = stop - line;

		if (!size || stop[-1] != '\r' || memchr(line, '\r', size - 1) ||
			memchr(line, '\0', size))
			return -1;
		if (line == data)
			head->line_length = size - 1;
		else if (!read_field(head, line, size - 1))
			return -1;
		line = stop + 1;
	}
	if (head->has_length && head->chunked)
		return -1;
	return end + 2 - data;
}

void body_start(struct body *body, const struct head *head, uint64_t want, const char *text)
{
	body->state = head->chunked ? CHUNK_FIRST : BODY_COUNTED;
	body->left = head->length;
	body->got = 0;
	body->want = want;
	body->text = text;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes one byte of what stands between the data of chunks; chunks have no extensions here, and no
   trailers follow them. */
static bool chunk_step(struct body *body, char c)
{
	switch (body->state) {
	case CHUNK_FIRST:
		body->left = 0;
		/* fallthrough */
	case CHUNK_SIZE:
		if (hex(c) >= 0) {
			bool fits = body->left < UINT64_C(1) << 56;

			body->left = body->left * 16 + hex(c);
			body->state = CHUNK_SIZE;
			return fits;
		}
		if (c != '\r' || body->state == CHUNK_FIRST)
			return false;
		body->state = CHUNK_SIZE_LF;
		return true;
	case CHUNK_SIZE_LF:
		body->state = body->left ? CHUNK_DATA : LAST_CR;
		return c == '\n';
	case CHUNK_CR:
		body->state = CHUNK_LF;
		return c == '\r';
	case CHUNK_LF:
		body->state = CHUNK_FIRST;
		return c == '\n';
	case LAST_CR:
		body->state = LAST_LF;
		return c == '\r';
	case LAST_LF:
		body->state = BODY_END;
		return c == '\n';
	case BODY_COUNTED:
	case CHUNK_DATA:
	case BODY_END:
		break;
	}
	return false;
}

/* Takes content; BODY_MORE: it is right so far. */
static enum body_result take(struct body *body, const char *data, size_t length)
{
	if (length > body->want - body->got)
		return BODY_LENGTH;
	if (body->text ? memcmp(data, body->text + body->got, length) != 0
		       : !pattern_is(body->got, data, length))
		return BODY_BYTES;
	body->got += length;
	body->left -= length;
	return BODY_MORE;
}

enum body_result body_feed(struct body *body, const char *data, size_t length, size_t *used)
{
	size_t at = 0;

	*used = length;
	while (at < length && body->state != BODY_END) {
		size_t piece = length - at;
		enum body_result result;

		if (body->state != BODY_COUNTED && body->state != CHUNK_DATA) {
			if (!chunk_step(body, data[at++]))
				return BODY_FRAMING;
			continue;
		}
		if (piece > body->left)
			piece = body->left;
		result = take(body, data + at, piece);
		if (result != BODY_MORE)
			return result;
		at += piece;
		if (body->left)
			break;
		body->state = body->state == CHUNK_DATA ? CHUNK_CR : BODY_END;
	}
	*used = at;
	if (body->state == BODY_COUNTED && !body->left)
		body->state = BODY_END;
	if (body->state != BODY_END)
		return BODY_MORE;
	return body->want == BODY_ANY || body->got == body->want ? BODY_DONE : BODY_LENGTH;
}
