/*
 * A model is a list of what a server does to a path, one thing after the other, with the server's
 * own rules for each. They are plain and slow: strings are edited in place, as most servers do it.
 */
#include "path_models.h"

#include <stdbool.h>
#include <string.h>

struct path {
	char text[PATH_MODEL_MAX + 2];
	size_t len;
	bool refused;
};

static int digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

static void remove_part(struct path *p, size_t from, size_t to)
{
	memmove(p->text + from, p->text + to, p->len - to);
	p->len -= to - from;
}

/* The octet that is encoded at `at`, or -1. */
static int coded_at(const struct path *p, size_t at)
{
	if (p->text[at] != '%' || at + 2 >= p->len || digit(p->text[at + 1]) < 0 ||
		digit(p->text[at + 2]) < 0)
		return -1;
	return digit(p->text[at + 1]) * 16 + digit(p->text[at + 2]);
}

/* `strict`: a percent sign that encodes nothing is an error. `kept` stay encoded. */
static void unescape(struct path *p, const char *kept, bool strict)
{
	for (size_t i = 0; i < p->len; i++) {
		int c = coded_at(p, i);

		if (c < 0) {
			p->refused |= p->text[i] == '%' && strict;
			continue;
		}
		if (c > 0 && strchr(kept, c) != NULL) {
			i += 2;
			continue;
		}
		p->text[i] = (char)c;
		remove_part(p, i + 1, i + 3);
	}
}

static void refuse_octet(struct path *p, char c)
{
	p->refused |= memchr(p->text, c, p->len) != NULL;
}

static void replace(struct path *p, char from, char to)
{
	for (size_t i = 0; i < p->len; i++)
		if (p->text[i] == from)
			p->text[i] = to;
}

static void squeeze(struct path *p)
{
	for (size_t i = 1; i < p->len;)
		if (p->text[i] == '/' && p->text[i - 1] == '/')
			remove_part(p, i, i + 1);
		else
			i++;
}

/* Tomcat's parsePathParameters: from a semicolon up to the next one, or to a slash. */
static void strip_parameters(struct path *p)
{
	size_t i = 1;

	while (i < p->len) {
		size_t end = i + 1;

		if (p->text[i] != ';') {
			i++;
			continue;
		}
		while (end < p->len && p->text[end] != ';' && p->text[end] != '/')
			end++;
		remove_part(p, i, end);
	}
}

enum {
	CODED_DOTS = 1,   /* "%2e" is a dot */
	REFUSE_ABOVE = 2, /* ".." at the root is an error, and not just dropped */
	NO_SLASH = 4      /* "/a/b/.." becomes "/a" */
};

/* The length of "." or ".." at the begin of a segment, encoded or not; 0: it is something else. */
static size_t dots_at(const struct path *p, size_t at, int how, int *dots)
{
	size_t i = at;

	*dots = 0;
	while (i < p->len && p->text[i] != '/') {
		bool coded = (how & CODED_DOTS) != 0 && coded_at(p, i) == '.';

		if (p->text[i] != '.' && !coded)
			return 0;
		i += coded ? 3 : 1;
		++*dots;
	}
	return *dots == 1 || *dots == 2 ? i - at : 0;
}

/* RFC 3986 5.2.4, edited in place: an empty segment counts as one. */
static void remove_dots(struct path *p, int how)
{
	size_t at = 0; /* of a slash */

	while (at < p->len) {
		int dots;
		size_t len = dots_at(p, at + 1, how, &dots);
		bool last = at + 1 + len == p->len;
		size_t from = at;

		if (len == 0) {
			at++;
			while (at < p->len && p->text[at] != '/')
				at++;
			continue;
		}
		if (dots == 2 && at == 0)
			p->refused |= (how & REFUSE_ABOVE) != 0;
		if (dots == 2 && at > 0)
			do
				from--;
			while (p->text[from] != '/');
		if (last && ((how & NO_SLASH) == 0 || from == 0)) {
			p->len = from + 1;
			return;
		}
		remove_part(p, from, at + 1 + len);
		at = from;
	}
}

/* src/http/ngx_http_parse.c, ngx_http_parse_complex_uri: all in one pass, NUL and ".." above the
 * root are errors. */
static void nginx(struct path *p)
{
	unescape(p, "", true);
	refuse_octet(p, '\0');
	squeeze(p);
	remove_dots(p, REFUSE_ABOVE);
}

static void nginx_unmerged(struct path *p)
{
	unescape(p, "", true);
	refuse_octet(p, '\0');
	remove_dots(p, REFUSE_ABOVE);
}

