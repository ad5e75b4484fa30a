/*
 * Judges the host and port of a request. Only the form: whether such a host exists or is served
 * here is for others to say.
 */
#include "config.h"

#include <arpa/inet.h>
#include <assert.h>

#include "authority.h"
#include "base/percent.h"
#include "octet.h"

/*
 * Past a reg-name; `begin` where it is none. No label may be empty but the last one, behind the dot
 * of the root: some servers take further dots away. An encoded octet must be one that could stand
 * in a name as it is, or a part of UTF-8 (RFC 3986 3.2.2): no name has blanks, NULs or slashes in
 * it, but a server may drop them.
 */
static const char *skip_name(const char *begin, const char *end)
{
	const char *label = begin;
	const char *p = begin;

	for (;;) {
		unsigned char c = '.';
		const char *from;
		bool coded;

		p = octet_skip(p, end, OCTET_LABEL);
		from = p;
		if (p == end)
			return p;
		if (*p == '.')
			p++;
		else if (percent_is_at(p, end))
			c = percent_take(&p, end, &coded);
		else
			return p;
		if (c == '.' ? from == label : c < 0x80 && !octet_is((char)c, OCTET_LABEL))
			return begin;
		if (c == '.')
			label = p;
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
