/*
 * Backends in memory, a second kind of struct upstream_ops: the test says which connections can be
 * made, makes them, and answers. Each stream keeps what it was sent and asked, for the test to see.
 */
#ifndef TINYLB_TESTS_MEMORY_UPSTREAM_H
#define TINYLB_TESTS_MEMORY_UPSTREAM_H

#include <errno.h>
#include <string.h>

#include "pools.h"
#include "upstream/backend_stream.h"
#include "upstream/private_streams.h"

#define MEMORY_STREAMS   32
#define MEMORY_BYTES     ((size_t)64 * 1024)
#define MEMORY_ADDRESSES 3

struct memory_stream {
	struct backend_stream stream;
	int address;
	/* the request as it was sent here */
	enum method method;
	char target[64], id[64], ip[64], loop_token[64];
	bool trusted, more;
	unsigned heads;
	char bytes[MEMORY_BYTES];
	size_t len;
	size_t spliced;
	bool whole;
	bool switched;    /* a 101 came: bytes may follow what is whole */
	char trailer[32]; /* the value of the first one */
	/* what it was asked */
	unsigned pauses, resumes, finishes;
	bool paused;
	unsigned ends;
	enum upstream_end how;
	/* what the test says */
	bool slow;     /* what is sent waits until it is taken */
	bool gone;     /* it takes nothing any more */
	size_t window; /* so much may wait */
	size_t waits;
	bool no_memory;  /* sending fails */
	bool no_content; /* sending content does */
};

static struct {
	struct memory_stream streams[MEMORY_STREAMS];
	size_t count;
	/* what the test says: errnos of connecting, for each backend and address, 0: it can */
	int errors[POOLS_BACKENDS][MEMORY_ADDRESSES];
	int next_error;                /* of the next one alone, if it is not 0 */
	unsigned kept[POOLS_BACKENDS]; /* connections that can be taken */
	unsigned idle;                 /* connections that make_room can close */
	size_t splice_room;
	bool no_memory;      /* streams fail to send from their begin on */
	bool no_content;     /* they fail to send content */
	bool slow;           /* streams are slow from their begin on */
	bool born_full;      /* they have no window from their begin on */
	void (*ended)(void); /* called at the end of each stream; may be NULL */
	/* what was asked */
	unsigned takes, once, connects, rooms_made, discards;
} upstream_memory;

static inline struct memory_stream *memory_stream_of(const struct backend_stream *stream)
{
	return (struct memory_stream *)(uintptr_t)stream;
}

extern const struct upstream_ops memory_upstream_ops;

static inline struct backend_stream *memory_stream_new(
	struct backend *backend, void *owner, int address)
{
	struct memory_stream *s = &upstream_memory.streams[upstream_memory.count++];

	assert_true(upstream_memory.count <= MEMORY_STREAMS);
	s->stream = (struct backend_stream){
		.ops = &memory_upstream_ops, .backend = backend, .owner = owner
	};
	s->address = address;
	s->window = upstream_memory.born_full ? 0 : SIZE_MAX;
	s->no_memory = upstream_memory.no_memory;
	s->no_content = upstream_memory.no_content;
	s->slow = upstream_memory.slow;
	return &s->stream;
}

static inline size_t memory_index_of(const struct backend *backend)
{
	return (size_t)(backend - backend->pool->backends);
}

static struct backend_stream *memory_take(struct backend *backend, void *owner, bool once)
{
	size_t index = memory_index_of(backend);
	struct backend_stream *stream;

	upstream_memory.takes++;
	upstream_memory.once += once;
	if (upstream_memory.kept[index] == 0)
		return NULL;
	upstream_memory.kept[index]--;
	stream = memory_stream_new(backend, owner, backend->address);
	stream->reused = true;
	return stream;
}

