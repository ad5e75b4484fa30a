/*
 * Spells hosts and paths in one way. What is forwarded stays as the client wrote it; this is only
 * for deciding by it, so that a rule cannot be gone around by another spelling.
 */
#include "config.h"

#include "net/canonical.h"

#include <arpa/inet.h>
#include <assert.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/* Takes one octet off the front, decoded; `coded` tells whether it was. */
static unsigned char take(const char **p, const char *end, bool *coded)
{
	const char *at = *p;

	*coded = *at == '%' && end - at >= 3 && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0;
	*p += *coded ? 3 : 1;
	return (unsigned char)(*coded ? hex_digit(at[1]) * 16 + hex_digit(at[2]) : *at);
}

static char lower(unsigned char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
}

/* A pchar of RFC 3986 but for the percent sign: it means the same encoded and not. */
static bool is_path_octet(unsigned char c)
{
	if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
		return true;
	return c != '\0' && strchr("-._~!$&'()*+,;=:@", c) != NULL;
}

/* Writes an IPv6 address, the inside of brackets, or returns 0: it is none. */
static size_t write_ipv6(struct slice inside, char *out)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t len;

	if (inside.len >= sizeof text)
		return 0;
	if (inside.len > 0)
		memcpy(text, inside.data, inside.len);
	text[inside.len] = '\0';
	if (inet_pton(AF_INET6, text, &address) != 1 ||
		inet_ntop(AF_INET6, &address, text, sizeof text) == NULL)
		return 0;
	len = strlen(text);
	out[0] = '[';
	memcpy(out + 1, text, len);
	out[len + 1] = ']';
	return len + 2;
}

size_t canonical_host(struct slice authority, char out[CANONICAL_HOST_MAX])
{
	const char *p = authority.data;
	const char *end = p + authority.len;
	const char *bracket = NULL;
	size_t len = 0;
	bool coded;

	if (authority.len > 0 && *p == '[')
		bracket = memchr(p, ']', authority.len);
	if (bracket != NULL)
		len = write_ipv6(slice_of(p + 1, (size_t)(bracket - p - 1)), out);
	if (len > 0)
		return len;
	while (p < end && *p != ':' && len < CANONICAL_HOST_MAX)
		out[len++] = lower(take(&p, end, &coded));
	return len - (len > 0 && out[len - 1] == '.');
}

bool canonical_is_plain(struct slice path)
{
	const char *end = path.data + path.len;

	if (path.len == 0 || path.data[0] != '/')
		return false;
	for (const char *p = path.data; p < end; p++) {
		if (*p == '/' && end - p > 1 && (p[1] == '/' || p[1] == '.'))
			return false;
		if (*p != '/' && (*p == ';' || !is_path_octet((unsigned char)*p)))
			return false;
	}
	return true;
}

bool canonical_is_unclear(struct slice path)
{
	const char *p = path.data;
	const char *end = p + path.len;
	unsigned char before = '\0';
	bool coded;

	while (p < end) {
		unsigned char c = take(&p, end, &coded);

		if ((c == '/' && (coded || before == '/')) || c == '\\' || c == ';' || c == '\0')
			return true;
		before = c;
	}
	return false;
}

static size_t write_octet(char *out, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";

	if (is_path_octet(c)) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '%';
	out[1] = digits[c >> 4];
	out[2] = digits[c & 15];
	return 3;
}

/* Writes the octets of a segment behind `out` and moves *p to the separator that ends it. */
static size_t write_segment(
	const char **p, const char *end, enum canonical_reading reading, char *out)
{
	bool lenient = reading == CANONICAL_LENIENT;
	bool is_parameter = false;
	size_t len = 0;

	while (*p < end) {
		const char *next = *p;
		bool coded;
		unsigned char c = take(&next, end, &coded);

		if ((c == '/' && (!coded || lenient)) || (c == '\\' && lenient))
			break;
		*p = next;
		if (lenient && c == '\0')
			*p = end;
		else if (lenient && c == ';')
			is_parameter = true;
		else if (!is_parameter)
			len += write_octet(out + len, c);
	}
	return len;
}

/* The length without the last segment and the slash before it. */
static size_t without_last(const char *out, size_t len)
{
	while (len > 0 && out[--len] != '/')
		;
	return len;
}

static size_t merge_slashes(char *out, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++)
		if (out[i] != '/' || kept == 0 || out[kept - 1] != '/')
			out[kept++] = out[i];
	return kept;
}

enum segment { SEGMENT_NAME, SEGMENT_EMPTY, SEGMENT_HERE, SEGMENT_ABOVE };

static enum segment segment_of(const char *text, size_t size)
{
	if (size == 0)
		return SEGMENT_EMPTY;
	if (size > 2 || text[0] != '.' || text[size - 1] != '.')
		return SEGMENT_NAME;
	return size == 1 ? SEGMENT_HERE : SEGMENT_ABOVE;
}

size_t canonical_path(struct slice path, enum canonical_reading reading, char *out)
{
	const char *p = path.data;
	const char *end = p + path.len;
	enum segment last = SEGMENT_EMPTY;
	size_t len = 0;

	while (p < end) {
		bool ignored;
		size_t size;

		(void)take(&p, end, &ignored); /* the slash before it, however it is written */
		out[len] = '/';
		size = write_segment(&p, end, reading, out + len + 1);
		last = segment_of(out + len + 1, size);
		if (last == SEGMENT_NAME || (last == SEGMENT_EMPTY && reading == CANONICAL_LENIENT))
			len += 1 + size;
		else if (last == SEGMENT_ABOVE)
			len = without_last(out, len);
	}
	if (last != SEGMENT_NAME) /* a folder */
		out[len++] = '/';
	assert(len <= canonical_path_room(path.len));
	return merge_slashes(out, len);
}
