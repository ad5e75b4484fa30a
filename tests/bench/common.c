/* What the programs of the measurements share: addresses and sockets, the pattern of bodies,
   sending a message in pieces, and keeping what was received too early. Whatever goes wrong in
   setting up ends the program, with a reason. */

#include "config.h"

#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* A multiple of the alphabet, so that a body of any length is this again and again; small enough to
   stay in the processor's cache. */
enum { LETTERS = 26, PATTERN_BYTES = LETTERS * 2521, PATTERN_PIECES = 18 };

/* More than any head, and all that one recv can bring. */
enum { CARRY_BYTES = 2 * RECEIVE_BYTES };

static char pattern[PATTERN_BYTES + LETTERS];
static char received[CARRY_BYTES];

void die(const char *format, ...)
{
	int error = errno;
	va_list arguments;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, error ? ": %s\n" : "%s\n", error ? strerror(error) : "");
	/* What was printed so far and waits, such as half of "ready", is not true any more. */
	_exit(2);
}

uint64_t number_parse(const char *text, const char *what, uint64_t max)
{
	char *end = NULL;
	uintmax_t value;

	errno = 0;
	value = strtoumax(text, &end, 10);
	if (errno || end == text || *end || *text < '0' || *text > '9' || value > max) {
		errno = 0;
		die("%s is a number up to %" PRIu64 ", not \"%s\"", what, max, text);
	}
	return value;
}

struct sockaddr_in address_parse(const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN] = "127.0.0.1";

	if (colon)
		snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	errno = 0;
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		die("\"%s\" is no PORT and no HOST:PORT with a HOST such as 127.0.0.1", text);
	address.sin_port = htons(number_parse(colon ? colon + 1 : text, "a port", UINT16_MAX));
	return address;
}

int socket_listen(struct sockaddr_in address, uint16_t *port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t length = sizeof(address);
	int one = 1;

	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1 ||
		bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
		listen(fd, 4096) == -1 ||
		getsockname(fd, (struct sockaddr *)&address, &length) == -1)
		die("cannot listen on port %d", ntohs(address.sin_port));
	*port = ntohs(address.sin_port);
	return fd;
}

int socket_connect(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == -1 &&
		errno != EINPROGRESS) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

void socket_no_delay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

void process_prepare(void)
{
	struct rlimit limit;

	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

void events_set(int epoll, int fd, void *owner, uint32_t *events, uint32_t wanted)
{
	struct epoll_event event = { .events = wanted, .data.ptr = owner };
	int act = !wanted ? EPOLL_CTL_DEL : *events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (*events == wanted)
		return;
	if (epoll_ctl(epoll, act, fd, &event) == -1)
		die("epoll_ctl");
	*events = wanted;
}

void pattern_init(void)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)('a' + i % LETTERS);
}

bool pattern_is(uint64_t at, const char *data, size_t length)
{
	while (length) {
		size_t piece = length < PATTERN_BYTES ? length : PATTERN_BYTES;

		if (memcmp(data, pattern + at % LETTERS, piece) != 0)
			return false;
		at += piece;
		data += piece;
		length -= piece;
	}
	return true;
}

/* Fills pieces with what is to be sent from sent on, or as much as they can hold. */
static int message_pieces(const struct message *message, uint64_t sent, struct iovec *pieces)
{
	int count = 0;
	uint64_t at = 0;

	if (sent < message->head_length) {
		pieces[count].iov_base = (char *)message->head + sent;
		pieces[count++].iov_len = message->head_length - sent;
	} else {
		at = sent - message->head_length;
	}
	while (at < message->body && count < PATTERN_PIECES) {
		uint64_t left = message->body - at;

		pieces[count].iov_base = pattern + at % LETTERS;
		pieces[count].iov_len = left < PATTERN_BYTES ? left : PATTERN_BYTES;
		at += pieces[count++].iov_len;
	}
	if (at >= message->body && message->tail_length && count < PATTERN_PIECES + 1) {
		at -= message->body;
		pieces[count].iov_base = (char *)message->tail + at;
		pieces[count++].iov_len = message->tail_length - at;
	}
	return count;
}

int message_send(int fd, const struct message *message, uint64_t *sent)
{
	uint64_t all = message->head_length + message->body + message->tail_length;
	struct iovec pieces[PATTERN_PIECES + 1];

	while (*sent < all) {
		struct msghdr parts = { .msg_iov = pieces };
		ssize_t done;

		if (message->head_length == all) {
			done = send(fd, message->head + *sent, all - *sent, MSG_NOSIGNAL);
		} else {
			parts.msg_iovlen = message_pieces(message, *sent, pieces);
			done = sendmsg(fd, &parts, MSG_NOSIGNAL);
		}
		if (done == -1)
			return errno == EAGAIN ? 1 : -1;
		*sent += done;
	}
	return 0;
}

size_t carry_take(struct carry *carry, char **data)
{
	size_t length = carry->length;

	memcpy(received, carry->data, length);
	carry_drop(carry);
	*data = received;
	return length;
}

ssize_t carry_receive(struct carry *carry, int fd, char **data)
{
	size_t before = carry->length;
	ssize_t got = recv(fd, received + before, RECEIVE_BYTES, 0);

	if (got <= 0)
		return got;
	if (before)
		carry_take(carry, data);
	*data = received;
	return (ssize_t)before + got;
}

void carry_keep(struct carry *carry, const char *data, size_t length)
{
	if (length > CARRY_BYTES) {
		errno = 0;
		die("%zu bytes that wait are more than one may keep", length);
	}
	carry->data = malloc(length + !length);
	if (!carry->data)
		die("malloc");
	memcpy(carry->data, data, length);
	carry->length = length;
}

void carry_drop(struct carry *carry)
{
	free(carry->data);
	carry->data = NULL;
	carry->length = 0;
}
