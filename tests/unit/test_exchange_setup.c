/* What the exchanges of a worker share: all of it is there, or nothing. */
#include "config.h"

#include "exchange/exchange_setup.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exchange_scene.h"

/* Blocks of memory that are in use. */
static long blocks;

void *__real_mem_alloc(size_t size);
void *__wrap_mem_alloc(size_t size);
void *__wrap_mem_alloc(size_t size)
{
	void *block = __real_mem_alloc(size);

	blocks += block != NULL;
	return block;
}

void *__real_mem_zalloc(size_t count, size_t size);
void *__wrap_mem_zalloc(size_t count, size_t size);
void *__wrap_mem_zalloc(size_t count, size_t size)
{
	void *block = __real_mem_zalloc(count, size);

	blocks += block != NULL;
	return block;
}

void __real_mem_free(void *block);
void __wrap_mem_free(void *block);
void __wrap_mem_free(void *block)
{
	blocks -= block != NULL;
	__real_mem_free(block);
}

static char app[] = "app";
static struct route_settings routes[2] = { { .pool_name = app }, { .pool_name = app } };

static void begin(struct exchange_context *context)
{
	scene.listeners[0].routes = routes;
	scene.listeners[0].route_count = 2;
	*context = (struct exchange_context){ .loop = &w.loop,
		.settings = &w.settings,
		.upstream = &w.upstream,
		.trim = &scene.trim };
}

static size_t queues(void)
{
	size_t n = 0;

	for (const struct list *l = w.loop.queues.next; l != &w.loop.queues; l = l->next)
		n++;
	return n;
}

static void test_all_is_set(void **state)
{
	struct exchange_context context;
	size_t before = queues();
	long blocks_before = blocks;

	(void)state;
	begin(&context);
	assert_int_equal(exchange_setup_init(&context, -1), 0);
	assert_non_null(context.routes[0]);
	/* A listener without routes has none. */
	assert_null(context.routes[1]);
	assert_ptr_equal(w.upstream.selection_events, &attempt_selection_events);
	assert_non_null(w.upstream.stream_events);
	assert_int_equal(context.wait_connect.duration_us, SCENE_CONNECT * 1000);
	assert_int_equal(context.wait_bytes.duration_us, SCENE_RESPONSE * 1000);
	assert_int_equal(context.wait_tunnel.duration_us, SCENE_TUNNEL * 1000);
	assert_int_equal(context.wait_free.duration_us, 1000000);
	assert_int_equal(context.wait_redispatch.duration_us, 500000);
	assert_int_equal(queues(), before + 5);
	exchange_setup_fini(&context);
	assert_int_equal(queues(), before);
	assert_int_equal(blocks, blocks_before);
}

/* What stands behind the last listener is none. */
static void test_only_listeners_that_there_are(void **state)
{
	struct exchange_context context;

	(void)state;
	begin(&context);
	w.settings.listener_count = 1;
	scene.listeners[1] = scene.listeners[0];
	/* the list, and a listener; the list of tokens, and of that listener; no more */
	mem_fail_after(8);
	assert_int_equal(exchange_setup_init(&context, -1), 0);
	mem_fail_after(-1);
	exchange_setup_fini(&context);
}

/* Looks that are due do not outlive it. */
static void test_looks_end_with_it(void **state)
{
	struct exchange_context context;
	size_t before = queues();

	(void)state;
	begin(&context);
	assert_int_equal(exchange_setup_init(&context, -1), 0);
	deadline_start(&context.free_look, &context.wait_free, &w.loop);
	deadline_start(&context.redispatch, &context.wait_redispatch, &w.loop);
	exchange_setup_fini(&context);
	assert_false(deadline_is_running(&context.free_look));
	assert_false(deadline_is_running(&context.redispatch));
	assert_int_equal(queues(), before);
}

/* Each of its allocations fails in its turn. */
static void test_without_memory_nothing_is_left(void **state)
{
	struct exchange_context context;
	size_t before = queues();
	int fd = memfd_create("access", MFD_CLOEXEC), result = -1;
	long tries = 0, blocks_before = blocks;

	(void)state;
	for (; result == -1; tries++) {
		begin(&context);
		mem_fail_after(tries);
		result = exchange_setup_init(&context, fd);
		mem_fail_after(-1);
		if (result == -1) {
			assert_int_equal(queues(), before);
			assert_int_equal(blocks, blocks_before);
		}
		assert_int_not_equal(fcntl(fd, F_GETFD), -1);
	}
	assert_true(tries > 4);
	exchange_setup_fini(&context);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_is_set, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_looks_end_with_it, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_without_memory_nothing_is_left, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_only_listeners_that_there_are, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
