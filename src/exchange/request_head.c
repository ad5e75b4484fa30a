/* Keeps the head of a request: it is parsed once, and sent as often as need be. */
#include "config.h"

#include "request_head.h"

#include <stdalign.h>

#include "free_list.h"

static size_t aligned(size_t len)
{
	return (len + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

int request_head_copy(struct exchange *x, const struct request *request, const char *head)
{
	size_t text = aligned(request->head_len);

	if (free_list_make_room(x, text + message_request_size(request)) == -1)
		return -1;
	memcpy(x->head_room, head, request->head_len);
	x->request.head = message_copy_request(x->head_room + text, request, head, x->head_room);
	return 0;
}

struct escaped request_head_id(struct exchange *x, bool trusted)
{
	const struct field *given = NULL;

	if (trusted)
		given = fields_find(&x->request.head->fields, FIELD_X_REQUEST_ID);
	if (given != NULL && request_id_is_fine(given->value))
		return escape_known(given->value);
	return escape_known(request_id_make(&x->context->ids, x->request.id));
}
