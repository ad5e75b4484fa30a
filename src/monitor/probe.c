/*
 * A non-blocking socket and one event. All addresses of a backend are tried in turn, as workers do,
 * beginning with the one that accepted the last connection.
 */
#include "config.h"

#include "probe.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "check_request.h"
#include "check_response.h"

#define REQUEST_MAX 16384
#define READ_FIRST  ((size_t)4096)
#define READ_MOST   (CHECK_RESPONSE_HEAD_MAX + CHECK_RESPONSE_BODY_MAX)

void probe_init(struct probe *probe)
{
	probe->fd = -1;
}

bool probe_is_running(const struct probe *probe)
{
	return probe->fd != -1;
}

static void close_connection(struct probe *probe)
{
	if (probe->fd == -1)
		return;
	event_del(&probe->event);
	fd_close(&probe->fd);
}

void probe_stop(struct probe *probe)
{
	close_connection(probe);
	mem_free(probe->data);
	probe->data = NULL;
	probe->len = probe->room = 0;
}

static void finish(struct probe *probe, enum probe_result result, const char *why)
{
	assert((why == NULL) == (result == PROBE_PASSED));
	probe_stop(probe);
	probe->done(probe, result, why);
}

static void connect_next(struct probe *probe);

static void cannot_connect(struct probe *probe, int error)
{
	close_connection(probe);
	if (probe->tried < addresses_count(probe->backend->addresses))
		connect_next(probe);
	else
		finish(probe, fd_is_shortage(error) ? PROBE_UNKNOWN : PROBE_REFUSED,
			strerror(error));
}

/* Waits for the socket until `end_us`; the callback tells what came first. */
static void await_until(
	struct probe *probe, uint64_t end_us, short what, event_callback_fn callback)
{
	uint64_t now = clock_us(), left = end_us > now ? end_us - now : 1;
	struct timeval timeout = { (time_t)(left / 1000000), (suseconds_t)(left % 1000000) };

	assert(probe->fd != -1);
	if (event_assign(&probe->event, probe->loop->base, probe->fd, what, callback, probe) ==
			-1 ||
		event_add(&probe->event, &timeout) == -1)
		finish(probe, PROBE_UNKNOWN, "out of memory");
}

static void await(struct probe *probe, short what, event_callback_fn callback)
{
	await_until(probe, probe->end_us, what, callback);
}

static bool grow(struct probe *probe)
{
	size_t room = probe->room > 0 ? 2 * probe->room : READ_FIRST;
	char *data;

	if (probe->len < probe->room)
		return true;
	data = mem_resize(probe->data, room, 1);
	if (data == NULL)
		return false;
	probe->data = data;
	probe->room = room;
	return true;
}

static void judge(struct probe *probe, bool ended)
{
	char bytes[256];
	struct text why = text_over(bytes, sizeof bytes);

	switch (check_response_judge(probe->data, probe->len, ended, probe->check, &why)) {
	case CHECK_RESPONSE_GOOD:
		finish(probe, PROBE_PASSED, NULL);
		break;
	case CHECK_RESPONSE_BAD:
		finish(probe, PROBE_FAILED, text_string(&why));
		break;
	case CHECK_RESPONSE_PARTIAL:
		if (probe->len >= READ_MOST)
			finish(probe, PROBE_FAILED, "the answer is too long");
		break;
	}
}

static void readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct probe *probe = arg;
	ssize_t n;

	loop_begin(probe->loop, PULSE_RESPONSE, fd);
	if ((what & EV_TIMEOUT) != 0) {
		finish(probe, PROBE_SILENT, "no answer in time");
	} else if (!grow(probe)) {
		finish(probe, PROBE_UNKNOWN, "out of memory");
	} else {
		n = recv(fd, probe->data + probe->len, probe->room - probe->len, 0);
		if (n > 0)
			probe->len += (size_t)n;
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			finish(probe, PROBE_FAILED, strerror(errno));
		else if (n >= 0)
			judge(probe, n == 0);
		if (probe_is_running(probe))
			await(probe, EV_READ, readable_cb);
	}
}

static void sendable_cb(evutil_socket_t fd, short what, void *arg);

static void send_request(struct probe *probe)
{
	char bytes[REQUEST_MAX];
	struct text request = text_over(bytes, sizeof bytes);
	ssize_t n;

	if (!check_request_write(&request, probe->backend, probe->check)) {
		finish(probe, PROBE_UNKNOWN, "the request is too long");
		return;
	}
	n = send(probe->fd, bytes + probe->sent, request.len - probe->sent, MSG_NOSIGNAL);
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		finish(probe, PROBE_FAILED, strerror(errno));
		return;
	}
	if (n > 0)
		probe->sent += (size_t)n;
	if (probe->sent < request.len)
		await(probe, EV_WRITE, sendable_cb);
	else
		await(probe, EV_READ, readable_cb);
}

static void sendable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct probe *probe = arg;

	loop_begin(probe->loop, PULSE_WRITING, fd);
	if ((what & EV_TIMEOUT) != 0)
		finish(probe, PROBE_SILENT, "the request could not be sent in time");
	else
		send_request(probe);
}

static void connected(struct probe *probe)
{
	assert(probe->fd != -1 && probe->tried > 0);
	probe->answers = probe->first + probe->tried - 1;
	if (probe->asks)
		send_request(probe);
	else
		finish(probe, PROBE_PASSED, NULL);
}

static void connecting_cb(evutil_socket_t fd, short what, void *arg)
{
	struct probe *probe = arg;
	int error = 0;
	socklen_t len = sizeof error;

	loop_begin(probe->loop, PULSE_WRITING, fd);
	if ((what & EV_TIMEOUT) != 0)
		cannot_connect(probe, ETIMEDOUT);
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1 || error != 0)
		cannot_connect(probe, error);
	else
		connected(probe);
}

/* Each of several addresses gets an equal part of the time. Returns when that of the present one
 * ends. */
static uint64_t connect_end_us(const struct probe *probe)
{
	uint64_t all_us = probe->check->timeout * 1000;
	unsigned count = addresses_count(probe->backend->addresses);

	if (count <= probe->tried)
		return probe->end_us;
	return probe->end_us - all_us * (count - probe->tried) / count;
}

static void connect_next(struct probe *probe)
{
	struct address to;

	probe->sent = 0;
	if (!addresses_get(probe->backend->addresses, probe->first + probe->tried++, &to)) {
		finish(probe, PROBE_UNKNOWN, "it has no address");
		return;
	}
	probe->fd = socket(to.u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe->fd == -1) {
		finish(probe, PROBE_UNKNOWN, strerror(errno));
		return;
	}
	/* close_connection deletes the event, so there is one before anything can fail. */
	(void)event_assign(
		&probe->event, probe->loop->base, probe->fd, EV_WRITE, connecting_cb, probe);
	if (connect(probe->fd, &to.u.sa, to.len) == 0)
		connected(probe);
	else if (errno == EINPROGRESS)
		await_until(probe, connect_end_us(probe), EV_WRITE, connecting_cb);
	else
		cannot_connect(probe, errno);
}

void probe_start(struct probe *probe, bool asks)
{
	assert(!probe_is_running(probe));
	probe->asks = asks;
	probe->first = probe->answers;
	probe->tried = 0;
	probe->end_us = clock_us() + probe->check->timeout * 1000;
	connect_next(probe);
}
