/* The table of sockets in escrow: who gets which, and what is closed when. */
#include "config.h"

#include "master/sockets/escrow.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "net/listener.h"

#define ROOM 16

struct scene {
	struct escrow escrow;
	struct settings settings;
	struct listener_settings listeners[2];
	struct worker_socket out[ROOM];
};

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	const char *why;

	if (s == NULL ||
		address_parse_listen("127.0.0.1:0", &s->listeners[0].address, &why) == -1 ||
		address_parse_listen("[::1]:0", &s->listeners[1].address, &why) == -1)
		return -1;
	s->settings.listeners = s->listeners;
	s->settings.listener_count = 1;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	escrow_fini(&s->escrow);
	free(s);
	return 0;
}

/* A bound socket of listener `i` for `slot`, made in `generation`; returns its descriptor. */
static int put(struct scene *s, size_t i, uint32_t slot, uint32_t generation)
{
	int fd = listener_bind(&s->listeners[i].address);

	assert_int_not_equal(fd, -1);
	assert_int_equal(escrow_add(&s->escrow, &s->listeners[i].address, slot, generation, fd), 0);
	return fd;
}

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static size_t assign(struct scene *s, uint32_t slot, uint32_t workers)
{
	size_t n;

	assert_true(escrow_assign_max(&s->escrow, &s->settings) <= ROOM);
	n = escrow_assign(&s->escrow, &s->settings, slot, workers, s->out);
	assert_true(n <= escrow_assign_max(&s->escrow, &s->settings));
	return n;
}

static void test_new_slot_binds_itself(void **state)
{
	struct scene *s = *state;

	s->settings.listener_count = 2;
	assert_int_equal(assign(s, 3, 4), 2);
	assert_int_equal(s->out[0].fd, -1);
	assert_int_equal(s->out[0].listener, 0);
	assert_int_equal(s->out[1].fd, -1);
	assert_int_equal(s->out[1].listener, 1);
}

static void test_own_socket_is_inherited(void **state)
{
	struct scene *s = *state;
	int first = put(s, 0, 0, 1), second = put(s, 0, 1, 1);

	assert_int_equal(assign(s, 0, 2), 1);
	assert_int_equal(s->out[0].fd, first);
	assert_int_equal(assign(s, 1, 2), 1);
	assert_int_equal(s->out[0].fd, second);
}

/* From five slots to two: every socket is somebody's, and nobody's twice. */
static void test_surplus_is_handed_out(void **state)
{
	struct scene *s = *state;
	int fds[5], given = 0;

	for (uint32_t i = 0; i < 5; i++)
		fds[i] = put(s, 0, i, 1);
	for (uint32_t slot = 0; slot < 2; slot++) {
		size_t n = assign(s, slot, 2);
		for (size_t i = 0; i < n; i++)
			for (int j = 0; j < 5; j++)
				if (s->out[i].fd == fds[j])
					given |= 1 << j, fds[j] = -2;
		assert_in_range(n, 2, 3);
	}
	assert_int_equal(given, 31);
}

static void test_generation_that_failed(void **state)
{
	struct scene *s = *state;
	int old = put(s, 0, 0, 1), fresh = put(s, 0, 1, 2);

	escrow_drop_generation(&s->escrow, 2);
	assert_true(is_open(old));
	assert_false(is_open(fresh));
	assert_non_null(escrow_find(&s->escrow, &s->listeners[0].address, 0));
	assert_null(escrow_find(&s->escrow, &s->listeners[0].address, 1));
}

static void parse(struct scene *s, size_t i, const char *text)
{
	const char *why;

	assert_int_equal(address_parse_listen(text, &s->listeners[i].address, &why), 0);
}

static int is_shut(int fd)
{
	struct sock_filter code[8];
	socklen_t len = sizeof code / sizeof *code;

	/* Gives the number of instructions. */
	return getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, code, &len) == 0 && len > 0;
}

