/*
 * What servers do to a path, one step at a time; readings.c puts them in order, in every order.
 *
 * Which servers do what: nginx decodes all, merges slashes and resolves in one go. Apache resolves,
 * and then decodes all or all but %2F. Tomcat drops parameters, then decodes, merges and resolves.
 * Go decodes, then cleans; with routers on the encoded path it cleans only. Node's URL resolves
 * "%2e%2e", takes a backslash for a slash and merges nothing; what it gives is decoded behind that.
 * Python's http.server looks for the slash of a folder before it decodes. Names of files on Windows
 * end before their last dots and blanks.
 * IIS also decodes %uNNNN and takes a decoded backslash for a slash. Frameworks (Express, Flask,
 * Django) resolve nothing. Apache 2.4.50 decoded twice (CVE-2021-42013).
 */
#include "config.h"

#include "reading_steps.h"

#include <assert.h>
#include <string.h>

#include "base/percent.h"
#include "path.h"

enum {
	DECODING = 1U << READING_DECODE | 1U << READING_DECODE_BUT_SLASHES |
		   1U << READING_DECODE_BUT_DELIMITERS | 1U << READING_DECODE_TO_NAME,
	RESOLVING = 1U << READING_RESOLVE | 1U << READING_RESOLVE_CODED |
		    1U << READING_RESOLVE_TO_NAME | 1U << READING_RESOLVE_CODED_TO_NAME,
};

static unsigned steps_for(char c, char behind)
{
	switch (c) {
	case '/':
		if (behind == '/')
			return 1U << READING_MERGE_SLASHES;
		return behind == '.' || behind == '%' ? RESOLVING : 0;
	case '%':
		return (behind | 0x20) == 'u' ? 1U << READING_DECODE_U : DECODING;
	case '\\':
		return 1U << READING_TURN_BACKSLASHES;
	case ';':
		return 1U << READING_DROP_PARAMETERS | 1U << READING_CUT_AT_SEMICOLON;
	case '\0':
		return 1U << READING_CUT_AT_NUL;
	case '.':
	case ' ':
		return behind == '/' || behind == '\0' ? 1U << READING_TRIM_NAMES : 0;
	default:
		return 0;
	}
}

unsigned reading_steps_for(struct slice text)
{
	unsigned steps = 0;

	for (size_t i = 0; i < text.len; i++)
		steps |= steps_for(text.data[i], i + 1 < text.len ? text.data[i + 1] : '\0');
	return steps;
}

/* Decodes all but the octets of `keep`. */
static size_t decode(struct slice in, char *out, const char *keep)
{
	const char *p = in.data;
	const char *end = p + in.len;
	size_t len = 0;

	while (p < end) {
		const char *from = p;
		bool coded;
		unsigned char c = percent_take(&p, end, &coded);

		if (coded && c != '\0' && strchr(keep, c) != NULL) {
			memcpy(out + len, from, 3);
			len += 3;
		} else {
			out[len++] = (char)c;
		}
	}
	return len;
}

/* What does not end with a slash before it is decoded has none at its end behind it. */
static size_t decode_to_name(struct slice in, char *out)
{
	size_t len = decode(in, out, "");

	while (in.data[in.len - 1] != '/' && len > 1 && out[len - 1] == '/')
		len--;
	return len;
}

/* The octet that "%u00NN" at `p` stands for, or -1. What is beyond ASCII makes no difference. */
static int octet_of_u(const char *p, const char *end)
{
	if (end - p < 6 || *p != '%' || (p[1] | 0x20) != 'u' || p[2] != '0' || p[3] != '0' ||
		percent_hex(p[4]) < 0 || percent_hex(p[5]) < 0)
		return -1;
	return percent_hex(p[4]) * 16 + percent_hex(p[5]);
}

static size_t decode_u(struct slice in, char *out)
{
	const char *p = in.data;
	const char *end = p + in.len;
	size_t len = 0;

	while (p < end) {
		int octet = octet_of_u(p, end);

		out[len++] = octet >= 0 ? (char)octet : *p;
		p += octet >= 0 ? 6 : 1;
	}
	return len;
}

/* How many dots a segment consists of, "%2e" being one if `coded`; 0: it is a name, or empty. */
static int count_dots(struct slice segment, bool coded)
{
	const char *p = segment.data;
	const char *end = p + segment.len;
	int dots = 0;

	while (p < end && dots < 3) {
		bool was_coded;

		if (percent_take(&p, end, &was_coded) != '.' || (was_coded && !coded))
			return 0;
		dots++;
	}
	return dots < 3 ? dots : 0;
}