static bool memory_take_private(struct backend_stream *stream, void *owner)
{
	struct memory_stream *s = memory_stream_of(stream);

	upstream_memory.takes++;
	if (s->gone) {
		private_streams_remove(stream);
		return false;
	}
	stream->owner = owner;
	stream->reused = true;
	s->heads = s->ends = 0;
	s->len = 0;
	s->whole = false;
	return true;
}

static void memory_discard(struct backend_stream *stream)
{
	assert_null(stream->owner);
	private_streams_remove(stream);
	upstream_memory.discards++;
}

static struct backend_stream *memory_connect(struct backend *backend, void *owner, int address)
{
	struct backend_stream *stream;

	upstream_memory.connects++;
	assert_in_range(address, 0, MEMORY_ADDRESSES - 1);
	errno = upstream_memory.errors[memory_index_of(backend)][address];
	if (upstream_memory.next_error != 0)
		errno = upstream_memory.next_error;
	upstream_memory.next_error = 0;
	if (errno != 0)
		return NULL;
	stream = memory_stream_new(backend, owner, address);
	stream->connecting = true;
	return stream;
}

static inline void memory_copy(char *out, size_t size, struct slice s)
{
	assert_true(s.len < size);
	if (s.len > 0)
		memcpy(out, s.data, s.len);
	out[s.len] = '\0';
}

static int memory_send_head(struct backend_stream *stream, const struct upstream_request *request)
{
	struct memory_stream *s = memory_stream_of(stream);

	if (s->no_memory)
		return -1;
	s->heads++;
	s->method = request->head->method;
	memory_copy(s->target, sizeof s->target, request->head->target);
	memory_copy(s->id, sizeof s->id, request->request_id);
	memory_copy(s->ip, sizeof s->ip, request->client_ip);
	memory_copy(s->loop_token, sizeof s->loop_token,
		slice_of(request->loop_token, request->loop_token != NULL ? 23 : 0));
	s->trusted = request->trusted;
	s->more = request->more;
	return 0;
}

static int memory_send_content(struct backend_stream *stream, const struct content *content)
{
	struct memory_stream *s = memory_stream_of(stream);

	assert_int_equal(s->heads, 1);
	assert_true(!s->whole || s->switched);
	if (s->no_memory || s->no_content)
		return -1;
	for (int i = 0; i < content->count; i++) {
		const struct iovec *piece = &content->pieces[i];

		assert_true(s->len + piece->iov_len <= sizeof s->bytes);
		memcpy(s->bytes + s->len, piece->iov_base, piece->iov_len);
		s->len += piece->iov_len;
	}
	s->waits += s->slow ? content->len : 0;
	s->whole |= content->end;
	if (content->trailers != NULL)
		memory_copy(s->trailer, sizeof s->trailer, content->trailers->list[0].value);
	return 0;
}

static size_t memory_splice_room(const struct backend_stream *stream)
{
	(void)stream;
	return upstream_memory.splice_room;
}

static int memory_send_spliced(struct backend_stream *stream, size_t len, bool end)
{
	struct memory_stream *s = memory_stream_of(stream);

	if (s->no_memory)
		return -1;
	s->spliced += len;
	s->waits += s->slow ? len : 0;
	s->whole |= end;
	return 0;
}

static void memory_finish(struct backend_stream *stream)
{
	memory_stream_of(stream)->finishes++;
}

static void memory_end(struct backend_stream *stream, enum upstream_end how)
{
	struct memory_stream *s = memory_stream_of(stream);

	assert_non_null(stream->owner);
	stream->owner = NULL;
	if (how != UPSTREAM_DONE)
		private_streams_remove(stream);
	s->ends++;
	s->how = how;
	if (upstream_memory.ended != NULL)
		upstream_memory.ended();
}

static void memory_pause(struct backend_stream *stream)
{
	memory_stream_of(stream)->pauses++;
	memory_stream_of(stream)->paused = true;
}

static void memory_resume(struct backend_stream *stream)
{
	memory_stream_of(stream)->resumes++;
	memory_stream_of(stream)->paused = false;
}

