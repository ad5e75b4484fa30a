/*
 * A pool is set up whole or not at all, and taken down without a rest; and what a worker keeps of
 * each backend. Every block from the heap has a fence behind it here, and is counted.
 */
#include "config.h"

#include "upstream/pool_setup.h"

#include "base/memory.h"
#include "pools.h"
#include "said_warnx.h"
#include "upstream/backend_stream.h"

static struct pool *const pool = &w.pools[0];

#define HEAD  (2 * sizeof(size_t))
#define FENCE 64

static long blocks;      /* that are not freed */
static long allocations; /* so far */

static void *fenced(char *block, size_t size)
{
	if (block == NULL)
		return NULL;
	blocks++;
	allocations++;
	memcpy(block, &size, sizeof size);
	memset(block + HEAD + size, 0x5a, FENCE);
	return block + HEAD;
}

void *__real_mem_zalloc(size_t count, size_t size);
void *__wrap_mem_zalloc(size_t count, size_t size);
void *__wrap_mem_zalloc(size_t count, size_t size)
{
	return fenced(__real_mem_zalloc(1, HEAD + count * size + FENCE), count * size);
}

void *__real_mem_alloc(size_t size);
void *__wrap_mem_alloc(size_t size);
void *__wrap_mem_alloc(size_t size)
{
	return fenced(__real_mem_alloc(HEAD + size + FENCE), size);
}

void __real_mem_free(void *block);
void __wrap_mem_free(void *block);
void __wrap_mem_free(void *block)
{
	char *whole;
	size_t size;

	if (block == NULL)
		return;
	whole = (char *)block - HEAD;
	memcpy(&size, whole, sizeof size);
	for (size_t i = 0; i < FENCE; i++)
		assert_int_equal(((char *)block)[size + i], 0x5a);
	blocks--;
	__real_mem_free(whole);
}

/* The tick of the queues. */
static int tick_result;
static unsigned ticks_made, ticks_stopped;
int __wrap_event_assign(struct event *event, struct event_base *base, evutil_socket_t fd,
	short what, event_callback_fn call, void *argument);
int __wrap_event_assign(struct event *event, struct event_base *base, evutil_socket_t fd,
	short what, event_callback_fn call, void *argument)
{
	(void)base;
	(void)fd;
	(void)what;
	(void)call;
	(void)argument;
	assert_ptr_equal(event, &w.upstream.queue_tick);
	ticks_made++;
	return tick_result;
}

int __wrap_event_del(struct event *event);
int __wrap_event_del(struct event *event)
{
	assert_ptr_equal(event, &w.upstream.queue_tick);
	ticks_stopped++;
	return 0;
}

static int begin(void **state)
{
	int result = pools_begin(state);

	said_count = 0;
	blocks = 0;
	tick_result = 0;
	ticks_made = ticks_stopped = 0;
	return result;
}

static void clear(void)
{
	pool_setup_fini_one(pool);
	w.pools[0] = (struct pool){ 0 };
}

/* --- the settings --- */

/* A URL is logged as it is, and as one field whatever is in it. */
static void test_the_name_in_the_log(void **state)
{
	char odd[] = "unix:/tmp/a b\"\n\x80";
	char *former = w.backends[1].url_text;
	const struct backend *backends;
	struct slice name;

	(void)state;
	w.backends[1].url_text = odd;
	pools_start();
	backends = pool->backends;
	assert_ptr_equal(backends[0].log_name.text.data, backends[0].url.data);
	assert_int_equal(backends[0].log_name.text.len, backends[0].url.len);
	name = backends[1].log_name.text;
	assert_true(slice_equals(name, slice_of_string("unix:/tmp/a\\x20b\\x22\\x0a\\x80")));
	clear();
	assert_int_equal(blocks, 0);
	w.backends[1].url_text = former;
}

