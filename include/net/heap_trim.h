/*
 * Gives memory of the heap back to the kernel when a rush is over. Code that frees connections and
 * other objects of a request's path counts them here.
 */
#ifndef TINYLB_NET_HEAP_TRIM_H
#define TINYLB_NET_HEAP_TRIM_H

#include <stddef.h>

#include "net/deadline.h"

struct heap_trim {
	struct loop *loop; /* borrowed */
	struct deadline_queue queue;
	struct deadline look;
	size_t freed;        /* objects since the last look */
	size_t freed_before; /* objects before that, since the heap was trimmed last */
};

void heap_trim_init(struct heap_trim *trim, struct loop *loop);
void heap_trim_fini(struct heap_trim *trim);

/* `count` spare objects were freed: that does not show how busy the process is. */
void heap_trim_add(struct heap_trim *trim, size_t count);

/* An object was freed: a look is due a second from now. */
static inline void heap_trim_note(struct heap_trim *trim)
{
	trim->freed++;
	if (!deadline_is_running(&trim->look))
		deadline_start(&trim->look, &trim->queue, trim->loop);
}

#endif
