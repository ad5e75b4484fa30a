/*
 * What a backend was sent of a request's content, held so that another connection or backend can
 * get it. As long as the connection is being made all of it is held; later only while the request
 * may be repeated, or a backend may ask for the length of its content (gather.h).
 */
#ifndef TINYLB_EXCHANGE_REPLAY_H
#define TINYLB_EXCHANGE_REPLAY_H

#include "exchange_parts.h"

/* Nothing was sent yet. */
static inline void replay_init(struct replay *replay)
{
	*replay = (struct replay){ .holding = true };
}

/* Content is about to be sent: holds a copy of it, or drops what is held if that is of no use any
 * more. */
void replay_hold(struct exchange *x, const struct content *content);

/* Whether anything is held. */
static inline bool replay_is_empty(const struct replay *replay)
{
	return replay->sent == NULL && !replay->end;
}

/* Frees what is held: the request will not be sent again. */
void replay_free(struct exchange *x);
static inline void replay_drop(struct exchange *x)
{
	x->request.replay.holding = false;
	if (!replay_is_empty(&x->request.replay))
		replay_free(x);
}

/* Sends what is held, which must be something, to the present stream. 0, or -1 when memory is
 * short. */
int replay_send(struct exchange *x) __attribute__((warn_unused_result));

/* Whether a backend may get the request though another one, or the same, had it already: its method
 * is idempotent (RFC 9110 9.2.2), all of its content is held, and it was not sent on a stream of
 * the client's own. No other stream knows the client's login, and a login under way would fail. */
bool replay_may_repeat(const struct exchange *x);

#endif
