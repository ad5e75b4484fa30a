/* What the service manager is asked to store, and to forget. */
#include "config.h"

#include "master_scene.h"

#include "base/memory.h"
#include "master/notify.h"
#include "master/sockets/fdstore.h"

#define RETRY    200
#define ATTEMPTS 50
#define STORED   8

int __wrap_notify_send_fds(const int *fds, size_t count, const char *format, ...);
bool __wrap_notify_is_wanted(void);
void *__real_mem_resize(void *old, size_t count, size_t size);
void *__wrap_mem_resize(void *old, size_t count, size_t size);

static struct fdstore store;
static struct escrow escrow;
static struct address tcp, other, path;
static bool wanted, refused, no_memory;
static struct {
	size_t count;
	int first;
	char text[400];
} told[STORED];
static size_t told_count;

int __wrap_notify_send_fds(const int *fds, size_t count, const char *format, ...)
{
	va_list args;

	if (refused)
		return -1;
	assert_true(told_count < STORED);
	told[told_count].count = count;
	told[told_count].first = count > 0 ? fds[0] : -1;
	va_start(args, format);
	vsnprintf(told[told_count++].text, sizeof told[0].text, format, args);
	va_end(args);
	return 0;
}

bool __wrap_notify_is_wanted(void)
{
	return wanted;
}

void *__wrap_mem_resize(void *old, size_t count, size_t size)
{
	return no_memory ? NULL : __real_mem_resize(old, count, size);
}

static int setup(void **state)
{
	const char *why;

	memset(&store, 0, sizeof store);
	memset(&escrow, 0, sizeof escrow);
	wanted = true;
	refused = no_memory = false;
	told_count = 0;
	if (address_parse_listen("127.0.0.1:8081", &tcp, &why) == -1 ||
		address_parse_listen("[::1]:8082", &other, &why) == -1 ||
		address_parse_listen("unix:/run/a b", &path, &why) == -1)
		return -1;
	return scene_setup(state);
}

static int teardown(void **state)
{
	fdstore_fini(&store);
	escrow_fini(&escrow);
	return scene_teardown(state);
}

static void put(const struct address *key, uint32_t slot, bool stored)
{
	struct escrow_entry e = { .key = *key,
		.slot = slot,
		.fd = SCENE_FD + (int)slot,
		.shared = address_is_unix(key),
		.path_dev = 0x1a,
		.path_ino = 0x2b,
		.stored = stored };

	assert_int_equal(escrow_restore(&escrow, &e), 0);
}

static void test_store(void **state)
{
	(void)state;
	put(&tcp, 0, false);
	put(&other, 5, false);
	put(&tcp, 1, false);
	fdstore_sync(&store, &escrow);
	/* One message for an address. */
	assert_int_equal(told_count, 2);
	assert_string_equal(told[0].text, "FDSTORE=1\nFDPOLL=0\nFDNAME=127.0.0.1%3A8081");
	assert_int_equal(told[0].count, 2);
	assert_int_equal(told[0].first, SCENE_FD);
	assert_string_equal(told[1].text, "FDSTORE=1\nFDPOLL=0\nFDNAME=[%3A%3A1]%3A8082");
	assert_int_equal(told[1].first, SCENE_FD + 5);
	/* Only what is new is sent. */
	put(&tcp, 2, false);
	fdstore_sync(&store, &escrow);
	assert_int_equal(told_count, 3);
	assert_int_equal(told[2].count, 1);
	assert_int_equal(told[2].first, SCENE_FD + 2);
	assert_int_equal(store.count, 2);
	assert_int_equal(fdstore_due(&store), UINT64_MAX);
}

static void test_not_wanted(void **state)
{
	(void)state;
	wanted = false;
	put(&tcp, 0, false);
	fdstore_sync(&store, &escrow);
	assert_int_equal(told_count, 0);
}

static void test_full_message(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < NOTIFY_FDS_MAX + 7; i++)
		put(&tcp, i, false);
	fdstore_sync(&store, &escrow);
	assert_int_equal(told_count, 2);
	assert_int_equal(told[0].count, NOTIFY_FDS_MAX);
	assert_int_equal(told[1].count, 7);
	assert_int_equal(told[1].first, SCENE_FD + NOTIFY_FDS_MAX);
	assert_int_equal(store.count, 1);
}

static void test_unix(void **state)
{
	(void)state;
	put(&path, 0, false);
	fdstore_sync(&store, &escrow);
	assert_string_equal(told[0].text, "FDSTORE=1\nFDPOLL=0\nFDNAME=unix%3A/run/a%20b+1a.2b");
}

static void test_long_name(void **state)
{
	struct escrow_entry e = { .key = path, .shared = true };
	struct fdstore_name name;
	const char *why;
	char text[128] = "unix:/";

	(void)state;
	assert_int_equal(fdstore_name(&e, &name), 0);
	memset(text + 6, '=', 100);
	assert_int_equal(address_parse_listen(text, &e.key, &why), 0);
	assert_int_equal(fdstore_name(&e, &name), -1);
	put(&e.key, 0, false);
	put(&e.key, 1, false);
	put(&tcp, 2, false);
	fdstore_sync(&store, &escrow);
	/* There is no other way: they count as stored. */
	assert_int_equal(told_count, 1);
	assert_true(escrow.entries[0].stored);
	assert_true(escrow.entries[1].stored);
	assert_int_equal(fdstore_due(&store), UINT64_MAX);
}

