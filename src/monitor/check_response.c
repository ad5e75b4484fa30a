/*
 * A response is parsed anew from its beginning each time more of it has come: it is small, or the
 * check is given up.
 */
#include "config.h"

#include "check_response.h"

#include "http/chunk.h"
#include "http/response.h"

static const struct head_limits limits = { .size = CHECK_RESPONSE_HEAD_MAX, .count = FIELDS_MAX };

static enum method method_of(const struct check_settings *check)
{
	static const enum method methods[] = {
		[CHECK_GET] = METHOD_GET,
		[CHECK_HEAD] = METHOD_HEAD,
		[CHECK_OPTIONS] = METHOD_OPTIONS,
	};

	return methods[check->method];
}

/* A body may have zero bytes in it; the text of the settings has none. */
static bool has(struct slice body, const char *text)
{
	return memmem(body.data, body.len, text, strlen(text)) != NULL;
}

/* Writes the content of the chunks to `out`, up to its size. True: no more of the body comes. */
static bool join_chunks(
	const char *data, size_t len, char out[CHECK_RESPONSE_BODY_MAX], struct slice *body)
{
	struct chunk_decoder decoder = { .state = CHUNK_STATE_SIZE_FIRST };
	enum chunk_result result;
	size_t n = 0;

	for (;;) {
		struct slice content;
		size_t used;

		result = chunk_decode(&decoder, data, len, &used, &content);
		if (result == CHUNK_DATA) {
			size_t part = CHECK_RESPONSE_BODY_MAX - n;

			part = content.len < part ? content.len : part;
			memcpy(out + n, content.data, part);
			n += part;
		}
		data += used;
		len -= used;
		if (result != CHUNK_DATA || len == 0)
			break;
	}
	*body = slice_of(out, n);
	return result == CHUNK_TRAILER || result == CHUNK_BAD;
}

static enum check_response judge_body(const struct response *response, struct slice rest,
	bool ended, const struct check_settings *check, struct text *why)
{
	static char joined[CHECK_RESPONSE_BODY_MAX];
	struct slice body = rest;
	bool whole = ended;

	if (response->body.kind == BODY_CHUNKED) {
		whole |= join_chunks(rest.data, rest.len, joined, &body);
	} else if (response->body.kind == BODY_LENGTH && rest.len >= response->body.length) {
		body.len = (size_t)response->body.length;
		whole = true;
	} else if (response->body.kind == BODY_NONE) {
		body.len = 0;
		whole = true;
	}
	if (body.len > CHECK_RESPONSE_BODY_MAX)
		body.len = CHECK_RESPONSE_BODY_MAX;
	if (has(body, check->body))
		return CHECK_RESPONSE_GOOD;
	if (!whole && rest.len < CHECK_RESPONSE_BODY_MAX)
		return CHECK_RESPONSE_PARTIAL;
	text_add_string(why, "the body does not have the text that it should have");
	return CHECK_RESPONSE_BAD;
}

/* Parses the final head. *data moves to it, behind all interim heads. */
static enum parse_result parse(struct response *response, const char **data, size_t *len,
	const struct check_settings *check)
{
	enum parse_result result;

	for (;;) {
		result = response_parse(response, *data, *len, 0, method_of(check), &limits);
		if (result != PARSE_DONE || response->status >= 200)
			return result;
		*data += response->head_len;
		*len -= response->head_len;
	}
}

enum check_response check_response_judge(const char *data, size_t len, bool ended,
	const struct check_settings *check, struct text *why)
{
	struct response response;

	switch (parse(&response, &data, &len, check)) {
	case PARSE_PARTIAL:
		if (!ended)
			return CHECK_RESPONSE_PARTIAL;
		text_add_string(why, "the connection was closed before an answer");
		return CHECK_RESPONSE_BAD;
	case PARSE_BAD:
		text_format(why, "a bad answer: %s", response.why);
		return CHECK_RESPONSE_BAD;
	case PARSE_DONE:
		break;
	}
	if (response.status < check->status_least || response.status > check->status_most) {
		text_format(why, "status %d", response.status);
		return CHECK_RESPONSE_BAD;
	}
	if (check->body == NULL)
		return CHECK_RESPONSE_GOOD;
	return judge_body(&response, slice_of(data + response.head_len, len - response.head_len),
		ended, check, why);
}