/* Nobody gets onto it first; a moment later it is closed. */
static void test_address_that_is_gone(void **state)
{
	struct scene *s = *state;
	int kept = put(s, 0, 0, 1), gone = put(s, 1, 0, 1);

	assert_true(escrow_next_due(&s->escrow, NULL) == UINT64_MAX);
	escrow_settle(&s->escrow, &s->settings, 100, 200);
	assert_int_equal(escrow_next_due(&s->escrow, NULL), 100);
	escrow_expire(&s->escrow, 99, NULL);
	assert_false(is_shut(gone));
	escrow_expire(&s->escrow, 100, NULL);
	assert_true(is_shut(gone));
	assert_int_equal(escrow_next_due(&s->escrow, NULL), 200);
	/* Further settings without it do not put it off. */
	escrow_settle(&s->escrow, &s->settings, 300, 400);
	assert_int_equal(escrow_next_due(&s->escrow, NULL), 200);
	escrow_expire(&s->escrow, 200, NULL);
	assert_false(is_open(gone));
	assert_true(is_open(kept));
	assert_false(is_shut(kept));
	escrow_close(&s->escrow);
	assert_false(is_open(kept));
}

static void test_address_that_comes_back(void **state)
{
	struct scene *s = *state;
	struct settings both = s->settings;
	int gone;

	put(s, 0, 0, 1);
	gone = put(s, 1, 0, 1);
	both.listener_count = 2;
	escrow_settle(&s->escrow, &s->settings, 100, 200);
	escrow_expire(&s->escrow, 150, NULL);
	/* Settings that are not in force yet want it. */
	escrow_expire(&s->escrow, 500, &both);
	assert_true(is_open(gone));
	assert_true(escrow_next_due(&s->escrow, &both) == UINT64_MAX);
	escrow_settle(&s->escrow, &both, 600, 700);
	escrow_expire(&s->escrow, 1000, NULL);
	assert_true(is_open(gone));
	assert_false(is_shut(gone));
}

/* Where a wildcard takes its place, a socket goes on being accepted from: once. */
static void test_address_that_is_covered(void **state)
{
	static const struct {
		const char *held, *first, *second;
		int listener; /* -1: none */
	} cases[] = {
		{ "127.0.0.1:1", "*:1", "127.0.0.2:1", 0 },
		{ "127.0.0.1:1", "*:1", "127.0.0.1:1", 1 },
		{ "127.0.0.1:1", "*:1", "0.0.0.0:1", 1 },
		{ "0.0.0.0:1", "127.0.0.2:1", "*:1", 1 },
		{ "[::1]:1", "0.0.0.0:1", "*:1", 1 },
		{ "[::1]:1", "0.0.0.0:1", "127.0.0.1:1", -1 },
		{ "127.0.0.1:1", "*:2", "0.0.0.0:2", -1 },
		{ "*:1", "127.0.0.1:1", "0.0.0.0:1", -1 },
		{ "unix:/x", "*:1", "0.0.0.0:1", -1 },
	};
	struct scene *s = *state;
	struct address held;
	const char *why;

	s->settings.listener_count = 2;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct listener_settings *l;

		assert_int_equal(address_parse_listen(cases[i].held, &held, &why), 0);
		parse(s, 0, cases[i].first);
		parse(s, 1, cases[i].second);
		l = escrow_listener(&s->settings, &held);
		assert_ptr_equal(
			l, cases[i].listener == -1 ? NULL : &s->listeners[cases[i].listener]);
	}
}

/* Whether `host` with the port of what is held overlaps that. */
static int overlaps(const struct scene *s, const char *host, uint16_t port)
{
	struct address other;
	char text[64];
	const char *why;

	snprintf(text, sizeof text, "%s:%u", host, port);
	assert_int_equal(address_parse_listen(text, &other, &why), 0);
	return escrow_overlaps(&s->escrow, &other);
}

