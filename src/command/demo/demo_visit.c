/*
 * A connection to a backend of the demo: reads a request, waits a little as if it worked, and
 * echoes it. One request at a time, in order; what comes meanwhile stays in the buffer.
 */
#include "config.h"

#include "demo_visit.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "demo_echo.h"
#include "http/chunk.h"
#include "http/reply.h"

/* What one connection may send ahead. A head must fit, or it could never be read whole. */
#define INPUT_MAX (256 * 1024)
#define HEAD_MAX  (128 * 1024)

/* How long a client may take to notice that its connection has ended. */
#define LINGER_SECONDS 2

enum visit_state {
	VISIT_HEAD,
	VISIT_BODY, /* of a known length */
	VISIT_CHUNKS,
	VISIT_TRAILER,
	VISIT_WORK, /* the request is whole, its answer not due yet */
	VISIT_END,  /* no more requests: the last bytes leave, then the connection */
};

/* One connection and the request it is at. */
struct visit {
	struct server *server; /* borrowed */
	struct bufferevent *bev;
	struct event *work;
	struct echo echo;
	enum visit_state state;
	bool eof;      /* the client sends no more */
	size_t seen;   /* of a head that is not whole yet */
	uint64_t left; /* of a body of known length */
	struct chunk_decoder chunks;
	bool head; /* answer without a body */
	bool keep_alive;
	int minor;
};

static void visit_advance(struct visit *v);

static void visit_free(struct visit *v)
{
	struct server *server = v->server;

	if (v->bev != NULL)
		bufferevent_free(v->bev);
	if (v->work != NULL)
		event_free(v->work);
	demo_echo_fini(&v->echo);
	mem_free(v);
	/* There may be a descriptor again (accept_error_cb). */
	evconnlistener_enable(server->listener);
}

/* Everything was sent. A close with unread input would make the kernel reset the connection and
 * with it what the client has not read yet: so wait for its end of file first. */
static void visit_hang_up(struct visit *v)
{
	if (v->eof || shutdown(bufferevent_getfd(v->bev), SHUT_WR) == -1)
		visit_free(v);
}

/* The only way to end a connection that still works. It may be gone when this returns. */
static void visit_finish(struct visit *v)
{
	struct timeval linger = { .tv_sec = LINGER_SECONDS };
	struct evbuffer *input = bufferevent_get_input(v->bev);

	assert(v->state != VISIT_END);
	v->state = VISIT_END;
	bufferevent_set_timeouts(v->bev, &linger, &linger);
	evbuffer_drain(input, evbuffer_get_length(input));
	if (evbuffer_get_length(bufferevent_get_output(v->bev)) == 0)
		visit_hang_up(v);
}

static void visit_refuse(struct visit *v, int status, const char *why)
{
	char data[REPLY_MAX];
	struct text out = text_over(data, sizeof data);
	struct reply reply = { .status = status, .detail = why, .close = true };

	reply.date = slice_of(clock_http_date(), CLOCK_HTTP_DATE_LEN);
	reply_write(&out, &reply);
	bufferevent_write(v->bev, out.data, out.len);
	visit_finish(v);
}

/* More input is needed to go on. Returns false for the readers to return. */
static bool visit_starve(struct visit *v)
{
	if (v->eof)
		visit_finish(v);
	return false;
}

static void work_done_cb(evutil_socket_t fd, short what, void *arg)
{
	struct visit *v = arg;
	const char *connection = v->minor == 0 ? "keep-alive" : NULL;

	(void)fd;
	(void)what;
	assert(v->state == VISIT_WORK);
	demo_echo_send(&v->echo, bufferevent_get_output(v->bev),
		v->keep_alive ? connection : "close", !v->head);
	v->state = VISIT_HEAD;
	if (v->keep_alive)
		visit_advance(v);
	else
		visit_finish(v);
}

static void start_work(struct visit *v)
{
	uint32_t delay = v->server->delay_ms * 1000;
	uint32_t us = delay - delay / 4 + rng_below(&v->server->rng, delay / 2 + 1);
	struct timeval tv = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 };

	assert(v->state != VISIT_WORK && v->state != VISIT_END);
	v->state = VISIT_WORK;
	event_add(v->work, &tv);
}

/* Takes over what has to be known of a request when its head is no longer there. */
static void begin_request(struct visit *v, const struct request *r, const char *data)
{
	v->head = r->method == METHOD_HEAD;
	v->keep_alive = r->keep_alive;
	v->minor = r->minor;
	v->left = r->body.length;
	v->chunks = (struct chunk_decoder){ 0 };
	demo_echo_begin(&v->echo, v->server->port, slice_of(data, r->head_len));
}

