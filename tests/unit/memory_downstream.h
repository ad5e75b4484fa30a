/*
 * Clients in memory, a second kind of struct downstream_ops: one connection carries many requests
 * at once, each with a buffer and a window of its own. What each got is there for the test to see.
 */
#ifndef TINYLB_TESTS_MEMORY_DOWNSTREAM_H
#define TINYLB_TESTS_MEMORY_DOWNSTREAM_H

#include <string.h>

#include "exchange/exchange.h"
#include "memory_upstream.h"

#define MEMORY_REQUESTS 24

/* Shared by all requests on it. */
struct memory_connection {
	unsigned begun;
	unsigned open;
	bool gone; /* the client takes nothing any more, on none of them */
};

/* The client side's part of the exchange: exchange_room. */
struct memory_room {
	uint64_t content; /* bytes of the response so far */
};
_Static_assert(sizeof(struct memory_room) <= EXCHANGE_ROOM, "an exchange has room for it");

struct memory_request {
	struct memory_connection *connection;
	struct exchange *x; /* NULL: it is over */
	/* what the client got */
	int heads[1024]; /* statuses of heads */
	unsigned head_count;
	char cookie[SESSION_TOKEN_LEN + 1];
	char cookie_name[16];
	bool cookie_secure;
	char bytes[MEMORY_BYTES];
	size_t len;
	size_t spliced;
	bool whole;
	unsigned replies;
	struct reply reply; /* its texts stand below, and are copies */
	char detail[128], location[HEAD_OUT_SIZE], body[64];
	/* what it was asked */
	unsigned pauses, resumes, watches, finishes;
	bool paused;
	unsigned ends;
	enum downstream_end how;
	/* what the test says */
	bool slow;     /* what is sent waits until it is taken */
	size_t window; /* so much may wait */
	size_t waits;
	enum downstream_result head_result;
	bool no_memory; /* sending content or a reply fails */
	size_t splice_room;
};

static struct {
	struct memory_request requests[MEMORY_REQUESTS];
	size_t count;
	struct memory_connection connection; /* of all requests, unless a test says otherwise */
} downstream_memory;

static inline void memory_check(const struct memory_request *r)
{
	assert_int_equal(r->ends, 0);
	assert_false(r->whole);
	assert_int_equal(r->replies, 0);
}

static enum downstream_result memory_take_head(
	struct memory_request *r, const struct response *head, const struct set_cookie *cookie)
{
	memory_check(r);
	if (r->head_result != DOWNSTREAM_SENT)
		return r->head_result;
	assert_true(r->head_count < sizeof r->heads / sizeof *r->heads);
	r->heads[r->head_count++] = head->status;
	if (cookie != NULL) {
		memory_copy(r->cookie_name, sizeof r->cookie_name, cookie->name);
		memory_copy(r->cookie, sizeof r->cookie, cookie->value);
		r->cookie_secure = cookie->secure;
	}
	return DOWNSTREAM_SENT;
}

static enum downstream_result memory_send_interim(
	void *d, struct response *head, const struct set_cookie *cookie)
{
	assert_true(head->status < 200);
	return memory_take_head(d, head, cookie);
}

static enum downstream_result memory_send_final(
	void *d, struct response *head, const struct set_cookie *cookie)
{
	struct memory_request *r = d;
	struct memory_room *room = exchange_room(r->x);

	assert_true(head->status >= 200);
	room->content = 0;
	return memory_take_head(d, head, cookie);
}

static int memory_send_to_client(void *d, const struct content *content)
{
	struct memory_request *r = d;
	struct memory_room *room = exchange_room(r->x);

	memory_check(r);
	if (r->no_memory)
		return -1;
	for (int i = 0; i < content->count; i++) {
		const struct iovec *piece = &content->pieces[i];

		assert_true(r->len + piece->iov_len <= sizeof r->bytes);
		memcpy(r->bytes + r->len, piece->iov_base, piece->iov_len);
		r->len += piece->iov_len;
	}
	room->content += content->len;
	r->waits += r->slow ? content->len : 0;
	r->whole = content->end;
	return 0;
}

static size_t memory_splice_room_of_client(const void *d)
{
	const struct memory_request *r = d;

	return r->splice_room;
}

static int memory_send_spliced_to_client(void *d, size_t len, bool end)
{
	struct memory_request *r = d;

	memory_check(r);
	if (r->no_memory)
		return -1;
	r->spliced += len;
	r->waits += r->slow ? len : 0;
	r->whole = end;
	return 0;
}

static int memory_send_reply(void *d, struct reply *reply)
{
	struct memory_request *r = d;

	memory_check(r);
	if (r->no_memory)
		return -1;
	r->replies++;
	r->reply = *reply;
	memory_copy(r->detail, sizeof r->detail,
		reply->detail != NULL ? slice_of_string(reply->detail) : slice_of(NULL, 0));
	memory_copy(r->location, sizeof r->location, reply->location);
	memory_copy(r->body, sizeof r->body, reply->body);
	return 0;
}

