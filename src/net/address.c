/*
 * Reads and writes addresses. Strict, because what a resolver or inet_aton would make of an odd
 * spelling ("1.2", "010.0.0.1") is seldom what its author meant. Opens no socket; only
 * address_resolve asks anybody.
 */
#include "config.h"

#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <strings.h>

#include "base/text.h"

#define UNIX_PREFIX "unix:"

int address_parse_port(struct slice s, uint16_t least, uint16_t *port)
{
	uint64_t value;

	if (s.len > 5 || slice_parse_decimal(s, UINT16_MAX, &value) == -1 || value < least)
		return -1;
	*port = (uint16_t)value;
	return 0;
}

uint16_t address_port(const struct address *a)
{
	if (address_is_unix(a))
		return 0;
	return ntohs(a->u.sa.sa_family == AF_INET6 ? a->u.in6.sin6_port : a->u.in.sin_port);
}

void address_set_port(struct address *a, uint16_t port)
{
	if (a->u.sa.sa_family == AF_INET6)
		a->u.in6.sin6_port = htons(port);
	else
		a->u.in.sin_port = htons(port);
}

int address_parse_unix(const char *path, struct address *out, const char **why)
{
	size_t len = strlen(path);

	*out = (struct address){ 0 };
	if (*path != '/') {
		*why = "the path of a unix socket begins with a slash: \"unix:/run/app.sock\"";
		return -1;
	}
	if (len >= sizeof out->u.un.sun_path) {
		*why = "the path of a unix socket has at most 107 bytes";
		return -1;
	}
	out->u.un.sun_family = AF_UNIX;
	memcpy(out->u.un.sun_path, path, len + 1);
	out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	return 0;
}

int address_parse_ip(const char *text, struct address *out)
{
	*out = (struct address){ 0 };
	if (inet_pton(AF_INET, text, &out->u.in.sin_addr) == 1) {
		out->u.in.sin_family = AF_INET;
		out->len = sizeof out->u.in;
		return 0;
	}
	if (inet_pton(AF_INET6, text, &out->u.in6.sin6_addr) == 1) {
		out->u.in6.sin6_family = AF_INET6;
		out->len = sizeof out->u.in6;
		return 0;
	}
	*out = (struct address){ 0 };
	return -1;
}

int address_parse_ip_slice(struct slice s, int family, struct address *out)
{
	char text[INET6_ADDRSTRLEN + 1];

	if (s.len >= sizeof text)
		return -1;
	memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	if (address_parse_ip(text, out) == -1 || out->u.sa.sa_family != family)
		return -1;
	return 0;
}

static int parse_listen_host(struct slice host, struct address *out, const char **why)
{
	if (host.len == 0 || slice_equals(host, slice_of("*", 1))) {
		*out = (struct address){ .len = sizeof out->u.in6 };
		out->u.in6.sin6_family = AF_INET6;
		out->u.in6.sin6_addr = in6addr_any;
		return 0;
	}
	if (host.data[0] == '[') {
		if (host.data[host.len - 1] == ']' &&
			address_parse_ip_slice(
				slice_of(host.data + 1, host.len - 2), AF_INET6, out) == 0)
			return 0;
		*why = "what stands in brackets must be an IPv6 address: \"[::1]:8080\"";
		return -1;
	}
	if (memchr(host.data, ':', host.len) != NULL) {
		*why = "an IPv6 address needs brackets and a port: \"[::1]:8080\"";
		return -1;
	}
	if (address_parse_ip_slice(host, AF_INET, out) == 0)
		return 0;
	*why = "before the port goes an IP address of this machine, or * for all of them: "
	       "\"127.0.0.1:8080\", \"*:8080\"";
	return -1;
}

int address_parse_listen(const char *text, struct address *out, const char **why)
{
	const char *colon = strrchr(text, ':');
	uint16_t port;

	*out = (struct address){ 0 };
	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return address_parse_unix(text + strlen(UNIX_PREFIX), out, why);
	if (strstr(text, "://") != NULL) {
		*why = "a listener has an address, not a URL: \"*:8080\"";
		return -1;
	}
	if (colon == NULL || (colon[1] == '\0') || colon[strlen(colon) - 1] == ']') {
		*why = "the port is missing: \"*:8080\", \"127.0.0.1:8080\", \"[::1]:8080\" "
		       "or \"unix:/path\"";
		return -1;
	}
	if (address_parse_port(slice_of_string(colon + 1), 0, &port) == -1) {
		*why = "a port is a number from 0 to 65535 (0: the kernel chooses)";
		return -1;
	}
	if (parse_listen_host(slice_of(text, (size_t)(colon - text)), out, why) == -1) {
		*out = (struct address){ 0 };
		return -1;
	}
	address_set_port(out, port);
	return 0;
}

bool address_is_wildcard(const struct address *a)
{
	if (a->u.sa.sa_family == AF_INET)
		return a->u.in.sin_addr.s_addr == htonl(INADDR_ANY);
	return a->u.sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
}

