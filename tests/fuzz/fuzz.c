/* What the fuzz targets share. It knows slices and fields, and no meaning of them. */
#include "config.h"

#include "fuzz.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>

void fuzz_fail(const char *file, int line, const char *claim)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, claim);
	abort();
}

unsigned input_byte(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

/* Readable bytes, and around them what must not be touched. */
static _Alignas(8) char place[8 + WINDOW_MAX + WINDOW_END + 8];

struct window window_open(const void *data, size_t len)
{
	struct window w = { place + 8, len < WINDOW_MAX ? len : WINDOW_MAX, 0 };

	ASAN_UNPOISON_MEMORY_REGION(place, sizeof place);
	if (w.len > 0)
		memcpy(place + 8, data, w.len);
	memcpy(place + 8 + w.len, "\r\n\r\n", WINDOW_END);
	ASAN_POISON_MEMORY_REGION(place, sizeof place);
	return w;
}

/* A unit of eight bytes can be open up to any of them, so that this is exact to the byte. */
void window_show(struct window *w, size_t len)
{
	FUZZ_CLAIM(len <= w->len + WINDOW_END);
	ASAN_POISON_MEMORY_REGION(w->data, w->len + WINDOW_END);
	ASAN_UNPOISON_MEMORY_REGION(w->data, len);
	w->shown = len;
}

size_t cut_next(struct cut *cut, size_t left)
{
	size_t most = left;

	if (cut->kind == CUT_WHOLE)
		return left;
	if (cut->kind == CUT_BYTES)
		return 1;
	cut->state = cut->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	/* Small pieces more often than large ones. */
	most = (size_t)1 << (cut->state >> 60);
	return 1 + (size_t)(cut->state >> 33) % (most < left ? most : left);
}

uint64_t fuzz_hash(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(1099511628211);
	return h;
}

void fuzz_same_slice(struct slice a, struct slice b)
{
	FUZZ_CLAIM(a.len == b.len);
	FUZZ_CLAIM(a.len == 0 || a.data == b.data);
}

void fuzz_inside(struct slice s, const char *data, size_t len)
{
	FUZZ_CLAIM(s.len == 0 ||
		   (s.data >= data && s.len <= len && (size_t)(s.data - data) <= len - s.len));
}

void fuzz_same_fields(const struct fields *a, const struct fields *b)
{
	FUZZ_CLAIM(a->count == b->count);
	FUZZ_CLAIM(a->present == b->present);
	FUZZ_CLAIM(a->repeated == b->repeated);
	for (unsigned i = 0; i < a->count; i++) {
		fuzz_same_slice(a->list[i].name, b->list[i].name);
		fuzz_same_slice(a->list[i].value, b->list[i].value);
		FUZZ_CLAIM(a->list[i].id == b->list[i].id);
		FUZZ_CLAIM(a->list[i].dropped == b->list[i].dropped);
		FUZZ_CLAIM(a->list[i].plain == b->list[i].plain);
	}
}

static bool is_field_value(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return s.len == 0 || (s.data[0] != ' ' && s.data[0] != '\t' && s.data[s.len - 1] != ' ' &&
				     s.data[s.len - 1] != '\t');
}

void fuzz_sound_fields(const struct fields *fields, const char *data, size_t len)
{
	FUZZ_CLAIM(fields->count <= FIELDS_MAX);
	for (unsigned i = 0; i < fields->count; i++) {
		const struct field *f = &fields->list[i];

		fuzz_inside(f->name, data, len);
		fuzz_inside(f->value, data, len);
		FUZZ_CLAIM(field_is_token(f->name));
		FUZZ_CLAIM(is_field_value(f->value));
		FUZZ_CLAIM(f->id == FIELD_OTHER || (fields->present & FIELD_BIT(f->id)) != 0);
	}
}
