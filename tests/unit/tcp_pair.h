/* Both ends of a TCP connection, non-blocking; what socketpair(2) has for unix sockets. To be
 * included behind cmocka.h. */
#ifndef TINYLB_TESTS_TCP_PAIR_H
#define TINYLB_TESTS_TCP_PAIR_H

#include <event2/util.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static inline void tcp_pair(int pair[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(pair[0], (struct sockaddr *)&address, len), 0);
	pair[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_int_not_equal(pair[1], -1);
	assert_int_equal(evutil_make_socket_nonblocking(pair[0]), 0);
	close(listener);
}

#endif
