/* URLs of backends. */
#ifndef TINYLB_NET_URL_H
#define TINYLB_NET_URL_H

#include "net/address.h"

/*
 * A backend's URL, taken apart. The texts are owned and stand in one allocation: a pool can have
 * ten thousand of these.
 */
struct backend_url {
	char *host; /* a name, or an address without brackets; empty for unix */
	char *path; /* begins with a slash, or is empty; no query, no fragment; never just "/" */
	char *authority; /* the Host field to send: the port only where it is not 80 */
	char *socket;    /* the path of a unix socket, else NULL */
	uint16_t port;   /* 80 where the URL has none; 0 for unix */
};

/*
 * Reads "http://host[:port][/path]" with a name, an IPv4 or a bracketed IPv6 address, or
 * "unix:/path" (also "http://unix:/path"). Returns 0, or -1 and in *why what is wrong and what
 * would be right; then there is nothing to free.
 */
int url_parse(const char *text, struct backend_url *out, const char **why)
	__attribute__((warn_unused_result));

/* Frees the texts and clears the struct; a cleared one is fine. */
void url_free(struct backend_url *url);

/* The address behind a URL that needs no look-up (an IP address, unix). 0, or -1: a name. */
int url_address(const struct backend_url *url, struct address *out)
	__attribute__((warn_unused_result));

#endif
