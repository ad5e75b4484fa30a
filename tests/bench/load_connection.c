/* One connection of the load: sends the request, and holds every byte of what comes against what
   the origin sends. What is wrong in any way ends the connection, and is counted by its kind. */

#include "config.h"

#include "load.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* epoll tells of the end together with the last bytes where both are there. */
enum { READING = EPOLLIN | EPOLLRDHUP };

static void connection_close(struct connection *connection)
{
	if (connection->fd != -1)
		close(connection->fd);
	carry_drop(&connection->carry);
	*connection = (struct connection){ .fd = -1, .due = connection->due };
}

static void fail(struct load *load, struct connection *connection, enum failure kind)
{
	bool busy = connection->busy || connection->state == ENDING;

	connection_close(connection);
	if (busy)
		schedule_failed(load, connection, kind);
	else
		load->failed[kind]++, load->failures++;
}

static enum failure failure_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return FAILED_REFUSED;
	case ECONNRESET:
	case EPIPE:
		return FAILED_RESET;
	default:
		return FAILED_OTHER;
	}
}

static void transmit(struct load *load, struct connection *connection);

static bool connection_open(struct load *load, struct connection *connection)
{
	connection->fd = socket_connect(&load->options.target);
	if (connection->fd == -1) {
		fail(load, connection, failure_of(errno));
		return false;
	}
	/* One small request a connection leaves nothing for Nagle to hold back. */
	if (load->options.mode != MODE_CONNECT)
		socket_no_delay(connection->fd);
	connection->state = load->options.mode == MODE_SOCKET ? UPGRADING : OPEN;
	events_set(load->epoll, connection->fd, connection, &connection->events, READING);
	return true;
}

/* The other side closed in good order. That it does so before it read a request on a connection
   that served some is its right: the request goes out again on a new one. */
static void ended(struct load *load, struct connection *connection)
{
	bool busy = connection->busy;

	if (connection->state == ENDING) {
		connection_close(connection);
		schedule_idle(load, connection);
		return;
	}
	if (busy && (!connection->answers || connection->in_body || connection->carry.length)) {
		fail(load, connection, FAILED_EARLY);
		return;
	}
	load->closed++;
	connection_close(connection);
	if (busy)
		connection_start(load, connection, connection->due);
}

static void transmit(struct load *load, struct connection *connection)
{
	const struct message *message =
		connection->state == UPGRADING ? &load->handshake : &load->request;
	int result = message_send(connection->fd, message, &connection->sent);

	if (result == -1 && errno == EPIPE && connection->answers)
		ended(load, connection);
	else if (result == -1)
		fail(load, connection, failure_of(errno));
	else
		events_set(load->epoll, connection->fd, connection, &connection->events,
			result ? READING | EPOLLOUT : READING);
}

static void request_begin(struct load *load, struct connection *connection)
{
	connection->sent = 0;
	if (load->options.mode == MODE_SOCKET) {
		struct head head = { .length = load->want, .has_length = true };

		body_start(&connection->body, &head, load->want, NULL);
		connection->in_body = true;
	}
	transmit(load, connection);
}

void connection_prepare(struct load *load, struct connection *connection)
{
	if (connection_open(load, connection) && connection->state == UPGRADING)
		transmit(load, connection);
}

void connection_start(struct load *load, struct connection *connection, uint64_t due)
{
	connection->busy = true;
	connection->due = due;
	if (connection->fd == -1) {
		if (!connection_open(load, connection))
			return;
		if (connection->state == UPGRADING)
			transmit(load, connection);
	}
	if (connection->state == OPEN)
		request_begin(load, connection);
}

static void complete(struct load *load, struct connection *connection)
{
	connection->answers++;
	connection->in_body = false;
	connection->busy = false;
	schedule_answered(load, connection);
	if (load->options.mode == MODE_CONNECT) {
		connection->state = ENDING;
		return;
	}
	if (connection->last) {
		load->closed++;
		connection_close(connection);
	}
	schedule_idle(load, connection);
}

