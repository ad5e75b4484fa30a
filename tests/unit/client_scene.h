/*
 * Clients of HTTP/1 over connections that are none: what is written to one is kept, and what is
 * read from it are the bytes of the test. Behind them are real exchanges, and backends in memory.
 */
#ifndef TINYLB_TESTS_CLIENT_SCENE_H
#define TINYLB_TESTS_CLIENT_SCENE_H

#include "downstream/client.h"
#include "downstream/clients.h"
#include "downstream/http1_downstream.h"
#include "exchange_scene.h"

#define WIRES      1040
#define WIRE_FD    1000 /* of the first one */
#define WIRE_BYTES ((size_t)16 * 1024)

/* The other end of a connection. */
struct wire {
	struct connection *c; /* NULL: closed */
	char out[WIRE_BYTES]; /* what the client got */
	size_t len;
	char in[2 * WIRE_BYTES]; /* what it sent and nobody has read */
	size_t rest;
	bool slow; /* what is written waits */
	size_t backlog;
	bool more;      /* the socket has more, or its end */
	bool no_memory; /* writing fails */
	ssize_t splice_result;
	size_t splice_room, splice_most, spliced;
	unsigned closes, resets, finishes, pauses, resumes, agains, watches, looks;
};

static struct {
	struct wire wires[WIRES];
	size_t count;
	struct downstream_context d;
	char head_out[HEAD_OUT_SIZE];
	unsigned left;
} clients;

static inline struct wire *wire_of(const struct connection *c)
{
	return (struct wire *)(void *)c->buffer;
}

void __wrap_connection_open(
	struct connection *c, struct loop *loop, const struct connection_events *events, int fd);
void __wrap_connection_open(
	struct connection *c, struct loop *loop, const struct connection_events *events, int fd)
{
	struct wire *wire = &clients.wires[fd - WIRE_FD];

	*c = (struct connection){ .buffer = (struct bufferevent *)(void *)wire,
		.rest = (struct evbuffer *)(void *)wire,
		.loop = loop,
		.events = events,
		.fd = fd,
		.resting = true };
	wire->c = c;
}

void __wrap_connection_look(struct connection *c);
void __wrap_connection_look(struct connection *c)
{
	wire_of(c)->looks++;
}

void __wrap_connection_watch(struct connection *c);
void __wrap_connection_watch(struct connection *c)
{
	wire_of(c)->watches++;
	c->resting = false;
}

void __wrap_connection_close(struct connection *c);
void __wrap_connection_close(struct connection *c)
{
	wire_of(c)->closes++;
	wire_of(c)->c = NULL;
	c->fd = -1;
}

void __wrap_connection_reset(struct connection *c);
void __wrap_connection_reset(struct connection *c)
{
	wire_of(c)->resets++;
	wire_of(c)->c = NULL;
	c->fd = -1;
}

int __wrap_connection_write(struct connection *c, const struct iovec *pieces, int count);
int __wrap_connection_write(struct connection *c, const struct iovec *pieces, int count)
{
	struct wire *wire = wire_of(c);

	if (wire->no_memory)
		return -1;
	for (int i = 0; i < count; i++) {
		assert_true(wire->len + pieces[i].iov_len < sizeof wire->out);
		memcpy(wire->out + wire->len, pieces[i].iov_base, pieces[i].iov_len);
		wire->len += pieces[i].iov_len;
		wire->backlog += wire->slow ? pieces[i].iov_len : 0;
	}
	wire->out[wire->len] = '\0';
	return 0;
}

void __wrap_connection_finish(struct connection *c);
void __wrap_connection_finish(struct connection *c)
{
	wire_of(c)->finishes++;
}

size_t __wrap_connection_count_backlog(const struct connection *c);
size_t __wrap_connection_count_backlog(const struct connection *c)
{
	return wire_of(c)->backlog;
}

bool __wrap_connection_is_full(const struct connection *c);
bool __wrap_connection_is_full(const struct connection *c)
{
	return wire_of(c)->backlog > CONNECTION_BACKLOG_HIGH;
}

size_t __wrap_connection_unsent(const struct connection *c);
size_t __wrap_connection_unsent(const struct connection *c)
{
	return wire_of(c)->backlog;
}

size_t __wrap_connection_count_rest(const struct connection *c);
size_t __wrap_connection_count_rest(const struct connection *c)
{
	return wire_of(c)->rest;
}

bool __wrap_connection_is_quiet(const struct connection *c);
bool __wrap_connection_is_quiet(const struct connection *c)
{
	return wire_of(c)->rest == 0 && !wire_of(c)->more;
}

void __wrap_connection_pause(struct connection *c);
void __wrap_connection_pause(struct connection *c)
{
	wire_of(c)->pauses++;
	c->paused = true;
}

void __wrap_connection_resume(struct connection *c);
void __wrap_connection_resume(struct connection *c)
{
	wire_of(c)->resumes++;
	c->paused = false;
}

void __wrap_connection_again(struct connection *c);
void __wrap_connection_again(struct connection *c)
{
	wire_of(c)->agains++;
}