/* server/request.c, ap_process_request_internal: ap_normalize_path decodes what is unreserved, then
 * ap_unescape_url_ex the rest. */
static void apache_front(struct path *p, bool merge)
{
	static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789-._~";

	for (size_t i = 0; i < p->len; i++) {
		int c = coded_at(p, i);

		p->refused |= p->text[i] == '%' && c < 0;
		if (c <= 0 || strchr(unreserved, c) == NULL)
			continue;
		p->text[i] = (char)c;
		remove_part(p, i + 1, i + 3);
	}
	if (merge)
		squeeze(p);
	remove_dots(p, REFUSE_ABOVE);
}

/* AllowEncodedSlashes Off, the default, refuses what NoDecode leaves alone. */
static void apache(struct path *p)
{
	apache_front(p, true);
	unescape(p, "/", true);
	refuse_octet(p, '\0');
}

/* AllowEncodedSlashes On: "decoding slashes might have created new // or /./ or /../". */
static void apache_slashes(struct path *p)
{
	apache_front(p, true);
	unescape(p, "", true);
	refuse_octet(p, '\0');
	squeeze(p);
	remove_dots(p, 0);
}

/* server/protocol.c, ap_parse_uri: slashes at the front are one, whatever MergeSlashes says. */
static void apache_unmerged(struct path *p)
{
	while (p->len > 1 && p->text[1] == '/')
		remove_part(p, 0, 1);
	apache_front(p, false);
	unescape(p, "/", true);
	refuse_octet(p, '\0');
}

/* org/apache/catalina/connector/CoyoteAdapter.java: postParseRequest, normalize. */
static void tomcat_end(struct path *p)
{
	refuse_octet(p, '\0');
	squeeze(p);
	remove_dots(p, REFUSE_ABOVE | NO_SLASH);
}

/* encodedSolidusHandling="decode", allowBackslash="true" */
static void tomcat_lax(struct path *p)
{
	strip_parameters(p);
	unescape(p, "", true);
	replace(p, '\\', '/');
	tomcat_end(p);
}

/* encodedSolidusHandling="passthrough" */
static void tomcat_passthrough(struct path *p)
{
	strip_parameters(p);
	unescape(p, "/%", true);
	refuse_octet(p, '\\');
	tomcat_end(p);
}

/* Jetty 9.4, HttpURI.getDecodedPath and URIUtil.canonicalPath: parameters, then all, then dots. */
static void jetty(struct path *p)
{
	strip_parameters(p);
	unescape(p, "", true);
	remove_dots(p, REFUSE_ABOVE);
}

/* path.Clean of Go, behind which net/http's cleanPath puts the slash of a folder again. */
static void go_clean(struct path *p)
{
	bool folder = p->text[p->len - 1] == '/';

	squeeze(p);
	remove_dots(p, NO_SLASH);
	if (!folder && p->len > 1 && p->text[p->len - 1] == '/')
		p->len--;
}

/* net/http/server.go, ServeMux.Handler: url.URL.Path is decoded once. */
static void go_mux(struct path *p)
{
	unescape(p, "", true);
	go_clean(p);
}

/* gorilla/mux with UseEncodedPath: the same on URL.EscapedPath; what matched is decoded then. */
static void go_encoded(struct path *p)
{
	go_clean(p);
	unescape(p, "", true);
}

/* "//host/path" is a reference with a host (WHATWG URL, "special authority ignore slashes state").
 */
static void drop_host(struct path *p)
{
	size_t at = 0;

	while (at < p->len && p->text[at] == '/')
		at++;
	if (at < 2)
		return;
	while (at < p->len && p->text[at] != '/')
		at++;
	remove_part(p, 0, at);
	if (p->len == 0)
		p->text[p->len++] = '/';
}

/* new URL(request.url, base).pathname. What it encodes anew is left as it came. */
static void node_url(struct path *p)
{
	replace(p, '\\', '/');
	drop_host(p);
	remove_dots(p, CODED_DOTS);
}

/* decodeURIComponent of that. */
static void node_decoded(struct path *p)
{
	node_url(p);
	unescape(p, "", true);
}

/* decodeURIComponent(request.url): routers that resolve nothing, as Express. */
static void decoded(struct path *p)
{
	unescape(p, "", true);
}

/* PATH_INFO as wsgiref and other WSGI servers make it: urllib.parse.unquote is never an error. */
static void wsgi(struct path *p)
{
	unescape(p, "", false);
}

/* http/server.py: parse_request makes slashes at the front one, translate_path does the rest. A
 * folder is what ended with a slash before it was decoded. */
