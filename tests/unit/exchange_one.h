/* The present request of a scene, and the stream on which its backend has it. */
#ifndef TINYLB_TESTS_EXCHANGE_ONE_H
#define TINYLB_TESTS_EXCHANGE_ONE_H

#include "exchange_scene.h"

static struct memory_request *r;
static struct memory_stream *s;

/* A request comes, and a backend is connected. Starts the scene, unless the test has. */
static inline void begin(const char *head)
{
	if (scene.context.settings == NULL)
		scene_start();
	r = scene_request(head);
	s = stream_last();
	stream_connect(s);
}

/* What was counted of a stream's backend; of the present one's. */
static inline uint64_t counted_at(const struct memory_stream *stream, enum rows_count what)
{
	return atomic_load(&stream->stream.backend->load.cells->counts[what]);
}
static inline uint64_t counted(enum rows_count what)
{
	return counted_at(s, what);
}

#endif
