/* What all code that deals with backends shares in one worker. */
#ifndef TINYLB_UPSTREAM_UPSTREAM_CONTEXT_H
#define TINYLB_UPSTREAM_UPSTREAM_CONTEXT_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cells.h"
#include "base/rng.h"
#include "board/rows.h"
#include "http/response.h"
#include "net/deadline.h"
#include "net/heap_trim.h"
#include "net/loop.h"
#include "settings/settings.h"

/* A head that goes on is longer than it came by what is added to it. */
#define HEAD_OUT_SIZE ((size_t)80 * 1024)

struct pool;
struct selection_events;
struct upstream_events;
struct upstream_ops;

struct upstream_context {
	/* settings; all borrowed */
	struct loop *loop;
	const struct settings *settings;
	struct rows *rows; /* NULL: nothing is known of backends but what this worker sees */
	uint32_t column;   /* of this worker, in `rows` */
	uint32_t workers;  /* of this generation; 0: not known */
	struct heap_trim *trim;
	const struct upstream_ops *ops;                  /* of all backends */
	const struct upstream_events *stream_events;     /* for the owners of streams */
	const struct selection_events *selection_events; /* for requests that wait in a queue */
	struct head_limits limits;                       /* of responses */
	char *head_out; /* HEAD_OUT_SIZE bytes for the head that is being written */
	/* runtime */
	struct rng rng;                   /* for picks */
	struct pool *pools;               /* owned; one for each pool of the settings */
	bool draining;                    /* connections are not kept for another request */
	struct cells connections;         /* of struct http1_connection */
	struct deadline_queue wait_reuse; /* of idle connections */
	struct list
		private_idle;    /* idle connections that are private, the one used last in front */
	struct event queue_tick; /* queue.c */
	bool queue_ticks;
	/* scratch, for the callback that is running */
	struct response response;
	struct fields trailers;
};

#endif
