/*
 * Reads the request line: method, target, version. Each is judged octet by octet in the order they
 * come; what they say is judged when the line is whole. The target is not decoded and not
 * normalised.
 */
#include "config.h"

#include <assert.h>

#include "authority.h"
#include "head.h"
#include "octet.h"
#include "request_line.h"

enum parse_result request_refuse(struct request *r, int status, const char *why)
{
	assert(status >= 400 && why != NULL);
	r->status = status;
	r->why = why;
	return PARSE_BAD;
}

static enum method method_of(struct slice name)
{
	static const struct {
		const char *name;
		enum method method;
	} methods[] = {
		{ "POST", METHOD_POST },
		{ "HEAD", METHOD_HEAD },
		{ "PUT", METHOD_PUT },
		{ "DELETE", METHOD_DELETE },
		{ "OPTIONS", METHOD_OPTIONS },
		{ "PATCH", METHOD_PATCH },
		{ "CONNECT", METHOD_CONNECT },
		{ "TRACE", METHOD_TRACE },
	};

	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		if (slice_equals(name, slice_of_string(methods[i].name)))
			return methods[i].method;
	}
	return METHOD_OTHER;
}

/* The readers of the request line move *at on as far as they got. */
static enum parse_result read_method(struct request *r, const char **at, const char *end)
{
	const char *begin = *at;
	const char *p;

	if (end - begin >= 4 && memcmp(begin, "GET ", 4) == 0) {
		r->method_name = slice_of(begin, 3);
		r->method = METHOD_GET;
		*at = begin + 4;
		return PARSE_DONE;
	}
	if (end - begin > HEAD_METHOD_MAX)
		end = begin + HEAD_METHOD_MAX + 1;
	p = octet_skip(begin, end, OCTET_TOKEN);
	if (p - begin > HEAD_METHOD_MAX)
		return request_refuse(r, 501, "method is too long");
	if (p == end)
		return PARSE_PARTIAL;
	if (*p != ' ' || p == begin)
		return request_refuse(r, 400, "bad method");
	r->method_name = slice_of(begin, (size_t)(p - begin));
	r->method = method_of(r->method_name);
	*at = p + 1;
	return PARSE_DONE;
}

static enum parse_result read_target(struct request *r, const char **at, const char *end)
{
	const char *begin = *at;
	const char *p;

	if (end - begin > HEAD_TARGET_MAX)
		end = begin + HEAD_TARGET_MAX + 1;
	p = octet_skip_target(begin, end);
	if (p - begin > HEAD_TARGET_MAX)
		return request_refuse(r, 414, "request target is too long");
	if (p == end)
		return PARSE_PARTIAL;
	if (*p != ' ' || p == begin)
		return request_refuse(r, 400, "bad request target");
	r->target = slice_of(begin, (size_t)(p - begin));
	*at = p + 1;
	return PARSE_DONE;
}

static enum parse_result read_version(struct request *r, const char **at, const char *end)
{
	static const char form[] = "HTTP/1.1\r\n";
	const size_t len = sizeof form - 1;
	const char *p = *at;

	if ((size_t)(end - p) < len || memcmp(p, form, len) != 0) {
		for (size_t i = 0; i < len; i++) {
			bool digit = form[i] == '1';

			if (p + i == end)
				return PARSE_PARTIAL;
			if (digit ? p[i] < '0' || p[i] > '9' : p[i] != form[i])
				return request_refuse(r, 400, "bad end of the request line");
		}
	}
	if (p[5] != '1')
		return request_refuse(r, 505, "not HTTP/1");
	r->minor = p[7] != '0';
	*at = p + len;
	return PARSE_DONE;
}

/* "http://authority" and what follows it (RFC 9112 3.2.2). */
static enum parse_result split_absolute(struct request *r)
{
	struct slice rest = r->target;
	size_t scheme = 0;
	size_t len = 0;

	if (rest.len > 7 && slice_equals_nocase(slice_of(rest.data, 7), slice_of_string("http://")))
		scheme = 7;
	if (rest.len > 8 &&
		slice_equals_nocase(slice_of(rest.data, 8), slice_of_string("https://")))
		scheme = 8;
	if (scheme == 0)
		return request_refuse(r, 400, "request target is neither a path nor an http URL");
	rest = slice_of(rest.data + scheme, rest.len - scheme);
	while (len < rest.len && rest.data[len] != '/' && rest.data[len] != '?')
		len++;
	r->host = slice_of(rest.data, len);
	if (!authority_is_valid(r->host))
		return request_refuse(r, 400, "bad host in the request target");
	r->target = slice_of(rest.data + len, rest.len - len);
	if (slice_is_empty(r->target))
		r->target = slice_of_string(r->method == METHOD_OPTIONS ? "*" : "/");
	return PARSE_DONE;
}

static enum parse_result judge_target(struct request *r)
{
	if (r->method == METHOD_CONNECT)
		return request_refuse(r, 501, "CONNECT is not offered");
	if (r->target.data[0] == '/')
		return PARSE_DONE;
	if (r->target.len == 1 && r->target.data[0] == '*') {
		if (r->method == METHOD_OPTIONS)
			return PARSE_DONE;
		return request_refuse(r, 400, "target * of another method than OPTIONS");
	}
	return split_absolute(r);
}

enum parse_result request_line_read(struct request *r, const char **at, const char *end)
{
	const char *begin = *at;
	enum parse_result result;

	result = read_method(r, at, end);
	if (result == PARSE_DONE)
		result = read_target(r, at, end);
	if (result == PARSE_DONE)
		result = read_version(r, at, end);
	if (result != PARSE_DONE)
		return result;
	r->line = slice_of(begin, (size_t)(*at - begin) - 2);
	return judge_target(r);
}
