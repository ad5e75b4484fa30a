/*
 * Memory of exchanges. One that is over is used again, with the room for its head: a keep-alive
 * request allocates nothing.
 */
#include "config.h"

#include "base/memory.h"
#include "exchange.h"
#include "tidy.h"

/* Room for most heads; a larger one makes its exchange grow, and it stays that large. */
#define HEAD_USUAL ((size_t)1024)

/* So many are kept. */
#define SPARE_MAX 1024

struct exchange *exchange_take_spare(struct proxy *proxy)
{
	struct exchange *x;

	if (list_is_empty(&proxy->spare))
		return mem_zalloc(1, sizeof *x);
	x = LIST_ITEM(proxy->spare.next, struct exchange, link);
	list_remove(&x->link);
	proxy->spare_count--;
	if (proxy->spare_count < proxy->spare_least)
		proxy->spare_least = proxy->spare_count;
	return x;
}

static void free_exchange(struct exchange *x)
{
	mem_free(x->head);
	mem_free(x);
}

size_t exchange_free_spare(struct proxy *proxy, size_t most)
{
	size_t count = 0;

	/* Those used last are warm. */
	for (; count < most && !list_is_empty(&proxy->spare); count++) {
		struct exchange *x = LIST_ITEM(proxy->spare.prev, struct exchange, link);

		list_remove(&x->link);
		free_exchange(x);
	}
	proxy->spare_count -= count;
	return count;
}

/* What many requests at once needed is given back, and so is an unusual head's room: neither must
 * cost for ever. */
void exchange_make_spare(struct exchange *x)
{
	if (x->proxy->spare_count == SPARE_MAX) {
		free_exchange(x);
		return;
	}
	x->proxy->spare_count++;
	if (x->head_size > HEAD_USUAL) {
		mem_free(x->head);
		x->head = NULL;
		x->head_size = 0;
	}
	list_prepend(&x->proxy->spare, &x->link);
	if (x->proxy->spare_count > TIDY_SPARE)
		tidy_soon(x->proxy);
}

int exchange_copy_head(struct exchange *x, const char *head, size_t len)
{
	if (len > x->head_size) {
		size_t size = len > HEAD_USUAL ? len : HEAD_USUAL;
		char *room = mem_resize(x->head, size, 1);

		if (room == NULL)
			return -1;
		x->head = room;
		x->head_size = size;
	}
	memcpy(x->head, head, len);
	x->head_len = len;
	return 0;
}
