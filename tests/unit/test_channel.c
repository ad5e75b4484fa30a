/* Messages between master and worker: whole, with their descriptor, or refused. */
#include "config.h"

#include "base/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

struct pair {
	int ends[2];
};

static int setup(void **state)
{
	static struct pair pair;

	*state = &pair;
	return channel_pair(pair.ends);
}

static int teardown(void **state)
{
	struct pair *pair = *state;

	fd_close(&pair->ends[0]);
	fd_close(&pair->ends[1]);
	return 0;
}

static void test_message_arrives_whole(void **state)
{
	struct pair *pair = *state;
	struct message sent = { .type = MESSAGE_FAILED, .number = 7, .text = "no such user" };
	struct message got;
	int fd = 99;

	assert_int_equal(channel_send(pair->ends[0], &sent, -1), 0);
	assert_int_equal(channel_receive(pair->ends[1], &got, &fd), CHANNEL_MESSAGE);
	assert_int_equal(got.type, MESSAGE_FAILED);
	assert_int_equal(got.number, 7);
	assert_string_equal(got.text, "no such user");
	assert_int_equal(fd, -1);
	assert_int_equal(channel_receive(pair->ends[1], &got, &fd), CHANNEL_EMPTY);
}

static void test_descriptor_is_a_duplicate(void **state)
{
	struct pair *pair = *state;
	struct message m = { .type = MESSAGE_ESCROW };
	struct stat sent, got;
	int own = open("/dev/null", O_RDWR | O_CLOEXEC), fd;

	assert_int_not_equal(own, -1);
	assert_int_equal(channel_send(pair->ends[0], &m, own), 0);
	assert_int_equal(channel_receive(pair->ends[1], &m, &fd), CHANNEL_MESSAGE);
	assert_int_not_equal(fd, -1);
	assert_int_not_equal(fd, own);
	assert_int_equal(fstat(own, &sent), 0);
	assert_int_equal(fstat(fd, &got), 0);
	assert_int_equal(sent.st_rdev, got.st_rdev);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	fd_close(&fd);
	fd_close(&own);
}

static void test_end_of_the_other_side(void **state)
{
	struct pair *pair = *state;
	struct message m = { .type = MESSAGE_READY };
	int fd;

	/* What was sent before the end is still read. */
	assert_int_equal(channel_send(pair->ends[0], &m, -1), 0);
	fd_close(&pair->ends[0]);
	assert_int_equal(channel_receive(pair->ends[1], &m, &fd), CHANNEL_MESSAGE);
	assert_int_equal(channel_receive(pair->ends[1], &m, &fd), CHANNEL_CLOSED);
	assert_int_equal(channel_send(pair->ends[1], &m, -1), -1);
	assert_int_equal(errno, EPIPE);
}

static void test_unread_channel_says_again(void **state)
{
	struct pair *pair = *state;
	struct message m = { .type = MESSAGE_DRAIN };
	int sent = 0;

	while (sent < 100000 && channel_send(pair->ends[0], &m, -1) == 0)
		sent++;
	assert_in_range(sent, 1, 99999);
	assert_int_equal(errno, EAGAIN);
}

static void refuse(struct pair *pair, const void *data, size_t len)
{
	struct message m;
	int fd;

	assert_int_equal(send(pair->ends[0], data, len, MSG_NOSIGNAL), len);
	assert_int_equal(channel_receive(pair->ends[1], &m, &fd), CHANNEL_CLOSED);
	assert_int_equal(fd, -1);
}

static void test_malformed_is_refused(void **state)
{
	struct message m = { .magic = MESSAGE_MAGIC, .type = MESSAGE_READY };
	char longer[sizeof m + 1];

	refuse(*state, "x", 1);
	refuse(*state, &m, sizeof m - 1);
	memset(longer, 0, sizeof longer);
	memcpy(longer, &m, sizeof m);
	refuse(*state, longer, sizeof longer);
	m.magic++;
	refuse(*state, &m, sizeof m);
	m.magic--;
	memset(m.text, 'a', sizeof m.text);
	refuse(*state, &m, sizeof m);
}

static int count_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* Two descriptors where one is allowed: refused, and neither stays open. */
static void test_second_descriptor_is_refused(void **state)
{
	struct pair *pair = *state;
	struct message m = { .magic = MESSAGE_MAGIC, .type = MESSAGE_ESCROW };
	struct iovec part = { &m, sizeof m };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	struct msghdr h = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof control.room };
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	int fds[2] = { 0, 1 }, fd, before = count_open();

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fds);
	memcpy(CMSG_DATA(c), fds, sizeof fds);
	assert_int_equal(sendmsg(pair->ends[0], &h, MSG_NOSIGNAL), sizeof m);
	assert_int_equal(channel_receive(pair->ends[1], &m, &fd), CHANNEL_CLOSED);
	assert_int_equal(count_open(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_message_arrives_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptor_is_a_duplicate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_of_the_other_side, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unread_channel_says_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_second_descriptor_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
