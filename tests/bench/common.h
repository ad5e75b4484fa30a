#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

/* Events taken from the kernel at a time. */
enum { TURN_EVENTS = 512 };

/* What one recv takes at most. */
enum { RECEIVE_BYTES = 65536 };

/* Bytes that came and were not used yet: begins of heads, requests behind the one being answered.
 */
struct carry {
	char *data; /* owned, NULL when there are none */
	size_t length;
};

/* What is sent: a head, body bytes of the pattern, a tail. */
struct message {
	const char *head; /* borrowed, as is tail */
	size_t head_length;
	uint64_t body;
	const char *tail;
	size_t tail_length;
};

/* Prints the message, with the text of errno where it is not 0, and exits with 2. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Reads a decimal number of at most max; dies naming what it is for. */
uint64_t number_parse(const char *text, const char *what, uint64_t max);

/* Reads PORT or HOST:PORT, HOST as numbers; PORT alone is of 127.0.0.1. Dies when it is neither. */
struct sockaddr_in address_parse(const char *text);

/* A listening, non-blocking socket; dies where there is none. Stores the port that it got. */
int socket_listen(struct sockaddr_in address, uint16_t *port);

/* A non-blocking socket whose connection was begun, or -1 with errno. */
int socket_connect(const struct sockaddr_in *address);

void socket_no_delay(int fd);

/* As many descriptors as this process may have; no SIGPIPE. */
void process_prepare(void);

/* Changes what is waited for from *events to wanted. Without anything to wait for, the socket is
   not in the epoll set: there it would report its hanging up all the time. */
void events_set(int epoll, int fd, void *owner, uint32_t *events, uint32_t wanted);

/* The pattern of all bodies: byte i is 'a' + i % 26. */
void pattern_init(void);
bool pattern_is(uint64_t at, const char *data, size_t length);

/* Sends the message from *sent on and moves that; 0 all is sent, 1 the socket is full, -1 errno. */
int message_send(int fd, const struct message *message, uint64_t *sent);

/* Receives behind what was carried; *data is all there is, until the next call. Returns the length
   of *data; 0 the peer ended, -1 with errno; *data is not set then. */
ssize_t carry_receive(struct carry *carry, int fd, char **data);

/* Takes back what was carried without receiving anything. */
size_t carry_take(struct carry *carry, char **data);
void carry_keep(struct carry *carry, const char *data, size_t length);
void carry_drop(struct carry *carry);

#endif
