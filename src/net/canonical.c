/*
 * Spells hosts and paths in one way. What is forwarded stays as the client wrote it; this is only
 * for deciding by it, so that a rule cannot be gone around by another spelling.
 */
#include "config.h"

#include "net/canonical.h"

#include <arpa/inet.h>
#include <assert.h>

#include "base/percent.h"
#include "path.h"

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

/* Writes an IPv4 address in its usual form, however it is written (inet_aton(3)). */
static size_t spell_ipv4(char out[CANONICAL_HOST_MAX], size_t len)
{
	const char *dot = memrchr(out, '.', len);
	const char *last = dot != NULL ? dot + 1 : out;
	char text[CANONICAL_HOST_MAX + 1];
	struct in_addr address;

	if (last == out + len || *last < '0' || *last > '9' || memchr(out, '\0', len) != NULL)
		return len;
	memcpy(text, out, len);
	text[len] = '\0';
	if (inet_aton(text, &address) == 0 ||
		inet_ntop(AF_INET, &address, out, CANONICAL_HOST_MAX) == NULL)
		return len;
	return strlen(out);
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
		out[len++] = lower(percent_take(&p, end, &coded));
	if (len > 0 && out[len - 1] == '.')
		len--;
	return spell_ipv4(out, len);
}

bool canonical_is_plain(struct slice path)
{
	const char *end = path.data + path.len;

	if (path.len == 0 || path.data[0] != '/')
		return false;
	for (const char *p = path.data; p < end; p++) {
		if (*p == '/' && end - p > 1 && (p[1] == '/' || p[1] == '.'))
			return false;
		if (*p == '.' && (end - p == 1 || p[1] == '/'))
			return false;
		if (*p != '/' && (*p == ';' || !is_path_octet((unsigned char)*p)))
			return false;
	}
	return true;
}

/* With how many dots a segment begins, one more octet of it being read; -1: with something else. */
static int count_leading_dots(int before, unsigned char c)
{
	if (c == '/')
		return 0;
	return before >= 0 && c == '.' ? before + 1 : -1;
}

/* What some servers take away from the end of a name, and of a folder with its slash. */
static bool is_trimmed(unsigned char c)
{
	return c == '.' || c == ' ';
}

bool canonical_is_clear(struct slice path)
{
	const char *p = path.data;
	const char *end = p + path.len;
	unsigned char before = '\0';
	int dots = -1;
	bool coded;

	while (p < end) {
		unsigned char c = percent_take(&p, end, &coded);

		if ((c == '/' && (coded || before == '/')) || c == '\\' || c == ';' || c == '%' ||
			c == '\0')
			return false;
		if (c == '/' && is_trimmed(before))
			return false;
		dots = count_leading_dots(dots, c);
		if (dots == 2)
			return false;
		before = c;
	}
	return !is_trimmed(before);
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

/* Writes the octets of a segment behind `out` and moves *p to the slash that ends it. */
static size_t write_segment(const char **p, const char *end, char *out)
{
	size_t len = 0;
	bool ignored;

	while (*p < end && **p != '/')
		len += write_octet(out + len, percent_take(p, end, &ignored));
	return len;
}

enum segment { SEGMENT_NAME, SEGMENT_EMPTY, SEGMENT_HERE, SEGMENT_ABOVE };

static enum segment segment_of(const char *text, size_t size, enum canonical_dots dots)
{
	if (size == 0)
		return SEGMENT_EMPTY;
	if (size > 2 || text[0] != '.' || text[size - 1] != '.')
		return SEGMENT_NAME;
	if (size == 1)
		return SEGMENT_HERE;
	return dots == CANONICAL_RESOLVED ? SEGMENT_ABOVE : SEGMENT_NAME;
}

size_t canonical_path(struct slice path, enum canonical_dots dots, char *out)
{
	const char *p = path.data;
	const char *end = p + path.len;
	enum segment last = SEGMENT_EMPTY;
	size_t len = 0;

	while (p < end) {
		size_t size;

		p++; /* the slash before it */
		out[len] = '/';
		size = write_segment(&p, end, out + len + 1);
		last = segment_of(out + len + 1, size, dots);
		if (last == SEGMENT_NAME)
			len += 1 + size;
		else if (last == SEGMENT_ABOVE)
			len = path_parent(out, len);
	}
	if (last != SEGMENT_NAME) /* a folder */
		out[len++] = '/';
	assert(len <= canonical_path_room(path.len));
	return len;
}

struct slice canonical_path_of(struct slice target)
{
	const char *mark = memchr(target.data, '?', target.len);

	return mark != NULL ? slice_of(target.data, (size_t)(mark - target.data)) : target;
}
