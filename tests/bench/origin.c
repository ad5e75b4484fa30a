/* The origin behind the balancers that are measured: one process for all of its ports, and cheap.
   It answers GET /N with N bytes of the pattern, POST /echo with as many as came, chunked, POST
   /sink with their number, and GET /socket with a WebSocket that returns every byte. Bodies that
   come are held against the pattern: one that a balancer spoilt is answered with 400. */

#include "config.h"

#include "common.h"
#include "http.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum kind { LISTENER, HEAD, BODY, SOCKET };
enum path { GET, ECHO, SINK, UPGRADE, BAD };

struct connection {
	int fd;
	enum kind kind;
	uint32_t events;
	struct carry carry;  /* requests, or bytes to return, that wait for what is being sent */
	enum path path;      /* of the request at hand, as is close */
	bool close;          /* after this answer */
	bool sending;        /* the answer is not all sent */
	struct body body;    /* of the request */
	struct message sent; /* the last answer: most often the next one is the same */
	uint64_t sent_at;
	enum path sent_path;
	uint64_t sent_size;
	bool sent_close;
	char text[160];
};

static int epoll_fd;

static void connection_end(struct connection *connection)
{
	close(connection->fd);
	carry_drop(&connection->carry);
	free(connection);
}

static void wait_for(struct connection *connection, uint32_t events)
{
	events_set(epoll_fd, connection->fd, connection, &connection->events, events);
}

static void listener_ready(const struct connection *listener)
{
	int fd;

	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		struct connection *connection = calloc(1, sizeof(*connection));

		if (!connection)
			die("calloc");
		socket_no_delay(fd);
		connection->fd = fd;
		connection->kind = HEAD;
		wait_for(connection, EPOLLIN);
	}
}

