/*
 * Networks and sets of them. A sorted set in which none lies inside another needs one binary search
 * to tell whether a peer is in it, so a list of a cloud's thousand networks costs ten comparisons.
 */
#include "config.h"

#include "net/network.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

static const char explanation[] =
	"must be an IP address, a network or unix: (\"192.0.2.7\", \"10.0.0.0/8\", "
	"\"2001:db8::/32\", \"unix:\")";

static unsigned width(uint8_t family)
{
	return family == AF_INET6 ? 128 : family == AF_INET ? 32 : 0;
}

/* Clears the bits behind the prefix. Returns whether any was set. */
static bool mask(struct network *n)
{
	bool any = false;

	assert(n->prefix <= width(n->family));
	for (unsigned i = n->prefix / 8; i < sizeof n->bits; i++) {
		uint8_t keep = i == n->prefix / 8 ? (uint8_t)(0xff00U >> n->prefix % 8) : 0;

		any = any || (n->bits[i] & ~keep) != 0;
		n->bits[i] &= keep;
	}
	return any;
}

struct network network_of(const struct address *peer, unsigned prefix4, unsigned prefix6)
{
	struct network n = { .family = AF_UNIX };
	unsigned prefix = 0;

	if (peer->u.sa.sa_family == AF_INET) {
		n.family = AF_INET;
		prefix = prefix4;
		memcpy(n.bits, &peer->u.in.sin_addr, 4);
	} else if (peer->u.sa.sa_family == AF_INET6 &&
		   IN6_IS_ADDR_V4MAPPED(&peer->u.in6.sin6_addr)) {
		n.family = AF_INET;
		prefix = prefix4;
		memcpy(n.bits, peer->u.in6.sin6_addr.s6_addr + 12, 4);
	} else if (peer->u.sa.sa_family == AF_INET6) {
		n.family = AF_INET6;
		prefix = prefix6;
		memcpy(n.bits, &peer->u.in6.sin6_addr, 16);
	}
	n.prefix = (uint8_t)(prefix < width(n.family) ? prefix : width(n.family));
	(void)mask(&n);
	return n;
}

static int refuse(const char **why, const char *reason)
{
	*why = reason;
	return -1;
}

static int parse_prefix(const char *text, struct network *n, const char **why)
{
	uint64_t prefix;

	if (slice_parse_decimal(slice_of_string(text), width(n->family), &prefix) == -1 ||
		(text[0] == '0' && text[1] != '\0'))
		return refuse(why, "behind the slash goes the number of bits that count, up to 32 "
				   "for IPv4 and 128 for IPv6: \"10.0.0.0/8\"");
	n->prefix = (uint8_t)prefix;
	if (mask(n))
		return refuse(why, "the address has bits set behind those that count: write "
				   "\"10.1.0.0/16\", not \"10.1.2.3/16\"");
	return 0;
}

int network_parse(const char *text, struct network *out, const char **why)
{
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	struct address a;

	*out = (struct network){ .family = AF_UNIX };
	if (strcmp(text, "unix:") == 0)
		return 0;
	if (address_parse_ip_slice(slice_of(text, len), AF_INET, &a) == -1 &&
		address_parse_ip_slice(slice_of(text, len), AF_INET6, &a) == -1)
		return refuse(why, explanation);
	*out = network_of(&a, 128, 128);
	if (slash == NULL)
		return 0;
	if (out->family != a.u.sa.sa_family)
		return refuse(why, "write an IPv4 network as IPv4: \"10.0.0.0/8\"");
	return parse_prefix(slash + 1, out, why);
}

const char *network_format(const struct network *n, char out[NETWORK_TEXT_SIZE])
{
	char host[INET6_ADDRSTRLEN];

	if (n->family == AF_UNIX || inet_ntop(n->family, n->bits, host, sizeof host) == NULL)
		(void)snprintf(out, NETWORK_TEXT_SIZE, "unix:");
	else if (n->prefix == width(n->family))
		(void)snprintf(out, NETWORK_TEXT_SIZE, "%s", host);
	else
		(void)snprintf(out, NETWORK_TEXT_SIZE, "%s/%u", host, n->prefix);
	return out;
}

int network_compare(const struct network *a, const struct network *b)
{
	int order = memcmp(a->bits, b->bits, sizeof a->bits);

	if (a->family != b->family)
		return a->family - b->family;
	return order != 0 ? order : a->prefix - b->prefix;
}

static int compare(const void *a, const void *b)
{
	return network_compare(a, b);
}

static bool holds(const struct network *outer, const struct network *inner)
{
	struct network cut = *inner;

	if (outer->family != inner->family || outer->prefix > inner->prefix)
		return false;
	cut.prefix = outer->prefix;
	(void)mask(&cut);
	return network_compare(&cut, outer) == 0;
}

int network_set_add(struct network_set *set, const struct network *n)
{
	struct network *list = mem_resize(set->list, set->count + 1, sizeof *list);

	if (list == NULL)
		return -1;
	set->list = list;
	set->list[set->count++] = *n;
	return 0;
}

void network_set_sort(struct network_set *set)
{
	size_t kept = 0;

	if (set->count > 1)
		qsort(set->list, set->count, sizeof *set->list, compare);
	for (size_t i = 0; i < set->count; i++)
		if (kept == 0 || !holds(&set->list[kept - 1], &set->list[i]))
			set->list[kept++] = set->list[i];
	set->count = kept;
}

bool network_set_has(const struct network_set *set, const struct address *peer)
{
	size_t low = 0;
	size_t high = set->count;
	struct network whole;

	if (high == 0)
		return false;
	whole = network_of(peer, 32, 128);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (network_compare(&set->list[middle], &whole) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && holds(&set->list[low - 1], &whole);
}

void network_set_free(struct network_set *set)
{
	mem_free(set->list);
	*set = (struct network_set){ 0 };
}
