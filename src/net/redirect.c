/*
 * Fills parts of a request into the URL of a redirect. What a request may put where is decided
 * once, when the settings are loaded: nothing of it can become the beginning of the URL, or a part
 * of the host but for {host} itself.
 */
#include "config.h"

#include "net/redirect.h"

#include <strings.h>

#include "net/canonical.h"

enum part { PART_NONE, PART_HOST, PART_PATH, PART_QUERY };

static const struct {
	const char *name;
	enum part part;
} names[] = {
	{ "{host}", PART_HOST },
	{ "{path}", PART_PATH },
	{ "{query}", PART_QUERY },
};

/* The part that is named at *url, moving behind it. */
static enum part take_part(const char **url)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t len = strlen(names[i].name);

		if (strncmp(*url, names[i].name, len) == 0) {
			*url += len;
			return names[i].part;
		}
	}
	return PART_NONE;
}

/* Where the authority begins; `url` itself where there is none; NULL where it is no such URL. */
static const char *authority_of(const char *url)
{
	if (strncasecmp(url, "http://", 7) == 0)
		return url + 7;
	if (strncasecmp(url, "https://", 8) == 0)
		return url + 8;
	return url[0] == '/' ? url : NULL;
}

static int check_octets(const char *url, const char **why)
{
	for (const char *p = url; *p != '\0';) {
		if (take_part(&p) != PART_NONE)
			continue;
		*why = "in braces may stand {host}, {path} and {query}; write %7B and %7D for "
		       "others";
		if (*p == '{' || *p == '}')
			return -1;
		*why = "has an octet that cannot stand in a URL; write it percent-encoded";
		if (*p <= ' ' || *p >= 0x7f || strchr("\"<>\\^`|", *p) != NULL)
			return -1;
		p++;
	}
	return 0;
}

static int check_authority(const char *p, const char **why)
{
	const char *begin = p;

	for (;;) {
		const char *next = p;
		enum part part = take_part(&next);

		*why = "there is no host behind http:// or https://";
		if (p == begin && (part == PART_PATH || strchr("/?#:", *p) != NULL))
			return -1;
		*why = "{query} needs a path before it: {path}{query}";
		if (part == PART_QUERY)
			return -1;
		if (part == PART_PATH || strchr("/?#", *p) != NULL)
			return 0;
		p = part == PART_NONE ? p + 1 : next;
	}
}

int redirect_check(const char *url, const char **why)
{
	const char *authority = authority_of(url);

	*why = "must begin with http://, https:// or a slash";
	if (authority == NULL)
		return -1;
	if (check_octets(url, why) == -1)
		return -1;
	if (authority > url)
		return check_authority(authority, why);
	/* With two slashes it would be the URL of another host. */
	*why = "behind the first slash must stand something else than a slash or {...}";
	return url[1] == '/' || url[1] == '{' ? -1 : 0;
}

bool redirect_needs_host(const char *url)
{
	return strstr(url, "{host}") != NULL;
}

bool redirect_nests_path(const char *url)
{
	const char *path = strstr(url, "{path}");
	const char *authority = authority_of(url);
	const char *slash = authority != NULL ? strchr(authority, '/') : NULL;

	return path != NULL && slash != NULL && slash < path && path < url + strcspn(url, "?#");
}

static bool is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
	       c == '.' || c == '_' || c == '~' || c == '/';
}

static void add_part(struct text *out, struct slice part, bool is_value)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < part.len; i++) {
		char c = part.data[i];
		unsigned char octet = (unsigned char)c;

		if (is_unreserved(c) ||
			(!is_value && c != '\0' && strchr("%!$&'()*+,;=:@?", c) != NULL)) {
			text_add_char(out, c);
			continue;
		}
		text_add_char(out, '%');
		text_add_char(out, digits[octet >> 4]);
		text_add_char(out, digits[octet & 15]);
	}
}

void redirect_write(struct text *out, const char *url, const struct redirect_parts *parts)
{
	bool is_value = false;

	while (*url != '\0') {
		switch (take_part(&url)) {
		case PART_HOST:
			if (is_value)
				add_part(out, parts->host, true);
			else
				text_add_slice(out, parts->host); /* it may have brackets */
			break;
		case PART_PATH:
			add_part(out, parts->path, is_value);
			break;
		case PART_QUERY:
			add_part(out, parts->query, is_value);
			break;
		case PART_NONE:
			is_value |= *url == '?' || *url == '#';
			text_add_char(out, *url++);
			break;
		}
	}
}

static struct slice without_port(struct slice host)
{
	const char *end = host.data + host.len;
	const char *from = host.data;
	const char *colon;

	if (host.len > 0 && *from == '[')
		from = memchr(from, ']', host.len);
	if (host.len == 0 || from == NULL)
		return host;
	colon = memchr(from, ':', (size_t)(end - from));
	return colon != NULL ? slice_of(host.data, (size_t)(colon - host.data)) : host;
}

struct redirect_parts redirect_split(struct slice host, struct slice target)
{
	struct redirect_parts parts = { without_port(host), canonical_path_of(target),
		{ NULL, 0 } };
	size_t rest = target.len - parts.path.len;

	if (rest > 0)
		parts.query = slice_of(target.data + parts.path.len, rest);
	if (parts.path.len == 0 || parts.path.data[0] != '/')
		parts.path = slice_of_string("/");
	return parts;
}