static int render(struct connection *c, uint64_t size)
{
	const char *close = c->close ? "Connection: close\r\n" : "";
	char count[24];

	switch (c->path) {
	case GET:
		c->sent.body = size;
		return snprintf(c->text, sizeof(c->text),
			"HTTP/1.1 200 OK\r\nContent-Length: %" PRIu64 "\r\n%s\r\n", size, close);
	case ECHO:
		c->sent.body = size;
		c->sent.tail = size ? "\r\n0\r\n\r\n" : "0\r\n\r\n";
		c->sent.tail_length = strlen(c->sent.tail);
		snprintf(count, sizeof(count), "%" PRIx64 "\r\n", size);
		return snprintf(c->text, sizeof(c->text),
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%s\r\n%s", close,
			size ? count : "");
	case SINK:
		snprintf(count, sizeof(count), "%" PRIu64 "\n", size);
		return snprintf(c->text, sizeof(c->text),
			"HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s\r\n%s", strlen(count), close,
			count);
	case UPGRADE:
		return snprintf(c->text, sizeof(c->text),
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			"Connection: Upgrade\r\nSec-WebSocket-Accept: " WEBSOCKET_ACCEPT
			"\r\n\r\n");
	case BAD:
		break;
	}
	return snprintf(c->text, sizeof(c->text),
		"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

/* Sends what is left of the answer. Returns false when the connection is gone. */
static bool flush(struct connection *connection)
{
	int result = message_send(connection->fd, &connection->sent, &connection->sent_at);

	if (result == -1 || (result == 0 && connection->close)) {
		connection_end(connection);
		return false;
	}
	connection->sending = result == 1;
	wait_for(connection, connection->sending ? EPOLLOUT : EPOLLIN);
	return true;
}

static bool answer(struct connection *connection, uint64_t size)
{
	struct message *sent = &connection->sent;

	connection->close |= connection->path == BAD;
	if (!sent->head_length || connection->sent_path != connection->path ||
		connection->sent_size != size || connection->sent_close != connection->close) {
		*sent = (struct message){ .head = connection->text };
		sent->head_length = render(connection, size);
		connection->sent_path = connection->path;
		connection->sent_size = size;
		connection->sent_close = connection->close;
	}
	connection->sent_at = 0;
	return flush(connection);
}

static bool starts(const struct head *head, const char *what)
{
	return head->line_length > strlen(what) && memcmp(head->line, what, strlen(what)) == 0;
}

static enum path choose(const struct head *head, uint64_t *size)
{
	size_t at = strlen("GET /");

	*size = 0;
	if (starts(head, "POST /echo "))
		return head->chunked || head->has_length ? ECHO : BAD;
	if (starts(head, "POST /sink "))
		return head->chunked || head->has_length ? SINK : BAD;
	if (head->chunked || head->length)
		return BAD;
	if (starts(head, "GET /socket "))
		return head->websocket && head->known_key ? UPGRADE : BAD;
	if (!starts(head, "GET /") || head->line[at] == ' ')
		return BAD;
	while (at < head->line_length && head->line[at] >= '0' && head->line[at] <= '9')
		*size = *size * 10 + (head->line[at++] - '0');
	return at < head->line_length && at < 20 && head->line[at] == ' ' ? GET : BAD;
}

/* Begins a request. Returns false when the connection is gone. */
static bool request(struct connection *connection, const struct head *head)
{
	uint64_t size;

	connection->path = choose(head, &size);
	connection->close = head->close || !memmem(head->line, head->line_length, "HTTP/1.1", 8);
	if (connection->path == ECHO || connection->path == SINK) {
		body_start(&connection->body, head, BODY_ANY, NULL);
		connection->kind = BODY;
		return true;
	}
	if (connection->path == UPGRADE)
		connection->kind = SOCKET;
	return answer(connection, size);
}

/* Takes a part of data, *used is its length. Returns false when the connection is gone. */
static bool step(struct connection *connection, const char *data, size_t length, size_t *used)
{
	enum body_result result;
	struct head head;
	ssize_t size;

	if (connection->kind == HEAD) {
		size = head_parse(data, length, &head);
		*used = size > 0 ? size : 0;
		if (size > 0)
			return request(connection, &head);
		if (size == 0)
			return true;
		connection->path = BAD;
		return answer(connection, 0);
	}
	result = body_feed(&connection->body, data, length, used);
	if (result == BODY_MORE)
		return true;
	if (result != BODY_DONE)
		connection->path = BAD;
	connection->kind = HEAD;
	return answer(connection, connection->body.got);
}

static bool echo(struct connection *connection, const char *data, size_t length)
{
	ssize_t sent = send(connection->fd, data, length, MSG_NOSIGNAL);

	if (sent == -1 && errno != EAGAIN) {
		connection_end(connection);
		return false;
	}
	if (sent == -1)
		sent = 0;
	if ((size_t)sent < length)
		carry_keep(&connection->carry, data + sent, length - sent);
	wait_for(connection, (size_t)sent < length ? EPOLLOUT : EPOLLIN);
	return true;
}

/* An empty body ends without any byte: that nothing was taken is no reason to stop where the kind
   of what comes next has changed. */
static void process(struct connection *connection, const char *data, size_t length)
{
	size_t used;

	while (connection->kind != SOCKET && !connection->sending) {
		enum kind before = connection->kind;

		if (!step(connection, data, length, &used))
			return;
		data += used;
		length -= used;
		if (connection->kind == before && (!used || !length))
			break;
	}
	if (length && connection->kind == SOCKET && !connection->sending)
		echo(connection, data, length);
	else if (length)
		carry_keep(&connection->carry, data, length);
}

static void connection_ready(struct connection *connection)
{
	char *data = NULL;
	ssize_t got;

	if (connection->sending) {
		if (!flush(connection) || connection->sending || !connection->carry.length)
			return;
		got = (ssize_t)carry_take(&connection->carry, &data);
	} else if (connection->kind == SOCKET && connection->carry.length) {
		got = (ssize_t)carry_take(&connection->carry, &data);
	} else {
		got = carry_receive(&connection->carry, connection->fd, &data);
	}
	if (got > 0)
		process(connection, data, got);
	else if (got == 0 || errno != EAGAIN)
		connection_end(connection);
}

static void turn(void)
{
	struct epoll_event events[TURN_EVENTS];
	int count = epoll_wait(epoll_fd, events, TURN_EVENTS, -1);

	for (int i = 0; i < count; i++) {
		struct connection *connection = events[i].data.ptr;

		if (connection->kind == LISTENER)
			listener_ready(connection);
		else
			connection_ready(connection);
	}
}

int main(int argc, char **argv)
{
	if (argc < 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: origin PORT [PORT...]\n"
				"Answers GET /N, POST /echo, POST /sink and GET /socket.\n"
				"A port is PORT (of 127.0.0.1) or HOST:PORT; 0 is any free port.\n"
				"Prints \"ready\" and the ports when it listens.\n");
		return 2;
	}
	process_prepare();
	pattern_init();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd == -1)
		die("epoll_create1");
	printf("ready");
	for (int i = 1; i < argc; i++) {
		struct connection *listener = calloc(1, sizeof(*listener));
		uint16_t port;

		if (!listener)
			die("calloc");
		listener->kind = LISTENER;
		listener->fd = socket_listen(address_parse(argv[i]), &port);
		wait_for(listener, EPOLLIN);
		printf(" %d", port);
	}
	printf("\n");
	fflush(stdout);
	for (;;)
		turn();
}
