/*
 * Networks: an address and how many of its bits count (RFC 4632 3.1, RFC 4291 2.3), and sets of
 * them. IPv4 that came over an IPv6 socket is IPv4 here.
 */
#ifndef TINYLB_NET_NETWORK_H
#define TINYLB_NET_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

struct network {
	uint8_t family; /* AF_INET, AF_INET6; AF_UNIX: every peer on a unix socket */
	uint8_t prefix; /* bits that count; those behind it are 0 */
	uint8_t bits[16];
};

#define NETWORK_TEXT_SIZE 64

/*
 * Reads "10.0.0.0/8", "192.0.2.7", "2001:db8::/32" or "unix:". Returns 0, or -1 and in *why what
 * would be right; an address with bits behind its prefix is refused.
 */
int network_parse(const char *text, struct network *out, const char **why)
	__attribute__((warn_unused_result));

/* Writes it as network_parse reads it, a whole address without its prefix. Returns `out`. */
const char *network_format(const struct network *n, char out[NETWORK_TEXT_SIZE]);

/* The network that a peer is in: prefixes beyond the length of an address mean all of it. */
struct network network_of(const struct address *peer, unsigned prefix4, unsigned prefix6);

/* An order over networks: less than, equal to or greater than 0. */
int network_compare(const struct network *a, const struct network *b);

/* Zeroed, it is empty. */
struct network_set {
	struct network
		*list; /* owned; sorted, and none inside another, once network_set_sort ran */
	size_t count;
};

/* 0, or -1 when memory is short. */
int network_set_add(struct network_set *set, const struct network *n)
	__attribute__((warn_unused_result));

/* To be called when the last is added. Drops what others hold already. */
void network_set_sort(struct network_set *set);

/* Whether a peer is in one of them; takes O(log n). */
bool network_set_has(const struct network_set *set, const struct address *peer);

void network_set_free(struct network_set *set);

#endif