bool address_is_loopback(const struct address *a)
{
	const struct in6_addr *in6 = &a->u.in6.sin6_addr;
	uint32_t in = INADDR_ANY;

	if (a->u.sa.sa_family == AF_INET)
		in = a->u.in.sin_addr.s_addr;
	else if (a->u.sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(in6))
		return true;
	else if (a->u.sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(in6))
		memcpy(&in, in6->s6_addr + 12, sizeof in);
	return ntohl(in) >> 24 == IN_LOOPBACKNET;
}

bool address_equals(const struct address *a, const struct address *b)
{
	if (a->len == 0 || b->len == 0)
		return a->len == b->len;
	if (a->u.sa.sa_family != b->u.sa.sa_family)
		return false;
	switch (a->u.sa.sa_family) {
	case AF_INET:
		return a->u.in.sin_port == b->u.in.sin_port &&
		       a->u.in.sin_addr.s_addr == b->u.in.sin_addr.s_addr;
	case AF_INET6:
		return a->u.in6.sin6_port == b->u.in6.sin6_port &&
		       a->u.in6.sin6_scope_id == b->u.in6.sin6_scope_id &&
		       memcmp(&a->u.in6.sin6_addr, &b->u.in6.sin6_addr,
			       sizeof a->u.in6.sin6_addr) == 0;
	default:
		return a->len == b->len && memcmp(&a->u, &b->u, a->len) == 0;
	}
}

static bool resolve_is_new(const struct address *list, int count, const struct address *a)
{
	for (int i = 0; i < count; i++)
		if (address_equals(&list[i], a))
			return false;
	return true;
}

/* AI_ADDRCONFIG spares a machine without IPv6 the attempts that cannot succeed, but it does not
 * count loopback addresses: where nothing else is up, the look-up goes without it. */
static int ask(const char *host, struct addrinfo **found)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	int rc;

	if (strcasecmp(host, "localhost") != 0 && strcasecmp(host, "localhost.") != 0) {
		hints.ai_flags = AI_ADDRCONFIG;
		rc = getaddrinfo(host, NULL, &hints, found);
		if (rc != EAI_NONAME && rc != EAI_ADDRFAMILY && rc != EAI_NODATA)
			return rc;
		hints.ai_flags = 0;
	}
	return getaddrinfo(host, NULL, &hints, found);
}

int address_resolve(const char *host, uint16_t port, struct address *out, int max, const char **why)
{
	struct addrinfo *found = NULL;
	int rc = ask(host, &found);
	int count = 0;

	if (rc != 0) {
		*why = gai_strerror(rc);
		return -1;
	}
	for (struct addrinfo *i = found; i != NULL && count < max; i = i->ai_next) {
		struct address a = { 0 };

		if (i->ai_family != AF_INET && i->ai_family != AF_INET6)
			continue;
		memcpy(&a.u, i->ai_addr, i->ai_addrlen);
		a.len = i->ai_addrlen;
		address_set_port(&a, port);
		if (resolve_is_new(out, count, &a))
			out[count++] = a;
	}
	freeaddrinfo(found);
	if (count == 0) {
		*why = "it has no address";
		return -1;
	}
	return count;
}

/* Each client that connects is written down once: hence not by inet_ntop, which is printf inside.
 */
static void add_ipv4(struct text *out, const uint8_t octets[4])
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			text_add_char(out, '.');
		text_add_decimal(out, octets[i]);
	}
}

static void add_ipv6(struct text *out, const struct in6_addr *ip)
{
	char room[INET6_ADDRSTRLEN];

	if (inet_ntop(AF_INET6, ip, room, sizeof room) != NULL)
		text_add_string(out, room);
}

/* Without brackets. An IPv4 client of an IPv6 socket is an IPv4 client. */
static void add_host(struct text *out, const struct address *a)
{
	if (a->len == 0)
		return;
	if (a->u.sa.sa_family == AF_UNIX)
		text_add_string(out, UNIX_PREFIX);
	else if (a->u.sa.sa_family == AF_INET)
		add_ipv4(out, (const uint8_t *)&a->u.in.sin_addr);
	else if (IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr))
		add_ipv4(out, a->u.in6.sin6_addr.s6_addr + 12);
	else
		add_ipv6(out, &a->u.in6.sin6_addr);
}

const char *address_format_host(const struct address *a, char out[ADDRESS_TEXT_SIZE])
{
	struct text text = text_over(out, ADDRESS_TEXT_SIZE);

	add_host(&text, a);
	return text_string(&text);
}

static bool needs_brackets(const struct address *a)
{
	return a->u.sa.sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr);
}

const char *address_format(const struct address *a, char out[ADDRESS_TEXT_SIZE])
{
	struct text text = text_over(out, ADDRESS_TEXT_SIZE);

	if (a->len > 0 && needs_brackets(a))
		text_add_char(&text, '[');
	add_host(&text, a);
	if (a->len > 0 && needs_brackets(a))
		text_add_char(&text, ']');
	if (a->len > 0 && !address_is_unix(a)) {
		text_add_char(&text, ':');
		text_add_decimal(&text, address_port(a));
	} else if (a->len > offsetof(struct sockaddr_un, sun_path)) {
		/* An unnamed peer has a family and no path; an abstract one begins with a NUL. */
		text_add(&text, a->u.un.sun_path,
			strnlen(a->u.un.sun_path, sizeof a->u.un.sun_path));
	}
	return text_string(&text);
}
