/*
 * Memory of exchanges. One that is over is used again, with the room for its head: a request on a
 * kept connection allocates nothing.
 */
#ifndef TINYLB_EXCHANGE_FREE_LIST_H
#define TINYLB_EXCHANGE_FREE_LIST_H

#include "exchange_parts.h"

/* A free exchange or a new one: no member has a meaning but context, head_room and head_size. NULL
 * when memory is short. */
struct exchange *free_list_take(struct exchange_context *context)
	__attribute__((warn_unused_result));
void free_list_put(struct exchange *x);

/* Room for `size` bytes in x->head_room. 0, or -1 when memory is short. */
int free_list_make_room(struct exchange *x, size_t size) __attribute__((warn_unused_result));

/* Frees all of them. */
void free_list_fini(struct exchange_context *context);

/* For the queue of looks. */
void free_list_look(struct deadline *deadline);

#endif
