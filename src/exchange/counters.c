/*
 * Counts what happens, for processes that look at the worker from outside. All of it is on the
 * worker's own place of the board, where no other process writes: a count costs a load and a store.
 */
#include "config.h"

#include "exchange/counters.h"

void counters_accept(struct board_place *place, size_t count)
{
	if (place == NULL)
		return;
	board_set(&place->clients, count);
	board_count(&place->cells.counts[BOARD_ACCEPTED]);
}

void counters_leave(struct board_place *place, size_t count)
{
	if (place != NULL)
		board_set(&place->clients, count);
}

void counters_connect_error(struct board_place *place)
{
	if (place != NULL)
		board_count(&place->cells.counts[BOARD_CONNECT_ERRORS]);
}

static void count_fault(struct board_cells *cells, enum reason reason)
{
	switch (reason) {
	case REASON_BAD_REQUEST:
	case REASON_CLIENT_LIMIT:
	case REASON_HEAD_TIMEOUT:
	case REASON_CLIENT_CLOSED:
	case REASON_CLIENT_TIMEOUT:
		board_count(&cells->counts[BOARD_CLIENT_ERRORS]);
		break;
	case REASON_CONNECT_FAILED:
	case REASON_CONNECT_TIMEOUT:
	case REASON_BACKEND_CLOSED:
	case REASON_BACKEND_TIMEOUT:
	case REASON_BAD_RESPONSE:
	case REASON_TRUNCATED:
		board_count(&cells->counts[BOARD_BACKEND_ERRORS]);
		break;
	case REASON_DONE:
	case REASON_ANSWERED_HERE:
	case REASON_UPGRADED:
	case REASON_REQUEST_CUT:
	case REASON_NO_ROOM:
	case REASON_NO_ROUTE:
	case REASON_LOOP:
	case REASON_NO_BACKEND:
	case REASON_QUEUE_FULL:
	case REASON_QUEUE_TIMEOUT:
	case REASON_TUNNEL_TIMEOUT:
	case REASON_BUFFERS_FULL:
	case REASON_NO_MEMORY:
	case REASON_STOPPED:
	case REASON_COUNT:
		break;
	}
}

static void count_request(struct board_cells *cells, const struct record *record, uint64_t now_us)
{
	uint64_t answered_us = record->answered_us != 0 ? record->answered_us : now_us;
	/* What no class has a name for is a failure of the backend's: 999 of some sites. */
	unsigned class = (unsigned)(record->status < 600 ? record->status : 599) / 100 - 1;

	board_count(&cells->counts[BOARD_REQUESTS]);
	if (class < 5)
		board_count(&cells->counts[BOARD_1XX + class]);
	board_count(&cells->latency[board_latency_bucket(answered_us - record->start_us)]);
	if (record->reason != REASON_DONE)
		count_fault(cells, record->reason);
}

void counters_request(struct exchange_context *context, const struct record *record)
{
	uint64_t now_us = context->loop->now_us;

	if (context->place != NULL)
		count_request(&context->place->cells, record, now_us);
	access_log_write(&context->log, record, now_us);
}
