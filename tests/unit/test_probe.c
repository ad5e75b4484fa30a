/*
 * One check: which addresses are tried, for how long, and what the result is. The linker wraps the
 * calls of sockets and the clock: a test says how each goes, and calls back by hand.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "monitor/check_response.h"
#include "monitor/probe.h"

#define SECOND UINT64_C(1000000)

static char path[] = "/", check_path[] = "/up", authority[] = "a";
static struct loop loop;
static struct check_settings check;
static struct backend_settings backend;
static struct probe probe;

/* The kernel that is played: each call gives the next of its results, below 0 an errno. */
static int socket_error, connect_errors[4], socket_option_error;
static unsigned connects;
static uint16_t connected_ports[4];
static char sent[1024];
static size_t sent_len, send_most;
static int send_error;
static const char *to_receive;
static size_t to_receive_len;
static int receive_error;
static uint64_t now_us;

/* What the probe has told. */
static unsigned results;
static enum probe_result last_result;
static char last_why[256];

int __wrap_socket(int family, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t len, int flags);
uint64_t __wrap_clock_us(void);
int __wrap_event_add(struct event *event, const struct timeval *timeout);
int __real_event_add(struct event *event, const struct timeval *timeout);

static int outcome(int error)
{
	errno = error;
	return error == 0 ? 0 : -1;
}

int __wrap_socket(int family, int type, int protocol)
{
	assert_int_equal(family, AF_INET);
	assert_int_equal(type, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_int_equal(protocol, 0);
	/* Something that an event can wait for. */
	return socket_error != 0 ? outcome(socket_error) : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	struct sockaddr_in in;

	(void)fd;
	assert_int_equal(len, sizeof in);
	memcpy(&in, address, sizeof in);
	connected_ports[connects] = ntohs(in.sin_port);
	return outcome(connect_errors[connects++]);
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	(void)fd;
	assert_int_equal(level, SOL_SOCKET);
	assert_int_equal(name, SO_ERROR);
	assert_int_equal(*len, sizeof(int));
	memcpy(value, &socket_option_error, sizeof(int));
	return 0;
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
	size_t part = len < send_most ? len : send_most;

	(void)fd;
	assert_int_equal(flags, MSG_NOSIGNAL);
	if (send_error != 0)
		return outcome(send_error);
	assert_true(sent_len + part <= sizeof sent);
	memcpy(sent + sent_len, data, part);
	sent_len += part;
	return (ssize_t)part;
}

ssize_t __wrap_recv(int fd, void *data, size_t len, int flags)
{
	size_t part = len < to_receive_len ? len : to_receive_len;

	(void)fd;
	(void)flags;
	if (receive_error != 0)
		return outcome(receive_error);
	memcpy(data, to_receive, part);
	to_receive += part;
	to_receive_len -= part;
	return (ssize_t)part;
}

uint64_t __wrap_clock_us(void)
{
	return now_us;
}

static void done(struct probe *p, enum probe_result result, const char *why)
{
	assert_ptr_equal(p, &probe);
	assert_false(probe_is_running(p));
	results++;
	last_result = result;
	(void)snprintf(last_why, sizeof last_why, "%s", why != NULL ? why : "");
}

/* Gives the backend so many addresses, by ports from 81 on. */
static void set_addresses(uint32_t count)
{
	struct address list[4];

	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(address_parse_ip("10.0.0.1", &list[i]), 0);
		address_set_port(&list[i], (uint16_t)(81 + i));
	}
	addresses_write(backend.addresses, 4, list, count);
}

static int setup(void **state)
{
	(void)state;
	loop = (struct loop){ .base = NULL };
	if (loop_init(&loop) == -1)
		return -1;
	loop.awake = true;
	check = (struct check_settings){ .type = CHECK_HTTP,
		.path = check_path,
		.timeout = 2000,
		.status_least = 200,
		.status_most = 399 };
	backend = (struct backend_settings){ .url = { .path = path, .authority = authority } };
	backend.addresses = mem_zalloc(1, addresses_size(4, true));
	set_addresses(1);
	probe = (struct probe){ .loop = &loop, .backend = &backend, .check = &check, .done = done };
	probe_init(&probe);
	socket_error = socket_option_error = send_error = receive_error = 0;
	memset(connect_errors, 0, sizeof connect_errors);
	connects = results = 0;
	sent_len = to_receive_len = 0;
	send_most = sizeof sent;
	now_us = 1000 * SECOND;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	probe_stop(&probe);
	mem_free(backend.addresses);
	loop_fini(&loop);
	return 0;
}

