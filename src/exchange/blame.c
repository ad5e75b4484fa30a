/* Judges by the bytes that wait for either side, and by how long the client held the backend up. */
#include "config.h"

#include "blame.h"

#include <assert.h>

#include "upstream/load.h"

/* A backend that gives up on a slow client has waited for longer than this. */
#define HELD_UP_US UINT64_C(1000000)

bool blame_request_is_owed(const struct exchange *x)
{
	const struct backend_stream *stream = x->attempt.stream;

	assert(stream != NULL);
	return !x->request.done && stream->ops->unsent(stream) == 0;
}

bool blame_response_is_held_up(const struct exchange *x)
{
	return x->downstream.ops->unsent(x->downstream.context) > 0 ||
	       x->response.held_up_us >= HELD_UP_US;
}

void blame_backend_closed(struct exchange *x)
{
	if (x->attempt.cut_counted || blame_request_is_owed(x))
		return;
	x->attempt.cut_counted = true;
	load_failed(&x->selection, ROWS_CUT);
}
