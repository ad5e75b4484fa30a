/* siphash.c against the paper's example and the authors' vectors: key 00..0f, data 00, 00 01, ...
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/siphash.h"
#include "guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t key[SIPHASH_KEY_SIZE] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15 };

/* So many bytes that count up, right before a page that cannot be read. */
static struct slice counting(size_t len)
{
	char bytes[64];

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)i;
	return slice_of(guard_place(bytes, len), len);
}

struct vector {
	size_t len;
	uint64_t short_one;
	uint8_t long_one[16];
};

/* All lengths of a last word; the one of 15 bytes is the example of the paper's appendix A. */
static const struct vector vectors[] = {
	{ 0, 0x726fdb47dd0e0e31,
		{ 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7,
			0x55, 0x02, 0x93 } },
	{ 1, 0x74f839c593dc67fd,
		{ 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b,
			0x22, 0xfc, 0x45 } },
	{ 7, 0xab0200f58b01d137,
		{ 0xa1, 0xf1, 0xeb, 0xbe, 0xd8, 0xdb, 0xc1, 0x53, 0xc0, 0xb8, 0x4a, 0xa6, 0x1f,
			0xf0, 0x82, 0x39 } },
	{ 8, 0x93f5f5799a932462,
		{ 0x3b, 0x62, 0xa9, 0xba, 0x62, 0x58, 0xf5, 0x61, 0x0f, 0x83, 0xe2, 0x64, 0xf3,
			0x14, 0x97, 0xb4 } },
	{ 15, 0xa129ca6149be45e5,
		{ 0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11, 0x7e, 0x08, 0xec, 0x0f, 0x97,
			0xcf, 0xc3, 0xd9 } },
	{ 16, 0x3f2acc7f57c29bdb,
		{ 0x6e, 0xe2, 0xa4, 0xca, 0x67, 0xb0, 0x54, 0xbb, 0xfd, 0x33, 0x15, 0xbf, 0x85,
			0x23, 0x05, 0x77 } },
	{ 63, 0x958a324ceb064572,
		{ 0x51, 0x50, 0xd1, 0x77, 0x2f, 0x50, 0x83, 0x4a, 0x50, 0x3e, 0x06, 0x9a, 0x97,
			0x3f, 0xbd, 0x7c } },
};

static void test_64_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++)
		assert_true(siphash_64(key, counting(vectors[i].len)) == vectors[i].short_one);
}

static void test_128_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		uint64_t out[2];

		siphash_128(key, counting(vectors[i].len), out);
		for (size_t b = 0; b < 16; b++)
			assert_int_equal(
				(uint8_t)(out[b / 8] >> b % 8 * 8), vectors[i].long_one[b]);
	}
}

static void test_nothing(void **state)
{
	(void)state;
	assert_true(siphash_64(key, slice_of(NULL, 0)) == vectors[0].short_one);
}

/* Other purposes and other texts have other keys, and each has always the same. */
static void test_keys_of_texts(void **state)
{
	static const uint8_t purposes[2][SIPHASH_KEY_SIZE] = { "sessions", "hash" };
	static const char *const texts[2] = { "a secret", "another secret" };
	uint8_t keys[4][SIPHASH_KEY_SIZE], again[SIPHASH_KEY_SIZE];
	uint64_t out[2];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		siphash_key(purposes[i / 2], slice_of_string(texts[i % 2]), keys[i]);
		siphash_key(purposes[i / 2], slice_of_string(texts[i % 2]), again);
		assert_memory_equal(keys[i], again, sizeof again);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(keys[i], keys[j], sizeof again);
	}
	siphash_128(purposes[1], slice_of_string(texts[1]), out);
	assert_memory_equal(keys[3], out, sizeof out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_64_bits),
		cmocka_unit_test(test_128_bits),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_keys_of_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
