/*
 * What the fuzz targets share: a claim that ends the process where it does not hold, bytes behind
 * which nothing can be read, and ways to cut them into pieces.
 */
#ifndef TINYLB_TESTS_FUZZ_H
#define TINYLB_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/field.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process where `claim` is false: libFuzzer keeps the input. */
#define FUZZ_CLAIM(claim)                                                                          \
	do {                                                                                       \
		if (!(claim))                                                                      \
			fuzz_fail(__FILE__, __LINE__, #claim);                                     \
	} while (0)

_Noreturn void fuzz_fail(const char *file, int line, const char *claim);

/* What is left of an input. */
struct input {
	const uint8_t *at;
	size_t left;
};

/* The next byte; 0 behind the end. */
unsigned input_byte(struct input *in);

/*
 * A place for bytes of which only the first so many can be read: one more and AddressSanitizer ends
 * the process. window_open copies the bytes there and shows none of them; it is one place, so the
 * next call takes it from the last. What is longer than WINDOW_MAX is cut. Behind the bytes stands
 * a head's end that does not count in `len` and can be shown too: a parser that is given a head in
 * pieces may wait for that with what it would say at once of the whole.
 */
#define WINDOW_MAX ((size_t)1 << 18)
#define WINDOW_END 4
struct window {
	const char *data;
	size_t len;
	size_t shown;
};
struct window window_open(const void *data, size_t len);
void window_show(struct window *w, size_t len);

/* How bytes come in pieces. */
enum cut_kind { CUT_WHOLE, CUT_BYTES, CUT_RANDOM };
struct cut {
	enum cut_kind kind;
	uint64_t state; /* of CUT_RANDOM: any number */
};

/* The length of the next piece out of `left` bytes, at least 1. */
size_t cut_next(struct cut *cut, size_t left);

/* The same numbers for the same bytes. */
uint64_t fuzz_hash(const void *data, size_t len);

/* Claims that both are the same run of bytes: the same place, the same length. */
void fuzz_same_slice(struct slice a, struct slice b);
/* Claims that a slice is empty or lies in these bytes. */
void fuzz_inside(struct slice s, const char *data, size_t len);
void fuzz_same_fields(const struct fields *a, const struct fields *b);
void fuzz_sound_fields(const struct fields *fields, const char *data, size_t len);

#endif
