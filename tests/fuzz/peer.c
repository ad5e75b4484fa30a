/*
 * The other ends of the program's connections. All that is said and heard is written down and
 * judged at once.
 */
#include "config.h"

#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "kernel.h"

int peer_number(const struct peer *peer)
{
	if (peer >= world.clients && peer < world.clients + CLIENTS_MAX)
		return (int)(peer - world.clients);
	return -1;
}

static void init_peer(struct peer *peer, int fd, bool is_client)
{
	static const int begin = 0;

	peer->fd = fd;
	peer->queued = -1;
	peer->peeked = 0;
	FUZZ_CLAIM(setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &begin, sizeof begin) == 0);
	peer->deaf = peer->ended = false;
	talk_init(&peer->talk, world.limits);
	peer->talk.strict_responses = is_client;
	peer->talk.strict_requests = !is_client;
}

/* Clients of every family. */
static struct address address_of(unsigned number)
{
	static const char *const hosts[] = { "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.3" };
	struct address a = { .len = sizeof(sa_family_t) };

	a.u.sa.sa_family = AF_UNIX;
	if (number % 4 < 3) {
		FUZZ_CLAIM(address_parse_ip(hosts[number % 4], &a) == 0);
		address_set_port(&a, (uint16_t)(1000 + number));
	}
	return a;
}

/* The program accepts it. */
static void accept_client(struct peer *peer)
{
	struct address from = address_of((unsigned)peer_number(peer));
	int fd = peer->queued;

	peer->queued = -1;
	proxy_accept(world.proxy, fd, &from, 0);
}

static struct peer *connect_client(bool at_once)
{
	struct peer *peer = &world.clients[world.client_count];
	int pair[2];

	if (world.client_count == CLIENTS_MAX)
		return NULL;
	world.client_count++;
	FUZZ_CLAIM(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	if (kernel.tight)
		kernel_tighten(pair[0]);
	init_peer(peer, pair[1], true);
	peer->queued = pair[0];
	if (at_once)
		accept_client(peer);
	return peer;
}

struct peer *peer_client(unsigned slot)
{
	struct peer **place = &world.slots[slot % SLOTS];