/* The socket is ready, or the time is over. */
static void call_back(short what)
{
	event_callback_fn callback = event_get_callback(&probe.event);
	short awaited = what == EV_TIMEOUT ? EV_READ | EV_WRITE : what;

	/* As in a loop, where an event is over when it calls back. */
	assert_true(probe_is_running(&probe));
	assert_true(event_pending(&probe.event, awaited, NULL));
	assert_int_equal(event_del(&probe.event), 0);
	callback(probe.fd, what, &probe);
}

/* In how many milliseconds the present wait ends. */
/* How long the probe has let itself wait. */
static uint64_t asked_ms;

int __wrap_event_add(struct event *event, const struct timeval *timeout)
{
	if (event == &probe.event && timeout != NULL)
		asked_ms = (uint64_t)(timeout->tv_sec * 1000 + timeout->tv_usec / 1000);
	return __real_event_add(event, timeout);
}

static uint64_t left_ms(void)
{
	assert_true(event_pending(&probe.event, EV_TIMEOUT, NULL));
	return asked_ms;
}

static void expect(enum probe_result result, const char *why)
{
	assert_int_equal(results, 1);
	assert_int_equal(last_result, result);
	assert_string_equal(last_why, why);
	assert_false(probe_is_running(&probe));
	results = 0;
}

static void receive(const char *text, size_t len)
{
	to_receive = text;
	to_receive_len = len;
	call_back(EV_READ);
}

static void test_connection_only(void **state)
{
	(void)state;
	probe_start(&probe, false);
	expect(PROBE_PASSED, "");
	assert_int_equal(sent_len, 0);
	connect_errors[1] = EINPROGRESS;
	probe_start(&probe, false);
	assert_int_equal(results, 0);
	call_back(EV_WRITE);
	expect(PROBE_PASSED, "");
}

static void test_request(void **state)
{
	static const char request[] = "GET /up HTTP/1.1\r\nHost: a\r\nUser-Agent: tinylb\r\n"
				      "Accept: */*\r\nConnection: close\r\n\r\n";

	(void)state;
	connect_errors[0] = EINPROGRESS;
	send_most = 50;
	probe_start(&probe, true);
	call_back(EV_WRITE);
	assert_int_equal(sent_len, 50);
	send_error = EAGAIN;
	call_back(EV_WRITE);
	send_error = EINTR;
	call_back(EV_WRITE);
	send_error = 0;
	call_back(EV_WRITE);
	assert_int_equal(sent_len, sizeof request - 1);
	assert_memory_equal(sent, request, sent_len);
	receive("HTTP/1.1 20", 11);
	assert_int_equal(results, 0);
	receive_error = EAGAIN;
	call_back(EV_READ);
	receive_error = EINTR;
	call_back(EV_READ);
	receive_error = 0;
	receive("0 OK\r\n\r\n", 8);
	expect(PROBE_PASSED, "");
}

static void test_bad_answers(void **state)
{
	(void)state;
	probe_start(&probe, true);
	receive("HTTP/1.1 503 N\r\n\r\n", 18);
	expect(PROBE_FAILED, "status 503");
	probe_start(&probe, true);
	receive("", 0);
	expect(PROBE_FAILED, "the connection was closed before an answer");
	probe_start(&probe, true);
	receive_error = ECONNRESET;
	call_back(EV_READ);
	expect(PROBE_FAILED, "Connection reset by peer");
	send_error = EPIPE;
	probe_start(&probe, true);
	expect(PROBE_FAILED, "Broken pipe");
}

static void read_all(const char *text, size_t len)
{
	probe_start(&probe, true);
	to_receive = text;
	to_receive_len = len;
	while (results == 0 && to_receive_len > 0)
		call_back(EV_READ);
}

