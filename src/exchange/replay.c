/* Holds content, without any framing, and sends it again. */
#include "config.h"

#include "replay.h"

#include <assert.h>

#include "base/memory.h"
#include "gather.h"

void replay_free(struct exchange *x)
{
	struct replay *replay = &x->request.replay;

	assert(!replay->holding);
	replay->end = false;
	mem_free(replay->trailers);
	replay->trailers = NULL;
	if (replay->sent == NULL)
		return;
	loop_uncount(x->context->loop, replay->sent);
	evbuffer_free(replay->sent);
	replay->sent = NULL;
}

bool replay_may_repeat(const struct exchange *x)
{
	return !x->attempt.own && x->request.replay.holding &&
	       x->request.content <= CONTENT_HELD_MAX &&
	       method_is_idempotent(x->request.head->method);
}

/* Whether a backend may yet ask for the length of what is sent. Most do not, and then a copy would
 * be in vain. */
static bool may_be_asked_for_length(const struct exchange *x)
{
	const struct backend *backend = selection_backend(&x->selection);

	return (!backend->takes_unknown || backend->refuses_unknown) && gather_may_tell_length(x);
}

/* While the connection is being made the client is paused before it is much. */
static bool may_hold(const struct exchange *x)
{
	return x->attempt.state == ATTEMPT_CONNECTING || x->attempt.gathering ||
	       replay_may_repeat(x) || may_be_asked_for_length(x);
}

static int make_buffer(struct exchange *x)
{
	struct replay *replay = &x->request.replay;

	if (replay->sent != NULL)
		return 0;
	replay->sent = evbuffer_new();
	if (replay->sent == NULL)
		return -1;
	return loop_count(x->context->loop, replay->sent);
}

static int hold_pieces(struct exchange *x, const struct content *content)
{
	if (content->len == 0)
		return 0;
	if (make_buffer(x) == -1)
		return -1;
	for (int i = 0; i < content->count; i++)
		if (evbuffer_add(x->request.replay.sent, content->pieces[i].iov_base,
			    content->pieces[i].iov_len) == -1)
			return -1;
	return 0;
}

static int hold_trailers(struct replay *replay, const struct fields *trailers)
{
	void *room;

	if (trailers == NULL)
		return 0;
	room = mem_alloc(message_fields_size(trailers));
	if (room == NULL)
		return -1;
	replay->trailers = message_copy_fields(room, trailers);
	return 0;
}

void replay_hold(struct exchange *x, const struct content *content)
{
	struct replay *replay = &x->request.replay;

	if (!replay->holding)
		return;
	replay->end |= content->end;
	if (!may_hold(x) || hold_pieces(x, content) == -1 ||
		hold_trailers(replay, content->trailers) == -1)
		replay_drop(x);
}

/* Fills `content` with what is held from `at` on, up to `len`. */
static int peek(const struct replay *replay, size_t at, size_t len, struct content *content)
{
	struct evbuffer_iovec pieces[CONTENT_PIECES];
	struct evbuffer_ptr from;
	int count = 0;

	content_init(content);
	if (at < len) {
		if (evbuffer_ptr_set(replay->sent, &from, at, EVBUFFER_PTR_SET) == -1)
			return -1;
		count = evbuffer_peek(replay->sent, -1, &from, pieces, CONTENT_PIECES);
	}
	for (int i = 0; i < count && i < CONTENT_PIECES; i++)
		content_add(content, pieces[i].iov_base, pieces[i].iov_len);
	content->end = replay->end && at + content->len == len;
	content->trailers = content->end ? replay->trailers : NULL;
	return 0;
}

int replay_send(struct exchange *x)
{
	const struct replay *replay = &x->request.replay;
	struct backend_stream *stream = x->attempt.stream;
	size_t len = replay->sent != NULL ? evbuffer_get_length(replay->sent) : 0;
	struct content content;
	size_t at = 0;

	assert(replay->holding && !replay_is_empty(replay));
	do {
		if (peek(replay, at, len, &content) == -1 ||
			stream->ops->send_content(stream, &content) == -1)
			return -1;
		at += content.len;
	} while (at < len);
	return 0;
}
