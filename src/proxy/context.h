/* What all parts of one worker's proxy share. */
#ifndef TINYLB_PROXY_CONTEXT_H
#define TINYLB_PROXY_CONTEXT_H

#include "access_log.h"
#include "base/cells.h"
#include "board/board.h"
#include "connections_per_client.h"
#include "http/request.h"
#include "http/response.h"
#include "net/deadline.h"
#include "net/loop.h"
#include "proxy/proxy.h"
#include "request_id.h"
#include "upstream/upstream_context.h"

/* A head that goes on is longer than it came by what is added to it. */
#define HEAD_OUT_SIZE ((size_t)80 * 1024)

struct proxy {
	/* settings */
	struct loop *loop;
	const struct settings *settings;
	struct head_limits limits;
	struct board_place *place; /* NULL: nobody counts */
	struct upstream_context upstream;
	struct heap_trim trim;
	void (*left)(void *context);
	void *context;
	/* runtime */
	struct request_ids ids;
	struct routes **routes; /* one per listener; NULL: it has none */
	struct access_log log;
	bool close_after_response; /* answers end their connections */
	size_t client_count;
	size_t most_clients;
	size_t linger_count; /* of these, in wait_close and wait_part */
	struct list busy; /* clients that an exchange has; others are in the queue they wait in */
	struct sources sources;
	struct cells client_cells;
	struct list spare; /* exchanges to be used again */
	size_t spare_count;
	size_t spare_least;   /* there were so many all the time since tidy_look looked last */
	struct deadline tidy; /* it looks again then */
	struct deadline redispatch;  /* likewise redispatch_look */
	uint32_t redispatch_version; /* of the board's health words, when it looked */
	bool redispatch_again;       /* some could not go then */
	uint64_t overload_us;        /* overload_look looks again at this time */
	uint64_t overload_said_us;   /* and says so */
	/* deadlines, by what they wait for */
	struct deadline_queue wait_head;
	struct deadline_queue wait_request; /* an idle client's next */
	struct deadline_queue wait_watch;   /* a busy client's that is not watched yet */
	struct deadline_queue wait_flush;
	struct deadline_queue wait_close; /* a lingering client's end */
	struct deadline_queue wait_part;  /* that of one that was sent away */
	struct deadline_queue wait_connect;
	struct deadline_queue wait_bytes; /* of an exchange, either way */
	struct deadline_queue wait_tunnel;
	struct deadline_queue wait_tidy;
	struct deadline_queue wait_redispatch;
	/* scratch, for the callback that is running */
	struct request request;
	struct response response;
	struct fields trailers;
	char head_out[HEAD_OUT_SIZE];
};

#endif