	if (*place == NULL || (*place)->fd == -1)
		*place = connect_client(slot / SLOTS % 2 == 0);
	return *place;
}

struct peer *peer_backend(unsigned n)
{
	if (world.backend_count == 0)
		return NULL;
	return &world.backends[n < world.backend_count ? n : world.backend_count - 1];
}

/* Something was said, or all is over. */
static bool has_come(int fd)
{
	char next;

	return __real_recv(fd, &next, 1, MSG_PEEK) != -1 || errno != EAGAIN;
}

/* Clients that the program accepts late, and connections that it made. */
static bool accept_all(void)
{
	bool any = false;

	for (unsigned i = 0; i < world.client_count; i++)
		if (world.clients[i].queued != -1 && has_come(world.clients[i].queued)) {
			accept_client(&world.clients[i]);
			any = true;
		}
	for (unsigned i = 0; i < LISTENERS; i++) {
		int fd;

		while (world.listeners[i] != -1 && world.backend_count < BACKENDS_MAX &&
			(fd = accept4(world.listeners[i], NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
			init_peer(&world.backends[world.backend_count++], fd, false);
			any = true;
		}
	}
	return any;
}

/* Up to there nothing is left to find but the beginning of a token. */
static void scan_on(struct talk *t, size_t to)
{
	if (to >= t->scanned + TOKEN_LEN)
		t->scanned = to - TOKEN_LEN + 1;
}

/* What a client hears was meant for it. */
static void judge_tokens_of_client(struct peer *peer)
{
	struct talk *t = &peer->talk;
	size_t at;
	int token;

	while ((token = token_find(
			slice_of(t->responses.bytes + t->scanned, t->responses.len - t->scanned),
			&at)) != -1) {
		FUZZ_CLAIM(world.raced || token_owner(token) == peer_number(peer));
		t->scanned += at + TOKEN_LEN;
	}
	scan_on(t, t->responses.len);
}

static struct asked *asked_at(struct talk *t, size_t at)
{
	for (unsigned i = t->asked_count; i-- > 0;)
		if (t->asked[i].begin <= at)
			return &t->asked[i];
	return NULL;
}

/* A request holds bytes of one client only. */
static void judge_tokens_of_backend(struct peer *peer)
{
	struct talk *t = &peer->talk;
	size_t at;
	int token;

	while (!t->too_much && (token = token_find(slice_of(t->requests.bytes + t->scanned,
							   t->requests.len - t->scanned),
					&at)) != -1) {
		struct asked *asked = asked_at(t, t->scanned + at);

		if (asked == NULL || t->asking.at <= t->scanned + at)
			return; /* not in a request yet that was read */
		FUZZ_CLAIM(asked->owner == -1 || asked->owner == token_owner(token));
		asked->owner = token_owner(token);
		t->scanned += at + TOKEN_LEN;
	}
	scan_on(t, t->asking.at);
	talk_judge_logins(t);
}

/* What comes as a request was a request where it was said, and not the body of another. */
static bool was_asked(int token)
{
	const struct talk *t = &world.clients[token_owner(token)].talk;

	for (unsigned i = 0; i < t->asked_count; i++)
		if (t->asked[i].token == token)
			return true;
	return t->too_much;
}

/* How often a request has come, less where it was refused so that it may be repeated. */
static unsigned times_asked(int token)
{
	unsigned times = 0;

	for (unsigned n = 0; n < world.backend_count; n++) {
		const struct talk *t = &world.backends[n].talk;

		for (unsigned i = 0; i < t->asked_count; i++)
			times += t->asked[i].token == token && !t->asked[i].refused;
	}
	return times;
}

/* Requests that must not be repeated come once. */
static void judge_new_requests(const struct talk *t, unsigned from)
{
	for (unsigned i = from; i < t->asked_count; i++) {
		const struct asked *asked = &t->asked[i];

		if (asked->token == -1)
			continue;
		FUZZ_CLAIM(was_asked(asked->token));
		if (!method_is_idempotent(asked->method))
			FUZZ_CLAIM(times_asked(asked->token) <= 1);
	}
}

static void judge_backend(struct peer *peer, const char *data, size_t len)
{
	struct talk *t = &peer->talk;
	unsigned asked = t->asked_count;
	unsigned heads = t->asking.heads;

	if (t->asking.place == PLACE_HEAD && t->asking.at == t->requests.len && asked > 0)
		FUZZ_CLAIM(world.raced || talk_is_reusable(t));
	FUZZ_CLAIM(!t->over || !t->answering.last);
	journal_add(&t->requests, data, len);
	talk_read(t);
	FUZZ_CLAIM(!t->over || t->asking.heads == heads);
	judge_new_requests(t, asked);
	judge_tokens_of_backend(peer);
}

static void judge_client(struct peer *peer, const char *data, size_t len)
{
	peer->talk.crossed = world.raced;
	journal_add(&peer->talk.responses, data, len);
	talk_read(&peer->talk);
	judge_tokens_of_client(peer);
}

static void judge_peer(struct peer *peer, const char *data, size_t len)
{
	if (peer_number(peer) == -1)
		judge_backend(peer, data, len);
	else
		judge_client(peer, data, len);
}

/* A deaf peer leaves what was said in its socket, but that is judged at once as well: each peek
 * goes on from the one before (SO_PEEK_OFF). */
static bool peek(struct peer *peer, char *room, size_t size)
{
	ssize_t n = __real_recv(peer->fd, room, size, MSG_PEEK);

	if (n <= 0)
		return false;
	peer->peeked += (size_t)n;
	judge_peer(peer, room, (size_t)n);
	return true;
}

static bool take(struct peer *peer, char *room, size_t size)
{
	/* No more at a time than what was peeked at, so that all of it is judged, or nothing is. */
	size_t most = peer->peeked > 0 && peer->peeked < size ? peer->peeked : size;
	ssize_t n = __real_recv(peer->fd, room, most, 0);

	if (n == -1 && errno == EAGAIN)
		return false;
	if (n <= 0)
		peer->ended = true;
	else if (peer->peeked > 0)
		peer->peeked -= (size_t)n;
	else
		judge_peer(peer, room, (size_t)n);
	return true;
}

/* What the program says is judged before anybody else says more. */
static bool hear(struct peer *peer)
{
	static char room[65536];

	if (peer->fd == -1 || peer->ended)
		return false;
	return peer->deaf ? peek(peer, room, sizeof room) : take(peer, room, sizeof room);
}

bool peers_hear(void)
{
	bool any = accept_all();

	for (unsigned i = 0; i < world.client_count; i++)
		any |= hear(&world.clients[i]);
	for (unsigned i = 0; i < world.backend_count; i++)
		any |= hear(&world.backends[i]);
	return any;
}

/* When nobody has anything left to hear, an answer to a part of a request has been read. */
void peers_judge(void)
{
	for (unsigned i = 0; i < world.client_count; i++)
		if (world.clients[i].deaf)
			return;
	for (unsigned i = 0; i < world.backend_count; i++)
		if (world.backends[i].deaf)
			return;
	for (unsigned i = 0; i < world.backend_count; i++)
		world.backends[i].talk.over |= talk_is_cut_short(&world.backends[i].talk);
}

static size_t say_piece(struct peer *peer, const char *data, size_t len)
{
	struct talk *t = &peer->talk;
	ssize_t n = __real_send(peer->fd, data, len, MSG_NOSIGNAL);

	if (n > 0)
		journal_add(
			peer_number(peer) == -1 ? &t->responses : &t->requests, data, (size_t)n);
	talk_read(t);
	/* A read that is short says that there is no more: in this world it may lie. */
	world.raced |= kernel.shorts && talk_has_surplus(t);
	world_settle();
	return n > 0 ? (size_t)n : 0;
}

void peer_say(struct peer *peer, const char *data, size_t len, size_t piece)
{
	size_t said = 0;
	size_t n;

	while (said < len && peer->fd != -1) {
		n = say_piece(peer, data + said, piece < len - said ? piece : len - said);
		if (n == 0)
			return;
		said += n;
	}
}

void peer_shut(struct peer *peer)
{
	if (peer->fd == -1)
		return;
	(void)shutdown(peer->fd, SHUT_WR);
	world_settle();
}

void peer_deafen(struct peer *peer, bool deaf)
{
	peer->deaf = deaf;
	world_settle();
}

void peer_close(struct peer *peer)
{
	if (peer->fd == -1)
		return;
	(void)close(peer->fd);
	peer->fd = -1;
	world_settle();
}

void peers_close(void)
{
	for (unsigned i = 0; i < world.client_count; i++)
		peer_close(&world.clients[i]);
	for (unsigned i = 0; i < world.backend_count; i++)
		peer_close(&world.backends[i]);
}
