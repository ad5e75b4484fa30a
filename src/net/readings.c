/*
 * The texts are a list that grows at its end while it is gone through: each text is given all
 * steps, and what comes out and is not in the list is added. Steps never make a text longer. A
 * step that could do nothing to a text is not tried: one look at the text says which can.
 */
#include "config.h"

#include "net/readings.h"

#include <assert.h>

#include "reading_steps.h"

/* As FNV-1a, but eight octets at a time. Equal hashes are compared in full. */
static uint64_t hash_of(struct slice text)
{
	uint64_t hash = 0xcbf29ce484222325 ^ text.len;

	for (size_t i = 0; i < text.len; i += sizeof hash) {
		size_t left = text.len - i;
		uint64_t word = 0;

		memcpy(&word, text.data + i, left < sizeof word ? left : sizeof word);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 32;
	}
	return hash;
}

static bool is_known(const struct readings *r, struct slice text, uint64_t hash)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->hashes[i] == hash && slice_equals(r->texts[i], text))
			return true;
	return false;
}

/* Adds the text of `len` bytes that was written behind the others in the room. */
static void add(struct readings *r, size_t len)
{
	struct slice text = slice_of(r->room + r->used, len);
	uint64_t hash = hash_of(text);

	if (is_known(r, text, hash))
		return;
	if (r->count == READINGS_MAX) {
		r->cut = true;
		return;
	}
	r->texts[r->count] = text;
	r->hashes[r->count++] = hash;
	r->used += len;
}

static bool has_room(const struct readings *r, size_t len)
{
	return r->used + len <= r->size && r->used + len <= READINGS_BYTES_MAX;
}

/* Adds a slash and the path from `at` on. */
static void add_from(struct readings *r, struct slice path, size_t at)
{
	r->room[r->used] = '/';
	memcpy(r->room + r->used + 1, path.data + at, path.len - at);
	add(r, 1 + path.len - at);
}

static bool is_any_slash(char c)
{
	return c == '/' || c == '\\';
}

/* Where several slashes are in front: adds the path with one, and the path that is left if a host
 * stands between them and the next slash. */
static void add_fronts(struct readings *r, struct slice path)
{
	size_t slashes = 0;
	size_t at = 0;

	while (slashes < path.len && path.data[slashes] == '/')
		slashes++;
	while (at < path.len && is_any_slash(path.data[at]))
		at++;
	if (at < 2)
		return;
	if (!has_room(r, 2 * path.len)) {
		r->cut = true;
		return;
	}
	add_from(r, path, slashes);
	while (at < path.len && !is_any_slash(path.data[at]))
		at++;
	add_from(r, path, at < path.len ? at + 1 : at);
}

void readings_init(
	struct readings *r, struct slice path, enum readings_of what, char *room, size_t size)
{
	assert(path.len > 0 && path.data[0] == '/');
	r->room = room;
	r->size = size;
	r->used = r->count = r->next = 0;
	r->climbs = r->cut = false;
	if (!has_room(r, path.len)) {
		r->cut = true;
		return;
	}
	memcpy(room, path.data, path.len);
	add(r, path.len);
	if (what == READINGS_OF_TARGET)
		add_fronts(r, path);
}

static void add_steps(struct readings *r, struct slice text)
{
	unsigned steps = reading_steps_for(text);

	for (enum reading_step step = 0; step < READING_STEPS; step++) {
		if ((steps >> step & 1) == 0)
			continue;
		if (!has_room(r, text.len)) {
			r->cut = true;
			return;
		}
		add(r, reading_step_take(step, text, r->room + r->used, &r->climbs));
	}
}

bool readings_next(struct readings *r, struct slice *text)
{
	if (r->next > 0 && !r->cut)
		add_steps(r, r->texts[r->next - 1]);
	if (r->next == r->count)
		return false;
	*text = r->texts[r->next++];
	return true;
}

bool readings_climb(struct slice path, char *room, size_t size)
{
	struct readings r;
	struct slice text;

	readings_init(&r, path, READINGS_OF_REST, room, size);
	while (!r.climbs && !r.cut && readings_next(&r, &text))
		;
	return r.climbs || r.cut;
}