size_t __wrap_connection_splice_room(const struct connection *c);
size_t __wrap_connection_splice_room(const struct connection *c)
{
	return wire_of(c)->splice_room;
}

ssize_t __wrap_connection_splice_in(struct connection *c, size_t most);
ssize_t __wrap_connection_splice_in(struct connection *c, size_t most)
{
	struct wire *wire = wire_of(c);

	wire->splice_most = most;
	return wire->splice_result < (ssize_t)most ? wire->splice_result : (ssize_t)most;
}

int __wrap_connection_splice_out(struct connection *c, size_t len);
int __wrap_connection_splice_out(struct connection *c, size_t len)
{
	wire_of(c)->spliced += len;
	return wire_of(c)->no_memory ? -1 : 0;
}

static inline void clients_left(void *context)
{
	assert_ptr_equal(context, &clients);
	clients.left++;
}

/* For cmocka: before each test. */
static inline int clients_begin(void **state)
{
	memset(clients.wires, 0, clients.count * sizeof *clients.wires);
	clients.count = 0;
	clients.left = 0;
	memset(&clients.d, 0, sizeof clients.d);
	if (scene_begin(state) == -1)
		return -1;
	w.settings.timeouts.request_header = 10000;
	w.settings.timeouts.idle_client = 60000;
	w.settings.half_close = true;
	return 0;
}

static inline void clients_start(void)
{
	scene_start();
	clients.d = (struct downstream_context){ .loop = &w.loop,
		.settings = &w.settings,
		.exchange = &scene.context,
		.trim = &scene.trim,
		.limits = { 4096, 64 },
		.head_out = clients.head_out,
		.left = clients_left,
		.left_context = &clients };
	http1_downstream_init(&clients.d);
}

/* For cmocka: after each test. No client may be left in any list. */
static inline int clients_end(void **state)
{
	if (clients.d.settings != NULL) {
		clients_close_all(&clients.d);
		loop_free_deferred(&w.loop);
		assert_int_equal(clients.d.client_count, 0);
		assert_int_equal(clients.d.linger_count, 0);
		assert_int_equal(clients.left, clients.count);
		http1_downstream_fini(&clients.d);
	}
	return scene_end(state);
}

static inline struct wire *wire_open_from(const char *ip)
{
	struct wire *wire = &clients.wires[clients.count++];
	struct address peer;

	assert_true(clients.count <= WIRES);
	assert_int_equal(address_parse_ip(ip, &peer), 0);
	assert_int_equal(
		http1_downstream_open(&clients.d, WIRE_FD + (int)(wire - clients.wires), &peer, 0),
		0);
	return wire;
}

static inline struct wire *wire_open(void)
{
	return wire_open_from("192.0.2.1");
}

static inline struct client *client_of_wire(const struct wire *wire)
{
	return LIST_ITEM(wire->c, struct client, connection);
}

/* What waits is read, once. */
static inline void wire_read(struct wire *wire)
{
	struct connection *c = wire->c;
	static char bytes[2 * WIRE_BYTES];
	size_t len = wire->rest, used;

	memcpy(bytes, wire->in, len);
	wire->rest = 0;
	c->delivering = true;
	used = c->events->received(c, bytes, len);
	assert_true(used <= len);
	if (wire->c == NULL)
		return;
	c->delivering = false;
	wire->rest = len - used;
	memcpy(wire->in, bytes + used, wire->rest);
}

/* The client sends this, and it is read. */
static inline void wire_send(struct wire *wire, const char *text)
{
	size_t len = strlen(text);

	assert_true(wire->rest + len <= sizeof wire->in);
	memcpy(wire->in + wire->rest, text, len);
	wire->rest += len;
	wire_read(wire);
}

/* The client ends its sending side, or fails. */
static inline void wire_end(struct wire *wire, int error)
{
	wire->c->ended = true;
	wire->c->events->ended(wire->c, error);
}

/* The client takes all that waits for it. */
static inline void wire_take(struct wire *wire)
{
	wire->backlog = 0;
	wire->c->events->drained(wire->c);
}

/* What the client got since the last look has this in it. */
static inline void assert_wire(
	struct wire *wire, const char *begin, const char *has, const char * not )
{
	assert_true(wire->len >= strlen(begin));
	assert_memory_equal(wire->out, begin, strlen(begin));
	if (has != NULL)
		assert_non_null(strstr(wire->out, has));
	if (not != NULL)
		assert_null(strstr(wire->out, not ));
	wire->len = 0;
	wire->out[0] = '\0';
}

static inline void assert_state(const struct wire *wire, enum client_state state)
{
	assert_non_null(wire->c);
	assert_int_equal(client_of_wire(wire)->state, state);
}

static inline void assert_closed(const struct wire *wire)
{
	assert_null(wire->c);
	assert_int_equal(wire->closes, 1);
	assert_int_equal(wire->resets, 0);
}

static inline void assert_reset(const struct wire *wire)
{
	assert_null(wire->c);
	assert_int_equal(wire->resets, 1);
	assert_int_equal(wire->closes, 0);
}

#endif
