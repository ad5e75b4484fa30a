/*
 * Judges the host and port of a request. Only the form: whether such a host exists or is served
 * here is for others to say.
 */
#include "config.h"

#include <arpa/inet.h>
#include <assert.h>

#include "authority.h"
#include "octet.h"

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Up to the first octet that a reg-name cannot have; percent signs must encode something. */
static const char *skip_name(const char *p, const char *end)
{
	for (;;) {
		p = octet_skip(p, end, OCTET_HOST);
		if (end - p < 3 || *p != '%' || !is_hex(p[1]) || !is_hex(p[2]))
			return p;
		p += 3;
	}
}

/* Past the bracket that ends an IPv6 address, or `p` where it is none. */
static const char *skip_bracketed(const char *p, const char *end)
{
	char text[INET6_ADDRSTRLEN];
	const char *closing = memchr(p, ']', (size_t)(end - p));
	size_t len;
	struct in6_addr address;

	assert(*p == '[');
	if (closing == NULL)
		return p;
	len = (size_t)(closing - p - 1);
	if (len >= sizeof text || memchr(p, '\0', (size_t)(end - p)) != NULL)
		return p;
	memcpy(text, p + 1, len);
	text[len] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1 ? closing + 1 : p;
}

bool authority_is_valid(struct slice s)
{
	const char *end = s.data + s.len;
	const char *p = s.data;
	uint64_t port;

	if (s.len == 0 || s.len > AUTHORITY_MAX)
		return false;
	p = *p == '[' ? skip_bracketed(p, end) : skip_name(p, end);
	if (p == s.data)
		return false;
	if (p == end)
		return true;
	if (*p != ':')
		return false;
	p++;
	return p == end || slice_parse_decimal(slice_of(p, (size_t)(end - p)), 65535, &port) == 0;
}
