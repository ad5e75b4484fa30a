/*
 * Small models of how servers read the path of a request, each written after the server's own
 * source or its documents and not after tinylb. tests/process/test_path_models.py holds them
 * against the real servers; tests/unit/test_path_models.c and fuzz_canonical hold tinylb against
 * them.
 */
#ifndef TINYLB_TESTS_PATH_MODELS_H
#define TINYLB_TESTS_PATH_MODELS_H

#include <stddef.h>
#include <stdint.h>

#define PATH_MODEL_MAX 4096

/* The name of the model of this number; NULL: there are no more. */
const char *path_model_name(unsigned number);

/* What the server makes of a path without a query: the length of what is in `out`, which has room
 * for len + 1 bytes, or -1 where it refuses the request. */
long path_model_read(unsigned number, const char *path, size_t len, char *out);

/* A path that is likely to be read in several ways, of less than `size` bytes; returns its length.
 */
size_t path_model_invent(uint64_t *state, char *out, size_t size);

#endif