struct resolving {
	bool coded; /* "%2e" is a dot */
	bool slash; /* what ends with "." or ".." is a folder, whose name ends with a slash */
};

/* An empty segment is one as any; merge_slashes does away with them. */
static size_t resolve(struct slice in, char *out, struct resolving how, bool *climbs)
{
	const char *p = in.data;
	const char *end = p + in.len;
	size_t len = 0;
	int dots = 0;

	while (p < end) {
		const char *begin = p;

		p = memchr(begin + 1, '/', (size_t)(end - begin - 1));
		if (p == NULL)
			p = end;
		dots = count_dots(slice_of(begin + 1, (size_t)(p - begin - 1)), how.coded);
		if (dots == 0) {
			memcpy(out + len, begin, (size_t)(p - begin));
			len += (size_t)(p - begin);
		} else if (dots == 2) {
			*climbs |= len == 0;
			len = path_parent(out, len);
		}
	}
	if (len == 0 || (dots > 0 && how.slash))
		out[len++] = '/';
	return len;
}

static size_t merge_slashes(struct slice in, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < in.len; i++)
		if (in.data[i] != '/' || len == 0 || out[len - 1] != '/')
			out[len++] = in.data[i];
	return len;
}

static size_t turn_backslashes(struct slice in, char *out)
{
	for (size_t i = 0; i < in.len; i++)
		out[i] = in.data[i] == '\\' ? '/' : in.data[i];
	return in.len;
}

static size_t drop_parameters(struct slice in, char *out)
{
	bool is_parameter = false;
	size_t len = 0;

	for (size_t i = 0; i < in.len; i++) {
		is_parameter = in.data[i] == ';' || (is_parameter && in.data[i] != '/');
		if (!is_parameter)
			out[len++] = in.data[i];
	}
	return len;
}

/* The length of a name without its last dots and blanks. What has nothing but these keeps its dots:
 * ".. " leads up. */
static size_t trimmed(const char *name, size_t len)
{
	size_t left = len;

	while (left > 0 && (name[left - 1] == '.' || name[left - 1] == ' '))
		left--;
	if (left > 0)
		return left;
	while (len > 0 && name[len - 1] == ' ')
		len--;
	return len;
}

static size_t trim_names(struct slice in, char *out)
{
	const char *p = in.data;
	const char *end = p + in.len;
	size_t len = 0;

	while (p < end) {
		const char *next = memchr(p + 1, '/', (size_t)(end - p - 1));
		size_t size = 1;

		if (next == NULL)
			next = end;
		size += trimmed(p + 1, (size_t)(next - p - 1));
		memcpy(out + len, p, size);
		len += size;
		p = next;
	}
	return len;
}

static size_t cut_at(struct slice in, char *out, char c)
{
	const char *end = memchr(in.data, c, in.len);
	size_t len = end != NULL ? (size_t)(end - in.data) : in.len;

	memcpy(out, in.data, len);
	return len;
}

size_t reading_step_take(enum reading_step step, struct slice in, char *out, bool *climbs)
{
	switch (step) {
	case READING_RESOLVE:
		return resolve(in, out, (struct resolving){ .slash = true }, climbs);
	case READING_RESOLVE_CODED:
		return resolve(in, out, (struct resolving){ .coded = true, .slash = true }, climbs);
	case READING_RESOLVE_TO_NAME:
		return resolve(in, out, (struct resolving){ .slash = false }, climbs);
	case READING_RESOLVE_CODED_TO_NAME:
		return resolve(in, out, (struct resolving){ .coded = true }, climbs);
	case READING_DECODE:
		return decode(in, out, "");
	case READING_DECODE_BUT_SLASHES:
		return decode(in, out, "/");
	case READING_DECODE_BUT_DELIMITERS:
		return decode(in, out, "/%");
	case READING_DECODE_TO_NAME:
		return decode_to_name(in, out);
	case READING_DECODE_U:
		return decode_u(in, out);
	case READING_MERGE_SLASHES:
		return merge_slashes(in, out);
	case READING_TURN_BACKSLASHES:
		return turn_backslashes(in, out);
	case READING_DROP_PARAMETERS:
		return drop_parameters(in, out);
	case READING_CUT_AT_SEMICOLON:
		return cut_at(in, out, ';');
	case READING_CUT_AT_NUL:
		return cut_at(in, out, '\0');
	case READING_TRIM_NAMES:
		return trim_names(in, out);
	case READING_STEPS:
		break;
	}
	assert(false);
	return 0;
}
