/*
 * A backend that hangs takes requests and does not answer: each would wait there for
 * timeouts.response. When the monitor has found the backend gone, requests that may be repeated go
 * to another one, within the retry budget. The others stay, for the backend may come back. No
 * process wakes a worker for this: as long as requests are in flight it looks now and then whether
 * a state on the board has changed.
 */
#include "config.h"

#include "redispatch.h"

#include "attempt.h"
#include "redispatch_soon.h"
#include "replay.h"
#include "upstream/availability.h"

/* Gone: it answers no check, or takes no connections, and another backend serves. One that is
 * ejected answers. One that says in its checks that it is down may do so to finish what it has. */
static bool is_gone(struct pool *pool, const struct backend *backend)
{
	const struct rows *rows = pool->upstream->rows;
	enum rows_state state;

	if (rows == NULL || backend->row == ROWS_NONE)
		return false;
	state = rows_health(rows, backend->row).state;
	if (state != ROWS_SILENT && state != ROWS_REFUSING)
		return false;
	availability_refresh(pool);
	return pool->availability.well_count > 0;
}

static bool waits_in_vain(const struct exchange *x)
{
	return x->attempt.stream != NULL && x->attempt.state != ATTEMPT_HEARD &&
	       x->selection.pool != NULL &&
	       is_gone(x->selection.pool, selection_backend(&x->selection));
}

static void move_all(struct list *from, struct list *to)
{
	while (!list_is_empty(from)) {
		struct list *first = from->next;

		list_remove(first);
		list_append(to, first);
	}
}

/* True: look again next time. Some requests could not go, or went to a backend that may be gone,
 * too. */
static bool look(struct exchange_context *context)
{
	struct list *all = &context->wait_bytes.waiting, todo, stay;
	const struct pool *stuck = NULL;
	/* Requests that are connecting now may be sent after this look. */
	bool again = !list_is_empty(&context->wait_connect.waiting);

	list_init(&todo);
	list_init(&stay);
	move_all(all, &todo);
	/* The one that goes, and others, may end over it, and so leave whichever list they are in.
	 */
	while (!list_is_empty(&todo)) {
		struct exchange *x = LIST_ITEM(todo.next, struct exchange, deadline.link);

		list_remove(&x->deadline.link);
		list_append(&stay, &x->deadline.link);
		if (!replay_may_repeat(x) || !waits_in_vain(x) || x->selection.pool == stuck)
			continue;
		again = true;
		/* If a first attempt finds no other backend, no other request will: skip the pool.
		 */
		if (!attempt_redispatch(x) && x->selection.tried_count == 1)
			stuck = x->selection.pool;
	}
	move_all(all, &stay); /* these began later */
	move_all(&stay, all);
	return again;
}

void redispatch_look(struct deadline *deadline)
{
	struct exchange_context *context = LIST_ITEM(deadline, struct exchange_context, redispatch);
	const struct rows *rows = context->upstream->rows;
	uint32_t version = rows != NULL ? rows_version(rows) : 0;

	if (version != context->redispatch_version || context->redispatch_again)
		context->redispatch_again = look(context);
	context->redispatch_version = version;
	if (!list_is_empty(&context->wait_bytes.waiting) ||
		!list_is_empty(&context->wait_connect.waiting))
		redispatch_soon(context);
}