static bool status_is(const struct head *head, const char *status)
{
	return head->line_length >= strlen(status) &&
	       memcmp(head->line, status, strlen(status)) == 0 &&
	       (head->line_length == strlen(status) || head->line[strlen(status)] == ' ');
}

static void upgraded(struct load *load, struct connection *connection, const struct head *head)
{
	if (!status_is(head, "HTTP/1.1 101") || !head->websocket || !head->known_key) {
		fail(load, connection, FAILED_STATUS);
		return;
	}
	connection->state = OPEN;
	connection->answers = 1;
	if (connection->busy)
		request_begin(load, connection);
}

/* Judges the head of an answer. Returns false when the connection is gone. */
static bool answer_head(struct load *load, struct connection *connection, const struct head *head)
{
	const struct message *request = &load->request;
	uint64_t all = request->head_length + request->body + request->tail_length;
	enum failure kind = FAILURES;

	if (!status_is(head, "HTTP/1.1 200"))
		kind = FAILED_STATUS;
	else if ((load->options.mode == MODE_POST ? !head->chunked : !head->has_length) ||
		 connection->sent < all)
		kind = FAILED_FRAMING;
	else if (head->has_length && head->length != load->want)
		kind = FAILED_LENGTH;
	if (kind != FAILURES) {
		fail(load, connection, kind);
		return false;
	}
	connection->last = head->close;
	connection->in_body = true;
	body_start(&connection->body, head, load->want, load->text);
	return true;
}

/* Takes a head. Returns its length, or 0 when nothing more is to be done with these bytes. */
static size_t take_head(
	struct load *load, struct connection *connection, const char *data, size_t length)
{
	struct head head;
	ssize_t used;

	if (!connection->busy && connection->state != UPGRADING) {
		fail(load, connection, FAILED_FRAMING);
		return 0;
	}
	used = head_parse(data, length, &head);
	if (used < 0)
		fail(load, connection, FAILED_FRAMING);
	else if (used == 0)
		carry_keep(&connection->carry, data, length);
	else if (connection->state != UPGRADING)
		return answer_head(load, connection, &head) ? used : 0;
	else if ((size_t)used < length)
		fail(load, connection, FAILED_FRAMING);
	else
		upgraded(load, connection, &head);
	return 0;
}

static void take(struct load *load, struct connection *connection, const char *data, size_t length)
{
	static const enum failure kinds[] = { [BODY_FRAMING] = FAILED_FRAMING,
		[BODY_LENGTH] = FAILED_LENGTH,
		[BODY_BYTES] = FAILED_BYTES };
	enum body_result result;
	size_t used;

	if (!connection->in_body) {
		used = take_head(load, connection, data, length);
		if (!used)
			return;
		data += used;
		length -= used;
	}
	result = body_feed(&connection->body, data, length, &used);
	if (result == BODY_MORE)
		return;
	/* Nothing was asked for that could come behind the answer. */
	if (result == BODY_DONE && used < length)
		fail(load, connection, FAILED_FRAMING);
	else if (result == BODY_DONE)
		complete(load, connection);
	else
		fail(load, connection, kinds[result]);
}

static bool is_end(uint32_t events)
{
	return (events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) == EPOLLRDHUP;
}

void connection_ready(struct load *load, struct connection *connection, uint32_t events)
{
	ssize_t got = RECEIVE_BYTES;
	char *data;

	if (events & EPOLLOUT)
		transmit(load, connection);
	if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		return;
	/* A full buffer: there is more, most likely. */
	while (connection->fd != -1 && got >= RECEIVE_BYTES) {
		got = carry_receive(&connection->carry, connection->fd, &data);
		if (got > 0)
			take(load, connection, data, got);
		else if (got == 0 || (errno == EPIPE && connection->answers))
			ended(load, connection);
		else if (errno != EAGAIN)
			fail(load, connection, failure_of(errno));
	}
	/* All of it is here: what comes next is the end that epoll told of. */
	if (connection->state == ENDING && got > 0 && is_end(events))
		ended(load, connection);
}
