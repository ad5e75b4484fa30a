/*
 * Addresses: where to listen, where backends are, and how both are written. No name is looked up
 * here but by address_resolve.
 */
#ifndef TINYLB_NET_ADDRESS_H
#define TINYLB_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/slice.h"

struct address {
	socklen_t len; /* 0: none */
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} u;
};

/* The longest text of an address, with the NUL. */
#define ADDRESS_TEXT_SIZE 128

/*
 * Reads where to listen: "*:8080" and ":8080" (every address, IPv6 and IPv4 on one socket),
 * "127.0.0.1:8080", "[::1]:8080", "unix:/path". Port 0 lets the kernel choose. Returns 0, or -1 and
 * in *why what is wrong and what would be right.
 */
int address_parse_listen(const char *text, struct address *out, const char **why)
	__attribute__((warn_unused_result));

/* An IPv4 or IPv6 address without port or brackets. 0, or -1. */
int address_parse_ip(const char *text, struct address *out) __attribute__((warn_unused_result));

/* As address_parse_ip, for a part of a text and one family. */
int address_parse_ip_slice(struct slice s, int family, struct address *out)
	__attribute__((warn_unused_result));

/* The path of a unix socket. 0, or -1 and *why. */
int address_parse_unix(const char *path, struct address *out, const char **why)
	__attribute__((warn_unused_result));

/* A port of at least `least`. 0, or -1. */
int address_parse_port(struct slice s, uint16_t least, uint16_t *port)
	__attribute__((warn_unused_result));

/* The port in host order; 0 where the kernel is to choose, and of a unix socket. */
uint16_t address_port(const struct address *a);
void address_set_port(struct address *a, uint16_t port);

/*
 * Looks up `host` with the system's resolver and writes up to `max` stream addresses in its order
 * of preference. It can block for many seconds. Returns how many, or -1 and *why.
 */
int address_resolve(const char *host, uint16_t port, struct address *out, int max, const char **why)
	__attribute__((warn_unused_result));

/* Writes "127.0.0.1:80", "[::1]:80" or "unix:/path"; an IPv4 address that came over an IPv6 socket
 * is written as IPv4. Returns `out`. */
const char *address_format(const struct address *a, char out[ADDRESS_TEXT_SIZE]);

/* As address_format, without port and brackets ("unix:" for any unix peer). */
const char *address_format_host(const struct address *a, char out[ADDRESS_TEXT_SIZE]);

/* The path of a file, rather than a place in a network. */
static inline bool address_is_unix(const struct address *a)
{
	return a->u.sa.sa_family == AF_UNIX;
}

/* Every address of IPv4, or of IPv6, with whatever port. */
bool address_is_wildcard(const struct address *a);

/* Of this machine's loopback device: 127.0.0.0/8, also as IPv6 has it, and ::1. */
bool address_is_loopback(const struct address *a);

/* Same family, address and port. */
bool address_equals(const struct address *a, const struct address *b);

#endif