static void test_each_way_to_balance(void **state)
{
	static const struct {
		enum balance balance;
		const struct picker_kind *kind;
		bool asks_load, asks_in_flight, by_request;
	} cases[] = {
		{ BALANCE_RANDOM, &picker_random, false, false, false },
		{ BALANCE_TWO_CHOICES, &picker_two_choices, true, false, false },
		{ BALANCE_ROUND_ROBIN, &picker_round_robin, false, false, false },
		{ BALANCE_LEAST_REQUESTS, &picker_least_requests, true, false, false },
		{ BALANCE_LATENCY, &picker_latency, true, false, false },
		{ BALANCE_HASH, &picker_hash, true, true, true },
		{ BALANCE_STICKY, &picker_two_choices, true, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		w.app.balance = cases[i].balance;
		pools_start();
		assert_ptr_equal(pool->kind, cases[i].kind);
		assert_int_equal(pool->view.load != NULL, cases[i].asks_load);
		assert_int_equal(pool->view.in_flight != NULL, cases[i].asks_in_flight);
		assert_int_equal(pool->by_request, cases[i].by_request);
		assert_null(pool->view.is_full);
		assert_ptr_equal(pool->view.context, pool);
		clear();
		assert_int_equal(blocks, 0);
	}
}

static void test_the_weights_are_those_of_the_settings(void **state)
{
	const struct pick query = { .rng = &w.upstream.rng, .view = &pool->view };
	unsigned got[POOLS_BACKENDS] = { 0 };

	(void)state;
	w.backends[0].weight = 0;
	w.backends[1].weight = 2;
	w.backends[3].weight = 5;
	pools_start();
	for (int i = 0; i < 8000; i++)
		got[pool->kind->pick(pool->picker, &query)]++;
	assert_int_equal(got[0], 0);
	assert_in_range(got[1], 1800, 2200);
	assert_in_range(got[2], 850, 1150);
	assert_in_range(got[3], 4800, 5200);
}

/* Which backends get some keys, by their URLs. */
static void pick_keys(char urls[100])
{
	struct pick query = { .rng = &w.upstream.rng, .view = &pool->view };

	pools_start();
	for (uint64_t key = 0; key < 100; key++) {
		query.key = key;
		urls[key] = pool->settings->backends[pool->kind->pick(pool->picker, &query)]
				    .url_text[7];
	}
	clear();
}

/* Other instances and later versions find the same backends: a change of this table moves every
 * user of every pool that hashes. */
static void test_the_table_of_hash_stays(void **state)
{
	static const char table[] = "dcbbbcdacbddbdccbbcdbbbaaadbbcadabddabdb";
	char urls[100];

	(void)state;
	w.app.balance = BALANCE_HASH;
	pick_keys(urls);
	assert_memory_equal(urls, table, sizeof table - 1);
}

/* In the table of hash a backend is known by its URL, not by its place in the settings. */
static void test_the_order_of_the_settings_makes_no_difference_to_hash(void **state)
{
	char before[100], after[100];
	struct backend_settings first = w.backends[0];
	unsigned differ = 0;

	(void)state;
	first = w.backends[0];
	w.app.balance = BALANCE_HASH;
	pick_keys(before);
	w.backends[0] = w.backends[3];
	w.backends[3] = first;
	pick_keys(after);
	assert_memory_equal(before, after, sizeof before);
	w.backends[3].url_text = strcpy((char[16]){ 0 }, "http://e");
	pick_keys(after);
	for (int i = 0; i < 100; i++)
		differ += before[i] != after[i];
	assert_in_range(differ, 10, 50);
	assert_null(memchr(after, 'a', sizeof after));
}

/* --- places on the board --- */

static void test_the_pool_s_cells(void **state)
{
	struct rows_pool *nowhere;

	(void)state;
	pools_start();
	assert_ptr_equal(pool->cells, pools_cells(POOLS_OWN));
	clear();
	w.app.row = SETTINGS_NO_ROW;
	pools_start();
	nowhere = pool->cells;
	assert_non_null(nowhere);
	clear();
	w.app.row = 1;
	w.upstream.rows = NULL;
	pools_start();
	assert_ptr_equal(pool->cells, nowhere);
	assert_ptr_not_equal(pool->cells, pools_cells(POOLS_OWN));
}

/* Health words are read at once: a reload must not send requests to what is down. */
static void test_what_is_down_is_known_from_the_beginning(void **state)
{
	(void)state;
	pools_tell(0, ROWS_DOWN, ROWS_FULL_SHARE);
	pools_start();
	assert_false(health_is_usable(pool->view.usable, 0));
	assert_true(health_is_usable(pool->view.usable, 1));
}

static void test_limits_are_read(void **state)
{
	(void)state;
	w.backends[0].max_requests = 1;
	pools_start();
	assert_true(pool->limited);
	assert_true(queue_is_empty(&pool->queue));
}

/* --- memory --- */

/* Whichever allocation fails. */
static void test_without_memory_there_is_no_pool(void **state)
{
	static const enum balance kinds[] = {
		BALANCE_RANDOM,
		BALANCE_ROUND_ROBIN,
		BALANCE_HASH,
		BALANCE_STICKY,
	};

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		long needed;

		w.app.balance = kinds[i];
		allocations = 0;
		pools_start();
		needed = allocations;
		clear();
		for (long n = 0; n < needed; n++) {
			mem_fail_after(n);
			assert_int_equal(pool_setup_init_one(pool, &w.upstream, &w.app), -1);
			mem_fail_after(-1);
			clear();
			assert_int_equal(blocks, 0);
		}
	}
}

static void test_nothing_is_kept_of_a_pool(void **state)
{
	(void)state;
	w.app.balance = BALANCE_STICKY;
	pools_start();
	assert_true(blocks > 5);
	clear();
	assert_int_equal(blocks, 0);
	/* One that never was is nothing. */
	clear();
	assert_int_equal(blocks, 0);
}

/* --- all pools --- */

static void clear_all(void)
{
	pool_setup_fini(&w.upstream);
	assert_int_equal(blocks, 0);
	w.upstream.pools = NULL;
}

/* Settings with two pools. */
static void set_two(struct pool_settings two[2])
{
	two[0] = two[1] = w.app;
	two[1].row = rows_take_pool(w.rows, 3);
	w.settings.pools = two;
	w.settings.pool_count = 2;
	w.upstream.pools = NULL;
}