static bool memory_is_full(const struct backend_stream *stream)
{
	const struct memory_stream *s = memory_stream_of(stream);

	return s->waits >= s->window;
}

static bool memory_is_open(const struct backend_stream *stream)
{
	return !memory_stream_of(stream)->gone;
}

static size_t memory_unsent(const struct backend_stream *stream)
{
	return memory_stream_of(stream)->waits;
}

static bool memory_make_room(struct upstream_context *upstream)
{
	assert_ptr_equal(upstream, &w.upstream);
	if (upstream_memory.idle == 0)
		return false;
	upstream_memory.idle--;
	upstream_memory.rooms_made++;
	memset(upstream_memory.errors, 0, sizeof upstream_memory.errors);
	return true;
}

const struct upstream_ops memory_upstream_ops = {
	.take = memory_take,
	.take_private = memory_take_private,
	.discard = memory_discard,
	.connect = memory_connect,
	.send_head = memory_send_head,
	.send_content = memory_send_content,
	.splice_room = memory_splice_room,
	.send_spliced = memory_send_spliced,
	.finish = memory_finish,
	.end = memory_end,
	.pause = memory_pause,
	.resume = memory_resume,
	.is_full = memory_is_full,
	.is_open = memory_is_open,
	.unsent = memory_unsent,
	.make_room = memory_make_room,
};

/* --- what the backend does --- */

/* The stream made last. */
static inline struct memory_stream *stream_last(void)
{
	assert_true(upstream_memory.count > 0);
	return &upstream_memory.streams[upstream_memory.count - 1];
}

/* Its connection is there. */
static inline void stream_connect(struct memory_stream *s)
{
	s->stream.connecting = false;
	w.upstream.stream_events->connected(s->stream.owner);
}

/* A head comes. False: the exchange let go of the stream. */
static inline bool stream_head(struct memory_stream *s, const char *head)
{
	static const struct head_limits limits = { 4096, 64 };
	struct response *response = &w.upstream.response;

	assert_int_equal(s->heads, 1);
	assert_false(s->stream.connecting);
	assert_int_equal(
		response_parse(response, head, strlen(head), 0, s->method, &limits), PARSE_DONE);
	s->switched = response->status == 101;
	w.upstream.stream_events->heard(s->stream.owner);
	return w.upstream.stream_events->head(s->stream.owner, response);
}

/* Content comes; `end`: it is the last. False: the exchange let go of the stream. */
static inline bool stream_content(struct memory_stream *s, const char *bytes, bool end)
{
	struct content content;

	content_init(&content);
	content_add(&content, bytes, strlen(bytes));
	content.end = end;
	w.upstream.stream_events->heard(s->stream.owner);
	return w.upstream.stream_events->content(s->stream.owner, &content);
}

/* A whole response. */
static inline void stream_answer(struct memory_stream *s, const char *head, const char *bytes)
{
	if (stream_head(s, head))
		assert_false(stream_content(s, bytes, true));
}

/* The backend takes up to `most` of what waits. */
static inline void stream_take(struct memory_stream *s, size_t most)
{
	s->waits -= s->waits < most ? s->waits : most;
	w.upstream.stream_events->drained(s->stream.owner);
}

/* The connection ends (0), or fails. */
static inline void stream_fail(struct memory_stream *s, int error)
{
	w.upstream.stream_events->ended(s->stream.owner, error);
}

/* It was sent these bytes of content. */
static inline void assert_sent(const struct memory_stream *s, const char *bytes, bool whole)
{
	assert_int_equal(s->len, strlen(bytes));
	assert_memory_equal(s->bytes, bytes, s->len);
	assert_int_equal(s->whole, whole);
}

/* The exchange has let go of it, once. */
static inline void assert_stream_ended(const struct memory_stream *s, enum upstream_end how)
{
	assert_int_equal(s->ends, 1);
	assert_int_equal(s->how, how);
}

#endif
