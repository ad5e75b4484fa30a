/*
 * What many requests at once needed must not be held for ever: exchanges that were free for a whole
 * second are freed, but for a few.
 */
#include "config.h"

#include "free_list.h"

#include <assert.h>

#include "base/memory.h"

/* Room for most heads with their fields. A larger head makes its exchange grow for its own time. */
#define HEAD_USUAL ((size_t)2048)

/* At most so many are free, and so few are nothing to look at. */
#define FREE_MAX 1024
#define FREE_FEW 16

static struct exchange *take_first(struct exchange_context *context)
{
	struct exchange *x = LIST_ITEM(context->free.next, struct exchange, link);

	list_remove(&x->link);
	context->free_count--;
	if (context->free_count < context->free_least)
		context->free_least = context->free_count;
	return x;
}

struct exchange *free_list_take(struct exchange_context *context)
{
	struct exchange *x;
	char *room;

	if (!list_is_empty(&context->free))
		return take_first(context);
	room = mem_alloc(EXCHANGE_ROOM + sizeof *x);
	if (room == NULL)
		return NULL;
	x = (struct exchange *)(void *)(room + EXCHANGE_ROOM);
	x->context = context;
	x->head_room = NULL;
	x->head_size = 0;
	list_init(&x->link);
	deadline_init(&x->deadline);
	return x;
}

static void free_exchange(struct exchange *x)
{
	mem_free(x->head_room);
	mem_free(exchange_room(x));
}

/* Frees up to `most`, the ones used longest ago first, and returns how many. */
static size_t free_some(struct exchange_context *context, size_t most)
{
	size_t count = 0;

	for (; count < most && !list_is_empty(&context->free); count++) {
		struct exchange *x = LIST_ITEM(context->free.prev, struct exchange, link);

		list_remove(&x->link);
		free_exchange(x);
	}
	context->free_count -= count;
	return count;
}

static void look_soon(struct exchange_context *context)
{
	if (!deadline_is_running(&context->free_look))
		deadline_start(&context->free_look, &context->wait_free, context->loop);
}

void free_list_put(struct exchange *x)
{
	struct exchange_context *context = x->context;

	assert(list_is_empty(&x->link) && !deadline_is_running(&x->deadline));
	if (context->free_count == FREE_MAX) {
		free_exchange(x);
		return;
	}
	context->free_count++;
	if (x->head_size > HEAD_USUAL) {
		mem_free(x->head_room);
		x->head_room = NULL;
		x->head_size = 0;
	}
	list_prepend(&context->free, &x->link);
	if (context->free_count > FREE_FEW)
		look_soon(context);
}

int free_list_make_room(struct exchange *x, size_t size)
{
	char *room;

	if (size <= x->head_size)
		return 0;
	if (size < HEAD_USUAL)
		size = HEAD_USUAL;
	room = mem_resize(x->head_room, size, 1);
	if (room == NULL)
		return -1;
	x->head_room = room;
	x->head_size = size;
	return 0;
}

void free_list_fini(struct exchange_context *context)
{
	(void)free_some(context, SIZE_MAX);
}

void free_list_look(struct deadline *deadline)
{
	struct exchange_context *context = LIST_ITEM(deadline, struct exchange_context, free_look);

	if (context->free_least > FREE_FEW)
		heap_trim_add(context->trim, free_some(context, context->free_least - FREE_FEW));
	context->free_least = context->free_count;
	if (context->free_count > FREE_FEW)
		look_soon(context);
}