static void test_all_pools_of_the_settings(void **state)
{
	struct pool_settings two[2];

	(void)state;
	set_two(two);
	assert_int_equal(pool_setup_init(&w.upstream), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_ptr_equal(w.upstream.pools[i].settings, &two[i]);
		assert_ptr_equal(w.upstream.pools[i].upstream, &w.upstream);
		assert_non_null(w.upstream.pools[i].picker);
		assert_ptr_equal(
			w.upstream.pools[i].cells, rows_pool(w.rows, two[i].row, POOLS_OWN));
	}
	assert_int_equal(ticks_made, 1);
	assert_int_equal(ticks_stopped, 0);
	clear_all();
	assert_int_equal(ticks_stopped, 1);
}

static void test_without_memory_there_are_no_pools(void **state)
{
	struct pool_settings two[2];
	long needed;

	(void)state;
	set_two(two);
	allocations = 0;
	assert_int_equal(pool_setup_init(&w.upstream), 0);
	needed = allocations;
	clear_all();
	for (long n = 0; n < needed; n++) {
		mem_fail_after(n);
		assert_int_equal(pool_setup_init(&w.upstream), -1);
		mem_fail_after(-1);
		clear_all();
	}
}

static void test_without_a_tick_there_are_no_pools(void **state)
{
	(void)state;
	w.upstream.pools = NULL;
	tick_result = -1;
	assert_int_equal(pool_setup_init(&w.upstream), -1);
	assert_null(w.upstream.pools);
	clear_all();
}

/* --- a backend --- */

static void test_a_backend_begins(void **state)
{
	static const struct upstream_ops ops = { .take = NULL };
	char url[] = "http://a:81/x", authority[] = "a:81", path[] = "/x";
	const struct backend *b = &pool->backends[2];

	(void)state;
	w.backends[2].url_text = url;
	w.backends[2].url.authority = authority;
	w.backends[2].url.path = path;
	w.upstream.ops = &ops;
	pools_start();
	b = &pool->backends[2];
	assert_true(slice_equals(b->url, slice_of_string(url)));
	assert_true(slice_equals(b->authority, slice_of_string(authority)));
	assert_true(slice_equals(b->path, slice_of_string(path)));
	assert_ptr_equal(b->pool, pool);
	assert_ptr_equal(b->ops, w.upstream.ops);
	assert_int_equal(b->row, w.backends[2].row);
	assert_ptr_equal(b->addresses, w.backends[2].addresses);
	assert_true(list_is_empty(&b->idle));
	assert_int_equal(b->idle_count, 0);
	assert_ptr_equal(b->load.in_flight,
		rows_gauge(w.rows, ROWS_IN_FLIGHT, w.backends[2].row, POOLS_OWN));
	assert_ptr_equal(b->load.connections,
		rows_gauge(w.rows, ROWS_CONNECTIONS, w.backends[2].row, POOLS_OWN));
	assert_ptr_equal(b->load.cells, rows_cells(w.rows, w.backends[2].row, POOLS_OWN));
}

static void test_how_many_addresses(void **state)
{
	const struct address address = { .len = 1 };

	(void)state;
	pools_start();
	assert_int_equal(backend_address_count(&pool->backends[0]), 1);
	addresses_write(w.backends[0].addresses, 1, &address, 0);
	assert_int_equal(backend_address_count(&pool->backends[0]), 0);
}

static void test_complaints_come_once_a_second(void **state)
{
	struct backend *b;

	(void)state;
	pools_start();
	b = &pool->backends[1];
	backend_complain(b, w.loop.now_us, "connect", "refused");
	assert_string_equal(said, "http://b: connect: refused");
	assert_int_equal(said_count, 1);
	backend_complain(b, w.loop.now_us + POOLS_SECOND - 1, "connect", "refused");
	assert_int_equal(said_count, 1);
	/* Each backend has its own. */
	backend_complain(&pool->backends[2], w.loop.now_us, "response", "cut");
	assert_int_equal(said_count, 2);
	backend_complain(b, w.loop.now_us + POOLS_SECOND, "response", "cut");
	assert_string_equal(said, "http://b: response: cut");
	assert_int_equal(said_count, 3);
	backend_complain(b, w.loop.now_us + 2 * POOLS_SECOND - 1, "response", "cut");
	assert_int_equal(said_count, 3);
	/* In the first second of a machine's life, too. */
	backend_complain(&pool->backends[3], 5, "response", "cut");
	assert_int_equal(said_count, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_name_in_the_log, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_each_way_to_balance, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_weights_are_those_of_the_settings, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_the_table_of_hash_stays, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_order_of_the_settings_makes_no_difference_to_hash, begin,
			pools_end),
		cmocka_unit_test_setup_teardown(test_the_pool_s_cells, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_what_is_down_is_known_from_the_beginning, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_limits_are_read, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_without_memory_there_is_no_pool, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_nothing_is_kept_of_a_pool, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_all_pools_of_the_settings, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_without_memory_there_are_no_pools, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_without_a_tick_there_are_no_pools, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_a_backend_begins, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_how_many_addresses, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_complaints_come_once_a_second, begin, pools_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
