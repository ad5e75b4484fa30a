/*
 * Takes a backend's URL apart. As strict as address.c, and for the same reason. No name is looked
 * up here.
 */
#include "config.h"

#include "net/url.h"

#include <assert.h>
#include <stdio.h>
#include <strings.h>

#include "base/memory.h"

#define NAME_MAX_LEN  253 /* RFC 1035 2.3.4, as text */
#define LABEL_MAX_LEN 63
#define PATH_MAX_LEN  511
#define DEFAULT_PORT  80

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Skips `prefix` at the front of *text, in any case. */
static bool skip_prefix(const char **text, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncasecmp(*text, prefix, len) != 0)
		return false;
	*text += len;
	return true;
}

/* True for what may stand in a URL as it is (RFC 3986 2, less strict about brackets and %). */
static bool is_url_text(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text >= 0x7f || strchr("\"<>\\^`{|}", *text) != NULL)
			return false;
	return true;
}

/* True where the last label is a number: then it can only be meant as an IPv4 address. */
static bool ends_in_number(struct slice host)
{
	size_t i = host.len;

	if (i > 0 && host.data[i - 1] == '.')
		i--;
	if (i == 0 || !is_digit(host.data[i - 1]))
		return false;
	while (i > 0 && is_digit(host.data[i - 1]))
		i--;
	return i == 0 || host.data[i - 1] == '.';
}