static void python_files(struct path *p)
{
	bool folder = p->text[p->len - 1] == '/';

	unescape(p, "", false);
	squeeze(p);
	remove_dots(p, NO_SLASH);
	if (p->len > 1 && p->text[p->len - 1] == '/')
		p->len--;
	if (folder && p->len > 1)
		p->text[p->len++] = '/';
}

/* HTTP.sys ("Http.sys registry settings": PercentUAllowed) decodes %uNNNN; a backslash is a slash.
 */
static void decode_percent_u(struct path *p)
{
	for (size_t i = 0; i + 5 < p->len; i++) {
		const char *t = p->text + i;

		if (t[0] != '%' || (t[1] != 'u' && t[1] != 'U') || t[2] != '0' || t[3] != '0' ||
			digit(t[4]) < 0 || digit(t[5]) < 0)
			continue;
		p->text[i] = (char)(digit(t[4]) * 16 + digit(t[5]));
		remove_part(p, i + 1, i + 6);
	}
}

static void iis(struct path *p)
{
	decode_percent_u(p);
	unescape(p, "", false);
	replace(p, '\\', '/');
	remove_dots(p, 0);
}

static void iis_merged(struct path *p)
{
	decode_percent_u(p);
	unescape(p, "", false);
	replace(p, '\\', '/');
	squeeze(p);
	remove_dots(p, 0);
}

/* Names of files on Windows end before their last dots and blanks ("Naming Files, Paths, and
 * Namespaces" in Microsoft's documentation). */
static void windows_files(struct path *p)
{
	size_t len = 0;

	unescape(p, "", false);
	replace(p, '\\', '/');
	for (size_t i = 0; i <= p->len; i++) {
		bool ends = i == p->len || p->text[i] == '/';
		size_t name = len;

		while (ends && name > 0 && (p->text[name - 1] == ' ' || p->text[name - 1] == '.'))
			name--;
		if (ends && name > 0 && p->text[name - 1] != '/')
			len = name;
		while (ends && len > 0 && p->text[len - 1] == ' ')
			len--;
		if (i < p->len)
			p->text[len++] = p->text[i];
	}
	p->len = len;
	remove_dots(p, 0);
}

static const struct {
	const char *name;
	void (*read)(struct path *p);
} models[] = {
	{ "nginx", nginx },
	{ "nginx, merge_slashes off", nginx_unmerged },
	{ "Apache", apache },
	{ "Apache, AllowEncodedSlashes On", apache_slashes },
	{ "Apache, MergeSlashes Off", apache_unmerged },
	{ "Tomcat, lax", tomcat_lax },
	{ "Tomcat, passthrough", tomcat_passthrough },
	{ "Jetty", jetty },
	{ "Go", go_mux },
	{ "Go, encoded", go_encoded },
	{ "Node, URL", node_url },
	{ "Node, URL and decoded", node_decoded },
	{ "decoded", decoded },
	{ "WSGI", wsgi },
	{ "Python's http.server", python_files },
	{ "IIS", iis },
	{ "IIS, merged", iis_merged },
	{ "files of Windows", windows_files },
};

const char *path_model_name(unsigned number)
{
	return number < sizeof models / sizeof models[0] ? models[number].name : NULL;
}

long path_model_read(unsigned number, const char *path, size_t len, char *out)
{
	struct path p = { .len = len };

	if (len == 0 || len > PATH_MODEL_MAX || path[0] != '/')
		return -1;
	memcpy(p.text, path, len);
	models[number].read(&p);
	if (p.refused || p.text[0] != '/')
		return -1;
	memcpy(out, p.text, p.len);
	return (long)p.len;
}

static unsigned next(uint64_t *state, unsigned below)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(*state >> 33) % below;
}

size_t path_model_invent(uint64_t *state, char *out, size_t size)
{
	static const char *const pieces[] = { "/", "/", "/", "%2f", "%2F", "\\", "%5c", ";", "%3b",
		"..", "..", "%2e%2E", ".", ".%2e", "%252e", "%252f", "%00", "%u002f", "%u002e", "%",
		"%%32%66", "x", "x", "admin", "admin", "%61dmin", "api", "public", "%20", "a+(b)",
		"%C3%A4", "v=1", "//" };
	unsigned count = 1 + next(state, 10);
	size_t len = 1;

	out[0] = '/';
	for (unsigned i = 0; i < count; i++) {
		const char *piece =
			pieces[next(state, (unsigned)(sizeof pieces / sizeof pieces[0]))];

		if (len + strlen(piece) >= size)
			break;
		memcpy(out + len, piece, strlen(piece));
		len += strlen(piece);
	}
	return len;
}
