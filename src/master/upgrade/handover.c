/* The lists of a hand-over. Their records are in handover_record.c. */
#include "config.h"

#include "handover.h"

#include <assert.h>

#include "base/memory.h"

void *handover_make(struct handover_list *list, size_t count, size_t size)
{
	assert(list->items == NULL && size > 0);
	list->items = mem_zalloc(count + 1, size);
	list->count = 0;
	if (list->items != NULL)
		list->count = count;
	return list->items;
}

void handover_fini(struct handover *h)
{
	mem_free(h->self.items);
	mem_free(h->program.items);
	mem_free(h->pid_file.items);
	mem_free(h->generations.items);
	mem_free(h->slots.items);
	mem_free(h->inboxes.items);
	mem_free(h->addresses.items);
	mem_free(h->children.items);
	mem_free(h->sockets.items);
	*h = (struct handover){ 0 };
}
