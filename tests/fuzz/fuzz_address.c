/*
 * Addresses, URLs and networks: what is read and written again reads back as the same; and a
 * listener, an IP address and a backend can only be what a socket address can hold.
 */
#include "config.h"

#include "fuzz.h"
#include "net/address.h"
#include "net/network.h"
#include "net/url.h"

#define TEXT_MAX 2048

/* What `a` is written as must read back as `a`, with one exception: IPv4 in an IPv6 address is
 * written as IPv4. */
static void claim_listen(const struct address *a)
{
	char text[ADDRESS_TEXT_SIZE];
	char again[ADDRESS_TEXT_SIZE];
	struct address back;
	const char *why = NULL;
	bool mapped = a->u.sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr);

	FUZZ_CLAIM(a->len > 0 && a->len <= sizeof a->u);
	FUZZ_CLAIM(address_format(a, text) == text && strlen(text) < sizeof text);
	FUZZ_CLAIM(address_parse_listen(text, &back, &why) == 0);
	FUZZ_CLAIM(mapped ? back.u.sa.sa_family == AF_INET : address_equals(a, &back));
	FUZZ_CLAIM(strcmp(text, address_format(&back, again)) == 0);
}

static void try_listen(const char *text)
{
	struct address a;
	const char *why = NULL;

	if (address_parse_listen(text, &a, &why) == 0) {
		claim_listen(&a);
		return;
	}
	FUZZ_CLAIM(why != NULL && *why != '\0' && a.len == 0);
}

static void try_ip(const char *text)
{
	struct address a, part;
	char host[ADDRESS_TEXT_SIZE];

	if (address_parse_ip(text, &a) == -1) {
		FUZZ_CLAIM(a.len == 0);
		return;
	}
	FUZZ_CLAIM(address_parse_ip_slice(slice_of_string(text), a.u.sa.sa_family, &part) == 0);
	FUZZ_CLAIM(address_equals(&a, &part));
	FUZZ_CLAIM(address_parse_ip(address_format_host(&a, host), &part) == 0);
}

/* A URL from its parts. */
static void write_url(struct text *out, const struct backend_url *url)
{
	if (url->socket != NULL) {
		text_add_string(out, "unix:");
		text_add_string(out, url->socket);
		return;
	}
	text_add_string(out, "http://");
	text_add_string(out, url->authority);
	text_add_string(out, url->path);
}

static void claim_url(const struct backend_url *url)
{
	struct address a;

	FUZZ_CLAIM((url->socket != NULL) == (url->port == 0));
	FUZZ_CLAIM(*url->path == '\0' || (*url->path == '/' && url->path[1] != '\0'));
	for (const char *p = url->path; *p != '\0'; p++)
		FUZZ_CLAIM(*p > ' ' && *p < 0x7f && *p != '?' && *p != '#');
	for (const char *p = url->authority; *p != '\0'; p++)
		FUZZ_CLAIM(*p > ' ' && *p < 0x7f && strchr("@/?#,", *p) == NULL);
	FUZZ_CLAIM(*url->authority != '\0');
	if (url_address(url, &a) == 0)
		claim_listen(&a);
	else
		FUZZ_CLAIM(url->socket == NULL && *url->host != '\0');
}

static void claim_same_url(const struct backend_url *a, const struct backend_url *b)
{
	FUZZ_CLAIM(strcmp(a->host, b->host) == 0);
	FUZZ_CLAIM(strcmp(a->path, b->path) == 0);
	FUZZ_CLAIM(strcmp(a->authority, b->authority) == 0);
	FUZZ_CLAIM((a->socket == NULL) == (b->socket == NULL));
	FUZZ_CLAIM(a->socket == NULL || strcmp(a->socket, b->socket) == 0);
	FUZZ_CLAIM(a->port == b->port);
}

static void try_url(const char *text)
{
	char room[TEXT_MAX + 64];
	struct text written = text_over(room, sizeof room);
	struct backend_url url, back;
	const char *why = NULL;

	if (url_parse(text, &url, &why) == -1) {
		FUZZ_CLAIM(why != NULL && *why != '\0' && url.host == NULL);
		return;
	}
	claim_url(&url);
	write_url(&written, &url);
	FUZZ_CLAIM(url_parse(text_string(&written), &back, &why) == 0);
	claim_same_url(&url, &back);
	url_free(&url);
	url_free(&back);
	url_free(&back);
}

/* Alone and beside others, a network holds its own address. */
static void claim_network(const struct network *n)
{
	struct network_set set = { 0 };
	struct address own = { .len = sizeof own.u };
	struct network rest = { .family = AF_INET6, .prefix = 1, .bits = { 0x80 } };

	own.u.sa.sa_family = n->family;
	if (n->family == AF_INET)
		memcpy(&own.u.in.sin_addr, n->bits, 4);
	else if (n->family == AF_INET6)
		memcpy(&own.u.in6.sin6_addr, n->bits, 16);
	FUZZ_CLAIM(network_set_add(&set, n) == 0 && network_set_add(&set, &rest) == 0);
	FUZZ_CLAIM(network_set_add(&set, n) == 0);
	network_set_sort(&set);
	FUZZ_CLAIM(set.count <= 2);
	/* All networks of IPv4 are apart from IPv6's ::ffff:0:0/96. */
	if (n->family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&own.u.in6.sin6_addr))
		FUZZ_CLAIM(network_set_has(&set, &own));
	network_set_free(&set);
}

static void try_network(const char *text)
{
	char written[NETWORK_TEXT_SIZE];
	struct network n, back;
	const char *why = NULL;

	if (network_parse(text, &n, &why) == -1) {
		FUZZ_CLAIM(why != NULL && *why != '\0');
		return;
	}
	FUZZ_CLAIM(network_parse(network_format(&n, written), &back, &why) == 0);
	FUZZ_CLAIM(network_compare(&n, &back) == 0);
	claim_network(&n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX];
	struct window w;

	if (size >= sizeof text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	/* With its NUL, and nothing readable behind that. */
	w = window_open(text, size + 1);
	window_show(&w, w.len);
	try_listen(w.data);
	try_ip(w.data);
	try_url(w.data);
	try_network(w.data);
	return 0;
}