static bool read_head(struct visit *v)
{
	static const struct head_limits limits = { .size = HEAD_MAX, .count = FIELDS_MAX };
	struct request *r = &v->server->request;
	struct evbuffer *input = bufferevent_get_input(v->bev);
	size_t len = evbuffer_get_length(input);
	const char *data = (const char *)evbuffer_pullup(input, -1);
	enum parse_result result = PARSE_PARTIAL;

	if (len > 0)
		result = request_parse(r, data, len, v->seen, &limits);
	if (result == PARSE_BAD) {
		visit_refuse(v, r->status, r->why);
		return false;
	}
	v->seen = result == PARSE_DONE ? 0 : len;
	if (result == PARSE_PARTIAL)
		return visit_starve(v);
	begin_request(v, r, data);
	evbuffer_drain(input, r->head_len);
	if (r->expect_continue && evbuffer_get_length(input) == 0)
		bufferevent_write(v->bev, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	if (r->body.kind == BODY_CHUNKED)
		v->state = VISIT_CHUNKS;
	else if (v->left > 0)
		v->state = VISIT_BODY;
	else
		start_work(v);
	return true;
}

/* The input that lies in one piece at its front. */
static struct slice first_run(struct evbuffer *input)
{
	size_t len = evbuffer_get_contiguous_space(input);

	return slice_of((const char *)evbuffer_pullup(input, (ssize_t)len), len);
}

static bool read_body(struct visit *v)
{
	struct evbuffer *input = bufferevent_get_input(v->bev);
	struct slice run = first_run(input);

	if (run.len == 0)
		return visit_starve(v);
	if (run.len > v->left)
		run.len = v->left;
	demo_echo_add_body(&v->echo, run);
	evbuffer_drain(input, run.len);
	v->left -= run.len;
	if (v->left == 0) {
		demo_echo_end_body(&v->echo);
		start_work(v);
	}
	return true;
}

static bool read_chunks(struct visit *v)
{
	struct evbuffer *input = bufferevent_get_input(v->bev);
	struct slice run = first_run(input);
	struct slice content = { 0 };
	enum chunk_result result;
	size_t used = 0;

	if (run.len == 0)
		return visit_starve(v);
	result = chunk_decode(&v->chunks, run.data, run.len, &used, &content);
	if (result == CHUNK_BAD) {
		visit_refuse(v, 400, v->chunks.why);
		return false;
	}
	if (result == CHUNK_DATA)
		demo_echo_add_body(&v->echo, content);
	evbuffer_drain(input, used);
	if (result == CHUNK_TRAILER) {
		demo_echo_end_body(&v->echo);
		v->state = VISIT_TRAILER;
	}
	return true;
}

static bool read_trailer(struct visit *v)
{
	struct evbuffer *input = bufferevent_get_input(v->bev);
	size_t len = evbuffer_get_length(input);
	const char *data = (const char *)evbuffer_pullup(input, -1);
	enum parse_result result = PARSE_PARTIAL;
	const char *why = NULL;
	size_t used = 0;

	if (len > 0)
		result = trailers_parse(&v->server->trailers, data, len, &used, &why);
	if (result == PARSE_BAD) {
		visit_refuse(v, 400, why);
		return false;
	}
	if (result == PARSE_PARTIAL)
		return visit_starve(v);
	if (v->server->trailers.count > 0)
		demo_echo_add_trailers(&v->echo, slice_of(data, used));
	evbuffer_drain(input, used);
	start_work(v);
	return true;
}

/* Does the next thing; false when there is nothing to do for now, or no connection any more. */
static bool visit_step(struct visit *v)
{
	switch (v->state) {
	case VISIT_HEAD:
		return read_head(v);
	case VISIT_BODY:
		return read_body(v);
	case VISIT_CHUNKS:
		return read_chunks(v);
	case VISIT_TRAILER:
		return read_trailer(v);
	case VISIT_WORK:
	case VISIT_END:
		break;
	}
	return false;
}

static void visit_advance(struct visit *v)
{
	while (visit_step(v))
		continue;
}

static void read_cb(struct bufferevent *bev, void *arg)
{
	struct visit *v = arg;
	struct evbuffer *input = bufferevent_get_input(bev);

	if (v->state == VISIT_END)
		evbuffer_drain(input, evbuffer_get_length(input));
	else
		visit_advance(v);
}

/* All output has left. */
static void write_cb(struct bufferevent *bev, void *arg)
{
	struct visit *v = arg;

	(void)bev;
	if (v->state == VISIT_END)
		visit_hang_up(v);
}

static void event_cb(struct bufferevent *bev, short what, void *arg)
{
	struct visit *v = arg;
	bool sending = evbuffer_get_length(bufferevent_get_output(bev)) > 0;

	if ((what & BEV_EVENT_EOF) == 0 || (v->state == VISIT_END && !sending)) {
		visit_free(v);
		return;
	}
	v->eof = true;
	visit_advance(v);
}

static int visit_init(struct visit *v, struct server *server, evutil_socket_t fd)
{
	v->server = server;
	v->work = event_new(server->base, -1, 0, work_done_cb, v);
	v->bev = bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (v->bev == NULL)
		close(fd);
	if (demo_echo_init(&v->echo) == -1 || v->work == NULL || v->bev == NULL)
		return -1;
	bufferevent_setcb(v->bev, read_cb, write_cb, event_cb, v);
	bufferevent_setwatermark(v->bev, EV_READ, 0, INPUT_MAX);
	return bufferevent_enable(v->bev, EV_READ | EV_WRITE);
}

void demo_visit_open(struct server *server, int fd)
{
	struct visit *v = mem_zalloc(1, sizeof *v);

	if (v == NULL)
		close(fd);
	else if (visit_init(v, server, fd) == -1)
		visit_free(v);
}
