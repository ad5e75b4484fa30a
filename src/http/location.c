/*
 * Rewrites what names the backend exactly. A reference that is odd in any way may mean something
 * else to a browser, and stays as it is.
 */
#include "config.h"

#include "http/location.h"

#include "octet.h"

#define PORT_HTTP  80
#define PORT_HTTPS 443

static struct slice skip(struct slice s, size_t len)
{
	return slice_of(s.data + len, s.len - len);
}

static bool has(struct slice s, size_t at, char c)
{
	return at < s.len && s.data[at] == c;
}

static struct slice skip_blanks(struct slice s)
{
	while (s.len > 0 && octet_is_blank(s.data[0]))
		s = skip(s, 1);
	return s;
}

/* Takes `word` off the front of *s, in any case. */
static bool take_word(struct slice *s, const char *word)
{
	struct slice wanted = slice_of_string(word);

	if (s->len < wanted.len || !slice_equals_nocase(slice_of(s->data, wanted.len), wanted))
		return false;
	*s = skip(*s, wanted.len);
	return true;
}

/* Takes `name`, the equals sign behind it, and blanks off the front of *s. */
static bool take_name(struct slice *s, const char *name)
{
	struct slice rest = *s;

	if (!take_word(&rest, name))
		return false;
	rest = skip_blanks(rest);
	if (!has(rest, 0, '='))
		return false;
	*s = skip_blanks(skip(rest, 1));
	return true;
}

struct authority {
	struct slice host; /* with the brackets of an IPv6 address */
	uint64_t port;
};

/* False: it has more than a host and a port, such as a user. */
static bool split_authority(struct slice s, uint64_t default_port, struct authority *out)
{
	size_t len = 0;

	if (has(s, 0, '['))
		while (len < s.len && s.data[len] != ']')
			len++;
	while (len < s.len && s.data[len] != ':')
		len++;
	out->host = slice_of(s.data, len);
	out->port = default_port;
	if (s.len <= len + 1)
		return true;
	return slice_parse_decimal(skip(s, len + 1), 65535, &out->port) == 0;
}

static bool is_same(struct slice a, struct slice b, uint64_t default_port)
{
	struct authority left, right;

	return a.len > 0 && b.len > 0 && split_authority(a, default_port, &left) &&
	       split_authority(b, default_port, &right) && left.port == right.port &&
	       slice_equals_nocase(left.host, right.host);
}

/* Takes the prefix off a path, by whole segments. What is left is empty, or begins with a slash,
 * or with a query or fragment. */
static bool take_prefix(struct slice *path, struct slice prefix)
{
	struct slice rest;

	/* Prefix and target were joined by exactly one slash. */
	if (prefix.len > 0 && prefix.data[prefix.len - 1] == '/')
		prefix.len--;
	if (path->len < prefix.len || !slice_equals(slice_of(path->data, prefix.len), prefix))
		return false;
	rest = skip(*path, prefix.len);
	if (rest.len > 0 && !has(rest, 0, '/') && !has(rest, 0, '?') && !has(rest, 0, '#'))
		return false;
	*path = rest;
	return true;
}

/* Browsers take a backslash for a slash, and drop tabs. */
static bool is_network_path(struct slice path)
{
	return has(path, 0, '/') && (has(path, 1, '/') || has(path, 1, '\\') || has(path, 1, '\t'));
}

/* A path that would be read as a host where it stands alone gets a segment that means nothing (RFC
 * 3986 4.2). */
static void write_path(struct text *out, struct slice path, bool alone)
{
	if (alone && is_network_path(path))
		text_add_string(out, "/.");
	if (!has(path, 0, '/'))
		text_add_char(out, '/');
	text_add_slice(out, path);
}

static bool rewrite_absolute(
	struct text *out, struct slice value, const struct location_map *map, bool https)
{
	struct slice authority = value;
	struct slice path;
	bool is_backend, is_request;
	size_t len = 0;

	while (len < value.len && !has(value, len, '/') && !has(value, len, '?') &&
		!has(value, len, '#'))
		len++;
	authority.len = len;
	path = skip(value, len);
	is_backend = !https && is_same(authority, map->authority, PORT_HTTP);
	is_request = map->preserved && !slice_is_empty(map->prefix) &&
		     is_same(authority, map->host, https ? PORT_HTTPS : PORT_HTTP);
	if ((!is_backend && !is_request) || !take_prefix(&path, map->prefix))
		return false;
	if (is_backend) {
		authority = map->host;
		https = map->https;
	}
	if (!slice_is_empty(authority)) {
		text_add_string(out, https ? "https://" : "http://");
		text_add_slice(out, authority);
	}
	write_path(out, path, slice_is_empty(authority));
	return true;
}

