/*
 * A backend that hangs takes requests and does not answer, and whoever waits there would do so
 * until timeouts.response. When the monitor has found it gone, what may be sent again goes to
 * another one, within the retry budget; the rest stays, for it may come back. Nobody wakes a worker
 * for this: as long as requests are in flight it looks now and then whether a state on the board
 * has changed.
 */
#include "config.h"

#include "redispatch.h"

#include "exchange.h"

/* It answers no check, or takes no connections; and somebody else serves. Those that are ejected
 * answer; and one that says in answers to checks that it is down may do so to finish what it has.
 */
static bool is_gone(struct pool *pool, const struct backend *backend)
{
	enum rows_state state;

	if (pool->upstream->rows == NULL || backend->row == ROWS_NONE)
		return false;
	state = rows_health(pool->upstream->rows, backend->row).state;
	if (state != ROWS_SILENT && state != ROWS_REFUSING)
		return false;
	availability_refresh(pool);
	return pool->availability.well_count > 0;
}

static bool waits_in_vain(const struct exchange *x)
{
	return !x->heard && x->upstream != NULL && x->selection.pool != NULL &&
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

/* True: it is to be done again. Some could not go; or went to one that may be gone, too. */
static bool look(struct proxy *p)
{
	struct list *all = &p->wait_bytes.waiting, todo, stay;
	const struct pool *stuck = NULL;
	/* Who is connecting now may come too late for this look. */
	bool again = !list_is_empty(&p->wait_connect.waiting);

	list_init(&todo);
	list_init(&stay);
	move_all(all, &todo);
	/* With the one that goes others may end, and so leave whichever list they are in. */
	while (!list_is_empty(&todo)) {
		struct exchange *x = LIST_ITEM(todo.next, struct exchange, deadline.link);

		list_remove(&x->deadline.link);
		list_append(&stay, &x->deadline.link);
		if (!exchange_may_repeat(x) || !waits_in_vain(x) || x->selection.pool == stuck)
			continue;
		again = true;
		/* What one that has been nowhere else cannot have nobody can. */
		if (!exchange_redispatch(x) && x->selection.tried_count == 1)
			stuck = x->selection.pool;
	}
	move_all(all, &stay); /* these began later */
	move_all(&stay, all);
	return again;
}

void redispatch_look(struct deadline *deadline)
{
	struct proxy *p = LIST_ITEM(deadline, struct proxy, redispatch);
	uint32_t version = p->upstream.rows != NULL ? rows_version(p->upstream.rows) : 0;

	if (version != p->redispatch_version || p->redispatch_again)
		p->redispatch_again = look(p);
	p->redispatch_version = version;
	if (!list_is_empty(&p->wait_bytes.waiting) || !list_is_empty(&p->wait_connect.waiting))
		redispatch_soon(p);
}
