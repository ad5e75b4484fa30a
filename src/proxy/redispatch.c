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

/* Down by its checks, or taking no connections; and somebody else serves. Those that are ejected
 * answer. */
static bool is_gone(struct pool *pool, const struct backend *backend)
{
	enum rows_state state;

	if (pool->proxy->rows == NULL || backend->row == ROWS_NONE)
		return false;
	state = rows_health(pool->proxy->rows, backend->row).state;
	if (state != ROWS_DOWN && state != ROWS_REFUSING)
		return false;
	exchange_look_at_pool(pool);
	return pool->standing.well_count > 0;
}

static bool waits_in_vain(const struct exchange *x)
{
	return !x->heard && x->upstream != NULL && x->pool != NULL &&
	       is_gone(x->pool, exchange_backend(x));
}

/* True: some could not go, and are to be looked at again. */
static bool look(struct proxy *p)
{
	const struct list *all = &p->wait_bytes.waiting;
	const struct list *at = all->next;
	const struct pool *stuck = NULL;

	while (at != all) {
		struct exchange *x = LIST_ITEM(at, struct exchange, deadline.link);

		at = at->next;
		if (!exchange_may_repeat(x) || !waits_in_vain(x) || x->pool == stuck)
			continue;
		if (exchange_redispatch(x))
			at = all->next; /* others may have ended with it */
		else
			stuck = x->pool;
	}
	return stuck != NULL;
}

void redispatch_look(struct deadline *deadline)
{
	struct proxy *p = LIST_ITEM(deadline, struct proxy, redispatch);
	uint32_t version = p->rows != NULL ? rows_version(p->rows) : 0;

	if (version != p->redispatch_version || p->redispatch_again)
		p->redispatch_again = look(p);
	p->redispatch_version = version;
	if (!list_is_empty(&p->wait_bytes.waiting))
		redispatch_soon(p);
}
