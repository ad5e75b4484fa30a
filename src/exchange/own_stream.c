/* Brings the requests of a client to the backend, and onto the stream, at which it has logged in.
 */
#include "config.h"

#include "own_stream.h"

static struct backend_stream *find_own(const struct exchange *x)
{
	return private_streams_find(x->private_streams, x->selection.pool);
}

void own_stream_find_backend(struct exchange *x)
{
	const struct backend_stream *own = find_own(x);

	if (own != NULL)
		x->selection.own = (size_t)(own->backend - x->selection.pool->backends);
}

struct backend_stream *own_stream_take_again(struct exchange *x)
{
	struct backend_stream *own = find_own(x);

	/* If the request is tried again, no backend goes first. */
	x->selection.own = PICKER_NONE;
	if (own == NULL)
		return NULL;
	if (own->backend != selection_backend(&x->selection)) {
		own->ops->discard(own);
		return NULL;
	}
	return own->ops->take_private(own, x) ? own : NULL;
}
