/*
 * Exchanges between clients and backends in memory, with real settings, pools and queues, a clock
 * that the test turns, and the records that were written. No socket.
 */
#ifndef TINYLB_TESTS_EXCHANGE_SCENE_H
#define TINYLB_TESTS_EXCHANGE_SCENE_H

#include "base/memory.h"
#include "exchange/attempt.h"
#include "exchange/counters.h"
#include "exchange/exchange_setup.h"
#include "memory_downstream.h"

#define SCENE_RECORDS  32
#define SCENE_RESPONSE UINT64_C(20000) /* milliseconds */
#define SCENE_CONNECT  UINT64_C(3000)
#define SCENE_TUNNEL   UINT64_C(60000)

static struct {
	uint64_t now_us;
	struct exchange_context context;
	struct heap_trim trim;
	struct listener_settings listeners[2];
	struct exchange_start start; /* of the next request */
	struct private_streams private_streams;
	struct board_place place;
	struct record records[SCENE_RECORDS];
	char lines[SCENE_RECORDS][64];
	char ids[SCENE_RECORDS][64];
	size_t count;
} scene;

uint64_t __wrap_clock_us(void);
uint64_t __wrap_clock_us(void)
{
	return scene.now_us;
}

static inline struct slice scene_keep(char out[64], struct slice s)
{
	size_t len = s.len < 63 ? s.len : 63;

	if (len > 0)
		memcpy(out, s.data, len);
	out[len] = '\0';
	return slice_of(out, len);
}

void __real_counters_request(struct exchange_context *context, const struct record *record);
void __wrap_counters_request(struct exchange_context *context, const struct record *record);
void __wrap_counters_request(struct exchange_context *context, const struct record *record)
{
	struct record *copy = &scene.records[scene.count];

	assert_true(scene.count < SCENE_RECORDS);
	*copy = *record;
	copy->line = scene_keep(scene.lines[scene.count], record->line);
	copy->id.text = scene_keep(scene.ids[scene.count], record->id.text);
	scene.count++;
	__real_counters_request(context, record);
}

/* For cmocka: before each test. The test may change settings, and then has to call scene_start. */
static inline int scene_begin(void **state)
{
	static char first[] = "127.0.0.1:1", second[] = "127.0.0.1:2";

	memset(&scene, 0, sizeof scene);
	memset(&upstream_memory, 0, sizeof upstream_memory);
	memset(&downstream_memory, 0, sizeof downstream_memory);
	if (pools_begin(state) == -1)
		return -1;
	scene.listeners[0].address_text = first;
	scene.listeners[1].address_text = second;
	scene.now_us = POOLS_BEGIN_US;
	if (loop_init(&w.loop) == -1)
		return -1;
	heap_trim_init(&scene.trim, &w.loop);
	w.app.balance = BALANCE_ROUND_ROBIN;
	w.app.retry = (struct retry_settings){ .attempts = 3, .budget = 100, .budget_rate = 100 };
	w.settings.timeouts = (struct timeout_settings){ .connect = SCENE_CONNECT,
		.response = SCENE_RESPONSE,
		.tunnel = SCENE_TUNNEL,
		.queue = 5000 };
	w.settings.listeners = scene.listeners;
	w.settings.listener_count = 2;
	scene.listeners[1].pool = LISTENER_NO_POOL;
	w.upstream.ops = &memory_upstream_ops;
	w.upstream.trim = &scene.trim;
	scene.start.private_streams = &scene.private_streams;
	scene.start.client_ip = slice_of_string("192.0.2.1");
	scene.start.client_name = escape_known(slice_of_string("192.0.2.1:4711"));
	return 0;
}

static inline void scene_start(void)
{
	pools_start();
	assert_int_equal(queue_make_tick(&w.upstream), 0);
	scene.context = (struct exchange_context){ .loop = &w.loop,
		.settings = &w.settings,
		.upstream = &w.upstream,
		.trim = &scene.trim,
		.place = &scene.place,
		.scratch = malloc(HEAD_OUT_SIZE) };
	assert_int_equal(exchange_setup_init(&scene.context, -1), 0);
}

/* No exchange is left: they have given back all that they had, once. */
static inline void scene_check(void)
{
	for (size_t i = 0; i < upstream_memory.count; i++)
		assert_int_equal(upstream_memory.streams[i].ends, 1);
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		assert_int_equal(pools_own(ROWS_IN_FLIGHT, i), 0);
	assert_int_equal(atomic_load(&pools_cells(POOLS_OWN)->queued), 0);
	assert_int_equal(atomic_load(&pools_cells(POOLS_OWN)->in_flight), 0);
	assert_int_equal(downstream_memory.connection.open, 0);
	assert_int_equal(w.loop.buffered, 0);
	if (scene.context.settings == NULL)
		return;
	assert_true(list_is_empty(&scene.context.wait_connect.waiting));
	assert_true(list_is_empty(&scene.context.wait_bytes.waiting));
	assert_true(list_is_empty(&scene.context.wait_tunnel.waiting));
}

/* For cmocka: after each test. Exchanges that are left are stopped. */
static inline int scene_end(void **state)
{
	mem_fail_after(-1);
	for (size_t i = 0; i < downstream_memory.count; i++)
		if (downstream_memory.requests[i].x != NULL)
			exchange_stop(downstream_memory.requests[i].x);
	scene_check();
	if (scene.context.settings != NULL) {
		exchange_setup_fini(&scene.context);
		queue_stop_ticks(&w.upstream);
		free(scene.context.scratch);
	}
	heap_trim_fini(&scene.trim);
	loop_fini(&w.loop);
	return pools_end(state);
}

/* So many milliseconds go by; what is due then happens. */
static inline void scene_pass(uint64_t ms)
{
	scene.now_us += ms * 1000;
	w.loop.now_us = scene.now_us;
	if (w.loop.ticking)
		event_active(&w.loop.tick, EV_TIMEOUT, 1);
	if (w.upstream.queue_ticks)
		event_active(&w.upstream.queue_tick, EV_TIMEOUT, 1);
	(void)loop_turn(&w.loop, false);
	w.loop.now_us = scene.now_us;
}

/* A client sends this request. */
static inline struct memory_request *scene_request(const char *head)
{
	struct memory_request *r = request_new();

	scene.start.start_us = w.loop.now_us;
	assert_int_equal(request_send(r, &scene.context, head, scene.start), 0);
	return r;
}

/* All requests go to this backend alone. */
static inline void scene_only(size_t backend)
{
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		w.backends[i].weight = i == backend;
}

/* A backend gets this many addresses. Before scene_start. */
static inline void scene_addresses(size_t backend, unsigned count)
{
	static const struct address list[MEMORY_ADDRESSES];
	struct backend_settings *b = &w.backends[backend];

	free(b->addresses);
	b->addresses = calloc(1, addresses_size(count, true));
	addresses_write(b->addresses, count, list, count);
}

/* The record that was written last: of how many in all. */
static inline const struct record *assert_record(
	size_t count, int status, enum reason reason, unsigned tries)
{
	const struct record *r = &scene.records[count - 1];

	assert_int_equal(scene.count, count);
	assert_string_equal(reason_name(r->reason), reason_name(reason));
	assert_int_equal(r->status, status);
	assert_int_equal(r->tries, tries);
	return r;
}

static inline void assert_slice(struct slice s, const char *text)
{
	assert_int_equal(s.len, strlen(text));
	assert_memory_equal(s.data, text, s.len);
}

#endif