static bool is_host_name(struct slice host)
{
	size_t label = 0;

	if (host.len == 0 || host.len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < host.len; i++) {
		char c = host.data[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_')
			return false;
		if (++label > LABEL_MAX_LEN)
			return false;
	}
	return true;
}

/* The parts of a URL, pointing into it. */
struct url_parts {
	struct slice host; /* without brackets */
	struct slice path;
	bool bracketed;
	uint16_t port;
};

static int check_host(const struct url_parts *parts, const char **why)
{
	struct address ignored;

	if (parts->bracketed) {
		if (address_parse_ip_slice(parts->host, AF_INET6, &ignored) == 0)
			return 0;
		*why = "what stands in brackets must be an IPv6 address: \"http://[::1]:8001\"";
		return -1;
	}
	if (parts->host.len == 0) {
		*why = "the host is missing: \"http://localhost:8001\"";
		return -1;
	}
	if (ends_in_number(parts->host)) {
		if (address_parse_ip_slice(parts->host, AF_INET, &ignored) == 0)
			return 0;
		*why = "the host is a number but not an IPv4 address: \"http://127.0.0.1:8001\"";
		return -1;
	}
	if (is_host_name(parts->host))
		return 0;
	*why = "a host name has letters, digits, dots, - and _, at most 253 in all and 63 between "
	       "two dots";
	return -1;
}

/* Splits "host[:port]". */
static int split_authority(struct slice s, struct url_parts *parts, const char **why)
{
	const char *end = s.data + s.len;
	const char *colon;

	if (memchr(s.data, '@', s.len) != NULL) {
		*why = "a backend's URL has no user or password";
		return -1;
	}
	parts->bracketed = s.len > 0 && s.data[0] == '[';
	if (parts->bracketed) {
		const char *bracket = memchr(s.data, ']', s.len);

		if (bracket == NULL || (bracket + 1 < end && bracket[1] != ':')) {
			*why = "an IPv6 address stands in brackets: \"http://[::1]:8001\"";
			return -1;
		}
		parts->host = slice_of(s.data + 1, (size_t)(bracket - s.data - 1));
		colon = bracket + 1 < end ? bracket + 1 : NULL;
	} else {
		colon = memchr(s.data, ':', s.len);
		parts->host = slice_of(s.data, (size_t)((colon != NULL ? colon : end) - s.data));
	}
	parts->port = DEFAULT_PORT;
	if (colon == NULL)
		return 0;
	if (!parts->bracketed && memchr(colon + 1, ':', (size_t)(end - colon - 1)) != NULL) {
		*why = "an IPv6 address stands in brackets: \"http://[::1]:8001\"";
		return -1;
	}
	if (address_parse_port(slice_of(colon + 1, (size_t)(end - colon - 1)), 1, &parts->port) ==
		0)
		return 0;
	*why = "a port is a number from 1 to 65535";
	return -1;
}

static int split_url(const char *text, struct url_parts *parts, const char **why)
{
	size_t authority_len = strcspn(text, "/?#");

	if (!is_url_text(text)) {
		*why = "it has a character that may not stand in a URL; write it as %XX";
		return -1;
	}
	if (text[strcspn(text, "?#")] != '\0') {
		*why = "a backend's URL ends with its path: no ? and no #";
		return -1;
	}
	if (split_authority(slice_of(text, authority_len), parts, why) == -1 ||
		check_host(parts, why) == -1)
		return -1;
	parts->path = slice_of_string(text + authority_len);
	if (slice_equals(parts->path, slice_of("/", 1)))
		parts->path.len = 0;
	if (parts->path.len <= PATH_MAX_LEN)
		return 0;
	*why = "the path of a backend's URL has at most 511 bytes";
	return -1;
}

/* Lays the texts out behind each other in one allocation. */
static int fill_url(struct backend_url *out, const struct url_parts *parts, const char *socket)
{
	struct slice socket_slice = slice_of_string(socket);
	char authority[NAME_MAX_LEN + sizeof "[]:65535"];
	char *at;
	int len;

	if (socket != NULL)
		len = snprintf(authority, sizeof authority, "localhost");
	else
		len = snprintf(authority, sizeof authority, parts->bracketed ? "[%.*s]" : "%.*s",
			SLICE_ARGS(parts->host));
	if (socket == NULL && parts->port != DEFAULT_PORT)
		len += snprintf(
			authority + len, sizeof authority - (size_t)len, ":%d", parts->port);
	assert((size_t)len < sizeof authority);
	at = mem_zalloc(1, parts->host.len + parts->path.len + (size_t)len + socket_slice.len + 4);
	if (at == NULL)
		return -1;
	out->port = parts->port;
	out->host = memcpy(at, parts->host.data, parts->host.len);
	out->path = memcpy(at += parts->host.len + 1, parts->path.data, parts->path.len);
	out->authority = memcpy(at += parts->path.len + 1, authority, (size_t)len);
	if (socket != NULL)
		out->socket = memcpy(at + len + 1, socket, socket_slice.len);
	return 0;
}

int url_parse(const char *text, struct backend_url *out, const char **why)
{
	struct url_parts parts = { .host = slice_of("", 0), .path = slice_of("", 0) };
	struct address ignored;
	const char *rest = text;
	bool is_http = skip_prefix(&rest, "http://");
	const char *socket = NULL;

	*out = (struct backend_url){ 0 };
	if (skip_prefix(&rest, "unix:")) {
		socket = rest;
		if (address_parse_unix(socket, &ignored, why) == -1)
			return -1;
	} else if (skip_prefix(&rest, "https://")) {
		*why = "this version speaks only http to backends: \"http://...\"";
		return -1;
	} else if (!is_http) {
		*why = "a backend's URL begins with \"http://\" or \"unix:/\"";
		return -1;
	} else if (split_url(rest, &parts, why) == -1) {
		return -1;
	}
	if (fill_url(out, &parts, socket) == 0)
		return 0;
	*why = "out of memory";
	return -1;
}

void url_free(struct backend_url *url)
{
	mem_free(url->host);
	*url = (struct backend_url){ 0 };
}

int url_address(const struct backend_url *url, struct address *out)
{
	const char *ignored;

	if (url->socket != NULL)
		return address_parse_unix(url->socket, out, &ignored);
	if (address_parse_ip(url->host, out) == -1)
		return -1;
	address_set_port(out, url->port);
	return 0;
}
