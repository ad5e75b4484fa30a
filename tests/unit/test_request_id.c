/* Ids of requests: how they are made, and which of a client go on. */
#include "config.h"

#include "exchange/request_id.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

/* What the kernel gives. */
static struct {
	unsigned calls;
	size_t most;   /* bytes a call; 0: all */
	int errors[4]; /* of the first calls */
	unsigned char next;
} kernel;

ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags)
{
	unsigned char *bytes = out;
	size_t n = kernel.most != 0 && kernel.most < len ? kernel.most : len;
	unsigned call = kernel.calls++;

	assert_int_equal(flags, 0);
	if (call < 4 && kernel.errors[call] != 0) {
		errno = kernel.errors[call];
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		bytes[i] = kernel.next++;
	return (ssize_t)n;
}

static struct request_ids ids;

static int begin(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof kernel);
	memset(&ids, 0, sizeof ids);
	return 0;
}

static void test_an_id_is_128_bits_in_hexadecimal(void **state)
{
	char out[REQUEST_ID_LEN];
	struct slice id;

	(void)state;
	id = request_id_make(&ids, out);
	assert_ptr_equal(id.data, out);
	assert_int_equal(id.len, 32);
	/* The last 16 bytes of 0 to 255, four times: lower halves first. */
	assert_memory_equal(out, "0123456789abcdefffffffffffffffff", 32);
}

static void test_the_kernel_is_asked_once_for_many(void **state)
{
	char out[64][REQUEST_ID_LEN];

	(void)state;
	for (int i = 0; i < 64; i++)
		assert_int_equal(request_id_make(&ids, out[i]).len, REQUEST_ID_LEN);
	assert_int_equal(kernel.calls, 1);
	assert_int_equal(ids.left, 0);
	/* Each byte serves once: 256 bytes later the same ones come here. */
	for (int i = 0; i < 16; i++)
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(out[i], out[j], REQUEST_ID_LEN);
	(void)request_id_make(&ids, out[0]);
	assert_int_equal(kernel.calls, 2);
}

static void test_a_kernel_that_gives_little_is_asked_on(void **state)
{
	char out[REQUEST_ID_LEN];

	(void)state;
	kernel.most = 1000;
	kernel.errors[0] = EINTR;
	assert_int_equal(request_id_make(&ids, out).len, REQUEST_ID_LEN);
	assert_int_equal(kernel.calls, 3);
	assert_int_equal(ids.bytes[1023], 255);
	assert_int_equal(ids.bytes[1000], (unsigned char)1000);
}

static void test_without_random_bytes_there_is_no_id(void **state)
{
	char out[REQUEST_ID_LEN];

	(void)state;
	kernel.errors[0] = ENOSYS;
	assert_int_equal(request_id_make(&ids, out).len, 0);
	assert_int_equal(ids.left, 0);
	/* The next request asks again. */
	assert_int_equal(request_id_make(&ids, out).len, REQUEST_ID_LEN);
}

static void test_which_ids_of_clients_go_on(void **state)
{
	static const char *const fine[] = { "a", "!", "~", "0-9_a.z/=+", "[x]", "#" };
	static const char *const not [] = { "", " ", "a b", "a\tb", "\"", "a\"", "\\", "a\\b",
		"\x7f", "\x80", "\xff", "\x01" };
	static char longest[REQUEST_ID_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		assert_true(request_id_is_fine(slice_of_string(fine[i])));
	for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
		assert_false(request_id_is_fine(slice_of_string(not [i])));
	memset(longest, 'x', sizeof longest);
	assert_true(request_id_is_fine(slice_of(longest, REQUEST_ID_MAX)));
	assert_false(request_id_is_fine(slice_of(longest, REQUEST_ID_MAX + 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_an_id_is_128_bits_in_hexadecimal, begin),
		cmocka_unit_test_setup(test_the_kernel_is_asked_once_for_many, begin),
		cmocka_unit_test_setup(test_a_kernel_that_gives_little_is_asked_on, begin),
		cmocka_unit_test_setup(test_without_random_bytes_there_is_no_id, begin),
		cmocka_unit_test_setup(test_which_ids_of_clients_go_on, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