/* The port is the one that the kernel chose, not that of the settings, which is 0. */
static void test_overlap(void **state)
{
	static const struct {
		const char *held;
		const char *overlaps[5];
		const char *other[5];
	} cases[] = {
		{ "127.0.0.1", { "127.0.0.1", "0.0.0.0", "*" }, { "127.0.0.2", "[::1]" } },
		{ "[::1]", { "[::1]", "*" }, { "[::2]", "127.0.0.1", "0.0.0.0" } },
		{ "0.0.0.0", { "0.0.0.0", "127.0.0.1", "*" }, { "[::1]" } },
		{ "*", { "*", "0.0.0.0", "127.0.0.1", "[::1]" }, { NULL } },
	};
	struct scene *s = *state;
	char text[64];
	const char *why;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct address *key = &s->listeners[0].address;
		uint16_t port;

		snprintf(text, sizeof text, "%s:0", cases[i].held);
		assert_int_equal(address_parse_listen(text, key, &why), 0);
		put(s, 0, 0, 1);
		port = address_port(&escrow_find(&s->escrow, key, 0)->bound);
		assert_int_not_equal(port, 0);
		for (size_t j = 0; cases[i].overlaps[j] != NULL; j++) {
			assert_true(overlaps(s, cases[i].overlaps[j], port));
			assert_false(overlaps(s, cases[i].overlaps[j], port ^ 1));
		}
		for (size_t j = 0; cases[i].other[j] != NULL; j++)
			assert_false(overlaps(s, cases[i].other[j], port));
		escrow_close(&s->escrow);
	}
}

/* One socket for all, and its file goes with it; but not a file that somebody put in its place. */
static void test_unix_socket(void **state)
{
	char dir[] = "/tmp/test_escrow.XXXXXX", text[64];
	struct scene *s = *state;
	const char *path = s->listeners[0].address.u.un.sun_path, *why;
	int fd;

	assert_non_null(mkdtemp(dir));
	snprintf(text, sizeof text, "unix:%s/s", dir);
	assert_int_equal(address_parse_listen(text, &s->listeners[0].address, &why), 0);
	fd = put(s, 0, 0, 1);
	for (uint32_t slot = 0; slot < 3; slot++) {
		assert_int_equal(assign(s, slot, 3), 1);
		assert_int_equal(s->out[0].fd, fd);
	}
	escrow_close(&s->escrow);
	assert_int_equal(access(path, F_OK), -1);
	put(s, 0, 0, 1);
	assert_int_equal(unlink(path), 0);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	fd_close(&fd);
	escrow_close(&s->escrow);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* A path that was removed is bound anew: the newest socket counts, and a failed reload takes only
 * its own away. */
static void test_unix_socket_made_anew(void **state)
{
	char dir[] = "/tmp/test_escrow.XXXXXX", text[64];
	struct scene *s = *state;
	const struct address *key = &s->listeners[0].address;
	int first, second;
	const char *why;

	assert_non_null(mkdtemp(dir));
	snprintf(text, sizeof text, "unix:%s/s", dir);
	assert_int_equal(address_parse_listen(text, &s->listeners[0].address, &why), 0);
	first = put(s, 0, 0, 1);
	assert_true(escrow_is_reachable(escrow_find(&s->escrow, key, 0)));
	assert_int_equal(unlink(key->u.un.sun_path), 0);
	assert_false(escrow_is_reachable(escrow_find(&s->escrow, key, 0)));
	second = put(s, 0, 0, 2);
	assert_int_equal(assign(s, 1, 3), 1);
	assert_int_equal(s->out[0].fd, second);
	escrow_drop_generation(&s->escrow, 2);
	assert_false(is_open(second));
	assert_int_equal(escrow_find(&s->escrow, key, 0)->fd, first);
	put(s, 0, 0, 3);
	escrow_settle(&s->escrow, &s->settings, 1, 2);
	assert_false(is_open(first));
	assert_true(escrow_is_reachable(escrow_find(&s->escrow, key, 0)));
	escrow_close(&s->escrow);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new_slot_binds_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_socket_is_inherited, setup, teardown),
		cmocka_unit_test_setup_teardown(test_surplus_is_handed_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_generation_that_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_address_that_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_address_that_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_address_that_is_covered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unix_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unix_socket_made_anew, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
