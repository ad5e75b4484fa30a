/*
 * Looks once a second, while objects are being freed, whether fewer go than before. malloc_trim(3)
 * walks through the whole heap, so it runs in quiet seconds only.
 */
#include "config.h"

#include "net/heap_trim.h"

#include <malloc.h>

#define LOOK_MS 1000

/* Fewer freed objects leave too little behind to trim for. */
#define FREED_MANY 256

/* Quiet: fewer than 1/8 of the recent frees were in the last second. Under a steady load that is so
 * every nine seconds. */
static bool is_quiet(const struct heap_trim *trim)
{
	return trim->freed < trim->freed_before / 8;
}

static void look_again(struct heap_trim *trim)
{
	if (!deadline_is_running(&trim->look))
		deadline_start(&trim->look, &trim->queue, trim->loop);
}

static void look(struct deadline *deadline)
{
	struct heap_trim *trim = LIST_ITEM(deadline, struct heap_trim, look);

	trim->freed_before += trim->freed;
	if (trim->freed_before >= FREED_MANY && is_quiet(trim)) {
		(void)malloc_trim(0);
		trim->freed_before = 0;
	}
	trim->freed = 0;
	if (trim->freed_before >= FREED_MANY)
		look_again(trim);
}

void heap_trim_init(struct heap_trim *trim, struct loop *loop)
{
	*trim = (struct heap_trim){ .loop = loop };
	deadline_init(&trim->look);
	deadline_queue_init(&trim->queue, loop, LOOK_MS, look);
}

void heap_trim_fini(struct heap_trim *trim)
{
	deadline_stop(&trim->look);
	deadline_queue_fini(&trim->queue);
}

void heap_trim_add(struct heap_trim *trim, size_t count)
{
	trim->freed_before += count;
	if (trim->freed_before >= FREED_MANY)
		look_again(trim);
}
