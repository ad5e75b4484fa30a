/* A list of few members: most clients have none, and others one. */
#include "config.h"

#include "upstream/private_streams.h"

#include <assert.h>

#include "upstream/backend.h"
#include "upstream/backend_stream.h"

void private_streams_add(struct private_streams *owner, struct backend_stream *stream)
{
	if (stream->private == owner)
		return;
	assert(stream->private == NULL);
	stream->private = owner;
	stream->next_private = owner->first;
	owner->first = stream;
}

void private_streams_remove(struct backend_stream *stream)
{
	struct backend_stream **at;

	if (stream->private == NULL)
		return;
	at = &stream->private->first;
	while (*at != stream)
		at = &(*at)->next_private;
	*at = stream->next_private;
	stream->private = NULL;
}

struct backend_stream *private_streams_find(
	const struct private_streams *owner, const struct pool *pool)
{
	struct backend_stream *stream = owner->first;

	while (stream != NULL && (stream->owner != NULL || stream->backend->pool != pool))
		stream = stream->next_private;
	return stream;
}

void private_streams_close_all(struct private_streams *owner)
{
	while (owner->first != NULL) {
		struct backend_stream *first = owner->first;

		assert(first->owner == NULL);
		first->ops->discard(first);
		assert(owner->first != first);
	}
}