static void test_long_name_among_others(void **state)
{
	const char *why;
	struct address odd;
	char text[128] = "unix:/";

	(void)state;
	memset(text + 6, '=', 100);
	assert_int_equal(address_parse_listen(text, &odd, &why), 0);
	put(&tcp, 0, false);
	put(&odd, 1, false);
	put(&tcp, 2, false);
	fdstore_sync(&store, &escrow);
	assert_int_equal(told[0].count, 2);
}

static void test_remove(void **state)
{
	(void)state;
	put(&tcp, 0, false);
	put(&other, 1, false);
	fdstore_sync(&store, &escrow);
	escrow.entries[0] = escrow.entries[1];
	escrow.count = 1;
	fdstore_sync(&store, &escrow);
	assert_int_equal(told_count, 3);
	assert_string_equal(told[2].text, "FDSTOREREMOVE=1\nFDNAME=127.0.0.1%3A8081");
	assert_int_equal(told[2].count, 0);
	assert_int_equal(store.count, 1);
}

static void test_try_again(void **state)
{
	(void)state;
	put(&tcp, 0, false);
	refused = true;
	fdstore_sync(&store, &escrow);
	assert_false(escrow.entries[0].stored);
	assert_int_equal(fdstore_due(&store), scene.now + RETRY);
	refused = false;
	fdstore_retry(&store, &escrow);
	assert_int_equal(told_count, 0);
	scene.now += RETRY;
	fdstore_retry(&store, &escrow);
	assert_int_equal(told_count, 1);
	assert_true(escrow.entries[0].stored);
	assert_int_equal(fdstore_due(&store), UINT64_MAX);
	fdstore_retry(&store, &escrow);
	assert_int_equal(told_count, 1);
}

static void test_remove_again(void **state)
{
	(void)state;
	fdstore_note(&store, "older");
	refused = true;
	fdstore_sync(&store, &escrow);
	assert_int_equal(store.count, 1);
	assert_int_equal(fdstore_due(&store), scene.now + RETRY);
}

static void test_give_up(void **state)
{
	(void)state;
	put(&tcp, 0, false);
	refused = true;
	fdstore_sync(&store, &escrow);
	for (unsigned i = 1; i < ATTEMPTS; i++) {
		assert_int_equal(fdstore_due(&store), scene.now + RETRY);
		scene.now += RETRY;
		fdstore_retry(&store, &escrow);
	}
	assert_int_equal(fdstore_due(&store), UINT64_MAX);
	assert_true(scene_logged("the service manager does not take the listening sockets"));
	/* The next change begins anew. */
	fdstore_sync(&store, &escrow);
	assert_int_equal(fdstore_due(&store), scene.now + RETRY);
}

static void test_no_memory(void **state)
{
	(void)state;
	put(&tcp, 0, true);
	put(&other, 1, false);
	no_memory = true;
	fdstore_import(&store, &escrow);
	fdstore_note(&store, "x");
	fdstore_sync(&store, &escrow);
	no_memory = false;
	assert_int_equal(store.count, 0);
	assert_int_equal(told_count, 0);
	assert_true(scene_logged("no memory to know what the service manager has"));
	assert_int_equal(fdstore_due(&store), scene.now + RETRY);
}

static void test_import(void **state)
{
	(void)state;
	put(&tcp, 0, true);
	put(&tcp, 1, true);
	put(&other, 2, false);
	fdstore_import(&store, &escrow);
	assert_int_equal(store.count, 1);
	assert_string_equal(store.names[0].text, "127.0.0.1%3A8081");
}

static void test_clear(void **state)
{
	(void)state;
	fdstore_note(&store, "a");
	fdstore_note(&store, "b");
	fdstore_note(&store, "a");
	assert_int_equal(store.count, 2);
	store.due = 5;
	fdstore_clear(&store);
	assert_int_equal(told_count, 2);
	assert_int_equal(store.count, 0);
	assert_int_equal(fdstore_due(&store), UINT64_MAX);
	fdstore_note(&store, "a");
	refused = true;
	fdstore_clear(&store);
	assert_true(scene_logged("a listening socket stays with the service manager"));
}

static void test_name_too_long(void **state)
{
	char text[FDSTORE_NAME_SIZE + 1];

	(void)state;
	memset(text, 'a', FDSTORE_NAME_SIZE);
	text[FDSTORE_NAME_SIZE] = '\0';
	scene_expect_assert(fdstore_note(&store, text));
	text[FDSTORE_NAME_SIZE - 1] = '\0';
	fdstore_note(&store, text);
	assert_int_equal(store.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_store),
		TEST(test_not_wanted),
		TEST(test_full_message),
		TEST(test_unix),
		TEST(test_long_name),
		TEST(test_long_name_among_others),
		TEST(test_remove),
		TEST(test_try_again),
		TEST(test_remove_again),
		TEST(test_give_up),
		TEST(test_no_memory),
		TEST(test_import),
		TEST(test_clear),
		TEST(test_name_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
