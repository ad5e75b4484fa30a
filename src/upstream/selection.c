/* Where a choice begins and ends. */
#include "config.h"

#include "upstream/selection.h"

#include <assert.h>

#include "upstream/load.h"
#include "upstream/queue.h"

void selection_init(struct selection *s, struct pool *pool, struct request *request,
	struct slice client_ip, bool trusted)
{
	list_init(&s->link);
	s->pool = pool;
	s->request = request;
	s->client_ip = client_ip;
	s->queued_us = 0;
	s->picked_us = 0;
	s->backend = PICKER_NONE;
	s->session = PICKER_NONE;
	s->tried_count = 0;
	s->trusted = trusted;
	s->counted = s->bound = s->unbound = s->secure = false;
}

void selection_end(struct selection *s)
{
	assert(!s->counted || s->backend != PICKER_NONE);
	if (!s->counted) {
		queue_leave(s);
		return;
	}
	load_release(s);
	if (!queue_is_empty(&s->pool->queue))
		queue_look_soon(s->pool);
}
