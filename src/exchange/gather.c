/*
 * Decides whether the content of a request is gathered before the request goes out, and makes it a
 * request of known length. Content is gathered only where a backend has shown that it must be: a
 * client may send a part, and wait for the response to that before it sends more. So a 411 counts
 * for the request that it answers, and not for others to the same backend.
 */
#include "config.h"

#include "gather.h"

#include <assert.h>

static bool is_wanted(const struct exchange *x)
{
	return x->attempt.length_asked || selection_backend(&x->selection)->wants_length;
}

bool gather_may_tell_length(const struct exchange *x)
{
	return gather_concerns(x) && x->request.replay.holding &&
	       x->request.content <= CONTENT_HELD_MAX;
}

bool gather_is_due(const struct exchange *x)
{
	return !x->request.done && gather_may_tell_length(x) && is_wanted(x);
}

/* RFC 9110 10.1.1: a proxy may say 100 itself for a server of HTTP/1.0. A backend that gets head
 * and content together has nothing to say it to. */
static enum downstream_result invite(struct exchange *x)
{
	struct response head;

	head.minor = 1;
	head.status = 100;
	head.reason = slice_of_string("Continue");
	head.body = (struct body){ .kind = BODY_NONE };
	head.keep_alive = true;
	head.upgrade = slice_of(NULL, 0);
	fields_init(&head.fields);
	return x->downstream.ops->send_interim(x->downstream.context, &head, NULL);
}

int gather_begin(struct exchange *x)
{
	struct request *head = x->request.head;
	bool waits = head->expect_continue && x->request.content == 0 && !x->request.more;

	assert(gather_is_due(x) && !x->attempt.gathering);
	x->attempt.gathering = true;
	x->request.more = false;
	if (!waits)
		return 0;
	head->expect_continue = false; /* it is answered */
	return invite(x) == DOWNSTREAM_SENT ? 0 : -1;
}

bool gather_goes_on(const struct exchange *x)
{
	assert(x->attempt.gathering);
	return !x->request.done && gather_may_tell_length(x);
}

void gather_settle(struct exchange *x)
{
	struct request *head = x->request.head;

	if (!x->request.done || !gather_may_tell_length(x) || !is_wanted(x))
		return;
	head->body = (struct body){ .kind = BODY_LENGTH, .length = x->request.content };
	head->expect_continue = false;
}

void gather_learn(struct exchange *x, int status)
{
	struct backend *backend = selection_backend(&x->selection);

	assert(gather_concerns(x));
	if (status == 411)
		backend->refuses_unknown = true;
	else if (status < 400)
		backend->takes_unknown = true;
}
