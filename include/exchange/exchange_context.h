/* What all exchanges of one worker share. */
#ifndef TINYLB_EXCHANGE_EXCHANGE_CONTEXT_H
#define TINYLB_EXCHANGE_EXCHANGE_CONTEXT_H

#include "board/board.h"
#include "exchange/access_log.h"
#include "exchange/request_ids.h"
#include "net/deadline.h"
#include "net/heap_trim.h"
#include "upstream/upstream_context.h"

struct route_table;

struct exchange_context {
	/* settings; all borrowed */
	struct loop *loop;
	const struct settings *settings;
	struct upstream_context *upstream;
	struct heap_trim *trim;
	struct board_place *place; /* where to count; NULL: nowhere */
	char *scratch;             /* HEAD_OUT_SIZE bytes, for the callback that is running */
	/* runtime */
	struct route_table **routes; /* owned; one for each listener; NULL: it has none */
	char **loop_tokens;    /* loop_token.c: owned; for each listener; NULL: there is no board */
	uint64_t loop_said_us; /* when the log was told of a loop */
	struct access_log log;
	struct request_ids ids;
	/* exchanges to be used again: free_list.c */
	struct list free;
	size_t free_count;
	size_t free_least; /* so many were free all the time since the last look */
	struct deadline free_look;
	/* redispatch.c */
	struct deadline redispatch;
	uint32_t redispatch_version; /* of the board's health words, at the last look */
	bool redispatch_again;       /* some requests could not go at the last look */
	/* deadlines of exchanges, by what they wait for */
	struct deadline_queue wait_connect;
	struct deadline_queue wait_bytes; /* of an exchange, either way */
	struct deadline_queue wait_tunnel;
	/* of the looks */
	struct deadline_queue wait_free;
	struct deadline_queue wait_redispatch;
};

#endif