/* An answer that does not end: not much more is read than is looked at. */
static void test_endless_answer(void **state)
{
	static char long_text[200000];
	static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
	static const char interim[] = "HTTP/1.1 100 C\r\n\r\n";
	char body[] = "well";

	(void)state;
	memset(long_text, 'x', sizeof long_text);
	memcpy(long_text, head, sizeof head - 1);
	check.body = body;
	read_all(long_text, sizeof long_text);
	expect(PROBE_FAILED, "the body does not have the text that it should have");
	assert_true(to_receive_len > 0);
	/* Interim responses, one after the other. */
	for (size_t i = 0; i < sizeof long_text; i++)
		long_text[i] = interim[i % (sizeof interim - 1)];
	read_all(long_text, sizeof long_text);
	expect(PROBE_FAILED, "the answer is too long");
	assert_true(to_receive_len > 0);
}

static void test_silence(void **state)
{
	(void)state;
	probe_start(&probe, true);
	call_back(EV_TIMEOUT);
	expect(PROBE_SILENT, "no answer in time");
	send_error = EAGAIN;
	probe_start(&probe, true);
	call_back(EV_TIMEOUT);
	expect(PROBE_SILENT, "the request could not be sent in time");
}

static void test_refused(void **state)
{
	(void)state;
	connect_errors[0] = ECONNREFUSED;
	probe_start(&probe, false);
	expect(PROBE_REFUSED, "Connection refused");
	connect_errors[1] = EINPROGRESS;
	probe_start(&probe, false);
	socket_option_error = EHOSTUNREACH;
	call_back(EV_WRITE);
	expect(PROBE_REFUSED, "No route to host");
	connect_errors[2] = EINPROGRESS;
	probe_start(&probe, false);
	call_back(EV_TIMEOUT);
	expect(PROBE_REFUSED, "Connection timed out");
}

/* What this machine lacks says nothing about the backend. */
static void test_unknown(void **state)
{
	static char long_path[20000];

	(void)state;
	socket_error = EMFILE;
	probe_start(&probe, false);
	expect(PROBE_UNKNOWN, "Too many open files");
	socket_error = 0;
	connect_errors[0] = EADDRNOTAVAIL;
	probe_start(&probe, false);
	expect(PROBE_UNKNOWN, "Cannot assign requested address");
	set_addresses(0);
	probe_start(&probe, false);
	expect(PROBE_UNKNOWN, "it has no address");
	set_addresses(1);
	memset(long_path, 'x', sizeof long_path - 1);
	check.path = long_path;
	probe_start(&probe, true);
	expect(PROBE_UNKNOWN, "the request is too long");
}

/* Each address gets its part of the time; the one that accepted is the first of the next check. */
static void test_addresses(void **state)
{
	(void)state;
	set_addresses(4);
	connect_errors[0] = connect_errors[1] = connect_errors[2] = EINPROGRESS;
	probe_start(&probe, false);
	assert_in_range(left_ms(), 450, 500);
	now_us += SECOND / 2;
	call_back(EV_TIMEOUT);
	assert_int_equal(results, 0);
	assert_in_range(left_ms(), 450, 500);
	/* A quick refusal leaves its time to the others. */
	now_us += SECOND / 10;
	socket_option_error = ECONNREFUSED;
	call_back(EV_WRITE);
	assert_in_range(left_ms(), 850, 900);
	socket_option_error = 0;
	call_back(EV_WRITE);
	expect(PROBE_PASSED, "");
	assert_int_equal(connects, 3);
	assert_int_equal(connected_ports[0], 81);
	assert_int_equal(connected_ports[2], 83);
	connect_errors[3] = EINPROGRESS;
	probe_start(&probe, false);
	assert_int_equal(connected_ports[3], 83);
	probe_stop(&probe);
	assert_int_equal(results, 0);
}

static void test_all_addresses_refuse(void **state)
{
	(void)state;
	set_addresses(2);
	connect_errors[0] = connect_errors[1] = ECONNREFUSED;
	probe_start(&probe, false);
	expect(PROBE_REFUSED, "Connection refused");
	assert_int_equal(connects, 2);
	/* The last one has all the time that is left. */
	connect_errors[2] = ECONNREFUSED;
	connect_errors[3] = EINPROGRESS;
	probe_start(&probe, false);
	assert_in_range(left_ms(), 1950, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_connection_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_request, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endless_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_addresses_refuse, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