static void memory_finish_client(void *d)
{
	((struct memory_request *)d)->finishes++;
}

static void memory_end_client(void *d, enum downstream_end how)
{
	struct memory_request *r = d;

	r->ends++;
	r->how = how;
	r->x = NULL;
	r->connection->open--;
}

static void memory_pause_client(void *d)
{
	struct memory_request *r = d;

	r->pauses++;
	r->paused = true;
}

static void memory_resume_client(void *d)
{
	struct memory_request *r = d;

	r->resumes++;
	r->paused = false;
}

static void memory_watch_client(void *d)
{
	((struct memory_request *)d)->watches++;
}

static bool memory_client_is_full(const void *d)
{
	const struct memory_request *r = d;

	return r->waits >= r->window;
}

static bool memory_client_is_open(const void *d)
{
	return !((const struct memory_request *)d)->connection->gone;
}

static size_t memory_client_unsent(const void *d)
{
	return ((const struct memory_request *)d)->waits;
}

static const struct downstream_ops memory_downstream_ops = {
	.send_interim = memory_send_interim,
	.send_head = memory_send_final,
	.send_content = memory_send_to_client,
	.splice_room = memory_splice_room_of_client,
	.send_spliced = memory_send_spliced_to_client,
	.send_reply = memory_send_reply,
	.finish = memory_finish_client,
	.end = memory_end_client,
	.pause = memory_pause_client,
	.resume = memory_resume_client,
	.watch = memory_watch_client,
	.is_full = memory_client_is_full,
	.is_open = memory_client_is_open,
	.unsent = memory_client_unsent,
};

/* --- what the client does --- */

/* A request that is not sent yet, for a test to change. */
static inline struct memory_request *request_new(void)
{
	struct memory_request *r = &downstream_memory.requests[downstream_memory.count++];

	assert_true(downstream_memory.count <= MEMORY_REQUESTS);
	r->connection = &downstream_memory.connection;
	r->window = SIZE_MAX;
	return r;
}

/* Sends its head, as `start` says. The bytes of the head are gone afterwards. */
static inline int request_send(struct memory_request *r, struct exchange_context *context,
	const char *head, struct exchange_start start)
{
	static const struct head_limits limits = { 65536, FIELDS_MAX };
	static struct request request;
	size_t len = strlen(head);
	char *bytes = malloc(len);
	int result;

	memcpy(bytes, head, len);
	assert_int_equal(request_parse(&request, bytes, len, 0, &limits), PARSE_DONE);
	r->x = exchange_new(context);
	assert_non_null(r->x);
	r->connection->begun++;
	r->connection->open++;
	start.downstream = (struct downstream){ &memory_downstream_ops, r };
	start.request = &request;
	start.head = bytes;
	result = exchange_begin(r->x, &start);
	if (result == -1) {
		exchange_forget(r->x);
		r->x = NULL;
		r->connection->open--;
	}
	memset(bytes, '#', len);
	free(bytes);
	return result;
}

/* Sends content; `end`: it is the last. */
static inline void request_content(struct memory_request *r, const char *bytes, bool end)
{
	struct content content;

	content_init(&content);
	content_add(&content, bytes, strlen(bytes));
	content.end = end;
	assert_true(exchange_takes_content(r->x));
	exchange_request_content(r->x, &content);
}

/* The client takes up to `most` of what waits for it. */
static inline void request_take(struct memory_request *r, size_t most)
{
	r->waits -= r->waits < most ? r->waits : most;
	exchange_client_drained(r->x);
}

/* --- what the client has got --- */

static inline void assert_goes_on(const struct memory_request *r)
{
	assert_non_null(r->x);
	assert_int_equal(r->ends, 0);
}

static inline void assert_ended(const struct memory_request *r, enum downstream_end how)
{
	assert_null(r->x);
	assert_int_equal(r->ends, 1);
	assert_int_equal(r->how, how);
}

/* A whole response of a backend. */
static inline void assert_got(const struct memory_request *r, int status, const char *bytes)
{
	assert_ended(r, DOWNSTREAM_DONE);
	assert_int_equal(r->replies, 0);
	assert_true(r->head_count > 0);
	assert_int_equal(r->heads[r->head_count - 1], status);
	assert_int_equal(r->len, strlen(bytes));
	assert_memory_equal(r->bytes, bytes, r->len);
	assert_true(r->whole);
}

/* A response that was made here, with this detail (NULL: any). */
static inline void assert_replied(const struct memory_request *r, int status, const char *detail)
{
	assert_ended(r, DOWNSTREAM_DONE);
	assert_int_equal(r->replies, 1);
	assert_int_equal(r->reply.status, status);
	if (detail != NULL)
		assert_string_equal(r->detail, detail);
}

#endif
