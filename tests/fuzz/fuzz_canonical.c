/*
 * Hosts and paths in one spelling, and the URLs of redirects: a canonical path has nothing that
 * could be read in another way, is canonical again, and what is told to be plain or clear is that;
 * what models of servers make of a path is among its readings; whatever a request holds, a redirect
 * leads to the host that its author wrote, and is one line.
 */
#include "config.h"

#include "../lib/path_models.h"
#include "fuzz.h"
#include "net/canonical.h"
#include "net/readings.h"
#include "net/redirect.h"

#define TEXT_MAX 2048

static void claim_canonical(struct slice path)
{
	char before = '\0';

	FUZZ_CLAIM(path.len > 0 && path.data[0] == '/');
	for (size_t i = 0; i < path.len; i++) {
		char c = path.data[i];

		FUZZ_CLAIM(c > ' ' && c < 0x7f && strchr("\"#<>?[\\]^`{|}", c) == NULL);
		FUZZ_CLAIM(c != '/' || before != '/');
		FUZZ_CLAIM(c != '%' || path.len - i >= 3);
		before = c;
	}
	FUZZ_CLAIM(memmem(path.data, path.len, "/./", 3) == NULL);
}

/* What a server makes of the path is among the readings, octet by octet. */
static void claim_models(const struct readings *r, struct slice path)
{
	static char out[TEXT_MAX + 1];

	for (unsigned m = 0; path_model_name(m) != NULL; m++) {
		long len = path_model_read(m, path.data, path.len, out);
		bool found = len == -1;

		for (size_t i = 0; i < r->count && !found; i++)
			found = slice_equals(r->texts[i], slice_of(out, (size_t)len));
		FUZZ_CLAIM(found);
	}
}

/* A clear path has one canonical form, however it is read. */
static void try_readings(struct slice path, struct slice resolved)
{
	static char room[96 * 1024], spelled[3 * TEXT_MAX + 1];
	struct readings r;
	struct slice text;
	bool clear = canonical_is_clear(path);

	readings_init(&r, path, READINGS_OF_TARGET, room, sizeof room);
	while (readings_next(&r, &text)) {
		size_t len;

		FUZZ_CLAIM(text.len > 0 && text.len <= path.len && text.data[0] == '/');
		len = canonical_path(text, CANONICAL_UNRESOLVED, spelled);
		claim_canonical(slice_of(spelled, len));
		FUZZ_CLAIM(!clear || slice_equals(resolved, slice_of(spelled, len)));
	}
	FUZZ_CLAIM(r.count <= READINGS_MAX && r.used <= READINGS_BYTES_MAX);
	FUZZ_CLAIM(!clear || (!r.cut && !r.climbs));
	if (!r.cut)
		claim_models(&r, path);
	FUZZ_CLAIM(!clear || !readings_climb(path, room, sizeof room));
}

static void try_path(struct slice path)
{
	static char out[3 * TEXT_MAX + 1], again[9 * TEXT_MAX + 4];
	struct slice a;
	size_t len;

	a = slice_of(out, canonical_path(path, CANONICAL_RESOLVED, out));
	FUZZ_CLAIM(a.len <= canonical_path_room(path.len));
	claim_canonical(a);
	FUZZ_CLAIM(memmem(a.data, a.len, "/../", 4) == NULL);
	len = canonical_path(a, CANONICAL_RESOLVED, again);
	FUZZ_CLAIM(slice_equals(a, slice_of(again, len)));
	FUZZ_CLAIM(!canonical_is_plain(path) || slice_equals(a, path));
	FUZZ_CLAIM(!canonical_is_plain(path) || canonical_is_clear(path));
	if (path.len > 0)
		try_readings(path, a);
}

static void try_host(struct slice host)
{
	char out[CANONICAL_HOST_MAX];
	size_t len = canonical_host(host, out);

	FUZZ_CLAIM(len <= sizeof out);
	for (size_t i = 0; i < len; i++)
		FUZZ_CLAIM(out[i] < 'A' || out[i] > 'Z');
}

static void try_redirect(const char *url, struct slice target)
{
	static char room[64 * 1024];
	struct text out = text_over(room, sizeof room);
	struct redirect_parts parts = redirect_split(slice_of_string("host.example:1"), target);
	const char *why = NULL;
	size_t front;

	if (redirect_check(url, &why) == -1) {
		FUZZ_CLAIM(why != NULL && *why != '\0');
		return;
	}
	redirect_write(&out, url, &parts);
	if (out.overflow)
		return;
	for (size_t i = 0; i < out.len; i++)
		FUZZ_CLAIM(room[i] > ' ' && room[i] < 0x7f);
	front = url[0] == '/' ? 1 : (size_t)(strstr(url, "//") - url) + 2;
	FUZZ_CLAIM(out.len >= front && memcmp(room, url, front) == 0);
	if (front == 1) { /* a path here, not another host */
		FUZZ_CLAIM(out.len == 1 || (room[1] != '/' && room[1] != '\\'));
		return;
	}
	if (strstr(url, "{host}") != NULL)
		return;
	front += strcspn(url + front, "/?#{");
	FUZZ_CLAIM(out.len >= front && memcmp(room, url, front) == 0);
	FUZZ_CLAIM(out.len == front || strchr("/?#", room[front]) != NULL);
}

/* A path, a host; and where there is a NUL, a URL before it and a request's target behind. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct window w;
	const char *end;

	if (size >= TEXT_MAX)
		return 0;
	w = window_open(data, size);
	window_show(&w, w.len);
	if (size == 0 || w.data[0] == '/')
		try_path(slice_of(w.data, size));
	try_host(slice_of(w.data, size));
	end = memchr(w.data, '\0', size);
	if (end != NULL)
		try_redirect(w.data, slice_of(end + 1, size - (size_t)(end + 1 - w.data)));
	return 0;
}