/* Writes what a reference becomes. False: it stays as it is, and nothing is written. */
static bool rewrite_reference(struct text *out, struct slice value, const struct location_map *map)
{
	if (take_word(&value, "http://"))
		return rewrite_absolute(out, value, map, false);
	if (take_word(&value, "https://"))
		return rewrite_absolute(out, value, map, true);
	if (slice_is_empty(map->prefix) || is_network_path(value) ||
		!take_prefix(&value, map->prefix))
		return false;
	write_path(out, value, true);
	return true;
}

/* The reference in Refresh, as the HTML standard reads it: `0; url=/x`, `0, "/x"`. */
static struct slice find_refresh(struct slice value)
{
	struct slice url = value;
	const char *end;
	char quote;

	while (url.len > 0 && !has(url, 0, ';') && !has(url, 0, ','))
		url = skip(url, 1);
	url = skip_blanks(skip(url, url.len > 0));
	(void)take_name(&url, "url");
	if (!has(url, 0, '"') && !has(url, 0, '\''))
		return url;
	quote = url.data[0];
	url = skip(url, 1);
	end = memchr(url.data, quote, url.len);
	return end != NULL ? slice_of(url.data, (size_t)(end - url.data)) : url;
}

static bool rewrite_refresh(struct text *out, struct slice value, const struct location_map *map)
{
	struct slice url = find_refresh(value);
	size_t begin = (size_t)(url.data - value.data);
	size_t former = out->len;

	text_add_slice(out, slice_of(value.data, begin));
	if (!rewrite_reference(out, url, map)) {
		out->len = former;
		return false;
	}
	text_add_slice(out, skip(value, begin + url.len));
	return true;
}

/* The value of a Path attribute, without quotes; empty: it is another attribute. */
static struct slice path_attribute(struct slice part)
{
	part = slice_trim(part);
	if (!take_name(&part, "path"))
		return slice_of(NULL, 0);
	if (part.len > 1 && has(part, 0, '"') && has(part, part.len - 1, '"'))
		part = slice_of(part.data + 1, part.len - 2);
	return part;
}

/* RFC 6265 5.2: attributes follow the first semicolon, and quotes protect nothing. */
static bool rewrite_cookie(struct text *out, struct slice value, struct slice prefix)
{
	const char *end = value.data + value.len;
	const char *written = value.data;
	const char *semicolon = memchr(value.data, ';', value.len);

	while (semicolon != NULL) {
		const char *begin = semicolon + 1;
		struct slice path, rest;

		semicolon = memchr(begin, ';', (size_t)(end - begin));
		path = path_attribute(
			slice_of(begin, (size_t)((semicolon != NULL ? semicolon : end) - begin)));
		rest = path;
		if (slice_is_empty(path) || !take_prefix(&rest, prefix) ||
			(rest.len > 0 && !has(rest, 0, '/')))
			continue;
		text_add_slice(out, slice_of(written, (size_t)(path.data - written)));
		write_path(out, rest, false);
		written = path.data + path.len;
	}
	if (written == value.data)
		return false;
	text_add_slice(out, slice_of(written, (size_t)(end - written)));
	return true;
}

static bool rewrite(struct text *out, const struct field *field, const struct location_map *map)
{
	static const struct slice refresh = { "Refresh", 7 };

	if (slice_is_empty(field->value))
		return false;
	if (field->id == FIELD_SET_COOKIE)
		return !slice_is_empty(map->prefix) &&
		       rewrite_cookie(out, field->value, map->prefix);
	if (field->id != FIELD_LOCATION)
		return false;
	if (slice_equals_nocase(field->name, refresh))
		return rewrite_refresh(out, field->value, map);
	return rewrite_reference(out, field->value, map);
}

void location_rewrite(struct fields *fields, const struct location_map *map, struct text *room)
{
	for (unsigned i = 0; i < fields->count; i++) {
		struct field *field = &fields->list[i];
		size_t begin = room->len;

		if (!rewrite(room, field, map))
			continue;
		field->value = slice_of(room->data + begin, room->len - begin);
		field->plain = false;
	}
}
