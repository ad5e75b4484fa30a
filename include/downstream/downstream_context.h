/* What the clients of one worker share. */
#ifndef TINYLB_DOWNSTREAM_DOWNSTREAM_CONTEXT_H
#define TINYLB_DOWNSTREAM_DOWNSTREAM_CONTEXT_H

#include "base/cells.h"
#include "exchange/exchange_context.h"
#include "http/request.h"

/* How many connections each client address has with this worker: connections_per_client.h. Zeroed,
 * there are none. */
struct sources {
	void *tree; /* tsearch(3)'s */
};

struct downstream_context {
	/* settings; all borrowed */
	struct loop *loop;
	const struct settings *settings;
	struct exchange_context *exchange;
	struct heap_trim *trim;
	struct board_place *place; /* where to count; NULL: nowhere */
	struct head_limits limits; /* of requests */
	char *head_out;            /* HEAD_OUT_SIZE bytes for the head that is being written */
	void (*left)(void *left_context); /* called when a client is gone */
	void *left_context;
	/* runtime */
	bool close_after_response; /* responses end their connections */
	size_t client_count;
	size_t linger_count; /* of these, in wait_close and wait_part */
	struct list busy; /* clients with an exchange; the others are in the queue they wait in */
	struct sources sources;
	struct cells clients;
	/* deadlines of clients, by what they wait for */
	struct deadline_queue wait_head;    /* the rest of a head */
	struct deadline_queue wait_request; /* the next request */
	struct deadline_queue wait_watch;   /* an exchange that may be over before it is watched */
	struct deadline_queue wait_flush;   /* the client takes the rest of a response */
	struct deadline_queue wait_close;   /* a lingering client closes */
	struct deadline_queue wait_part; /* the same of one that was dismissed between requests */
	/* scratch, for the callback that is running */
	struct request request;
	struct fields trailers;
};

#endif
