/*
 * Names that are looked up again: which, when, and what follows from an answer. The clock is set by
 * hand and timers are called by hand. The linker wraps the functions of the resolver's process: a
 * test writes the answers into a pipe.
 */
#include "config.h"

#include "settings_file.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "monitor/name_list.h"
#include "monitor/names.h"
#include "monitor/resolver.h"

#define SECOND UINT64_C(1000000)
#define ROWS   80

#define NAMES                                                                                      \
	"listeners = ( { address = \":1\"; pool = \"app\"; }, { address = \":2\"; pool = \"b\"; "  \
	"} "                                                                                       \
	");\n"                                                                                     \
	"pools = ( { name = \"app\"; resolve = \"30s\"; backends = ( "                             \
	"{ url = \"http://b.test:81\"; }, { url = \"http://a.test:82\"; }, "                       \
	"{ url = \"http://localhost:83\"; }, { url = \"http://127.0.0.1:84\"; } ); }, "            \
	"{ name = \"b\"; resolve = \"10s\"; backends = ( { url = \"http://a.test:91\"; "           \
	"addresses = \"each\"; } ); }, "                                                           \
	"{ name = \"c\"; resolve = \"0s\"; backends = ( { url = \"http://c.test:92\"; } ); } "     \
	");\n"

static struct settings *settings;
static struct board *board;
static struct watch watch;
static struct targets targets;
static struct names names;
static _Atomic uint64_t due_us;

/* The resolver that is played. */
static int answers = -1;
static unsigned starts, ends;
static bool cannot_start;
static char asked[128];
static uint32_t numbers_asked[8];
static size_t asked_count;

pid_t __wrap_resolver_start(const struct settings *s, const char *const *hosts,
	const uint32_t *numbers, size_t count, int *pipe);
void __wrap_resolver_end(pid_t pid);

pid_t __wrap_resolver_start(const struct settings *s, const char *const *hosts,
	const uint32_t *numbers, size_t count, int *pipe)
{
	int pair[2];

	(void)s;
	starts++;
	*asked = '\0';
	asked_count = count;
	for (size_t i = 0; i < count; i++) {
		strcat(strcat(asked, hosts[i]), " ");
		numbers_asked[i] = numbers[i];
	}
	if (cannot_start) {
		errno = EAGAIN;
		return -1;
	}
	assert_int_equal(pipe2(pair, O_CLOEXEC | O_NONBLOCK), 0);
	*pipe = pair[0];
	answers = pair[1];
	return 4711;
}

void __wrap_resolver_end(pid_t pid)
{
	assert_int_equal(pid, 4711);
	ends++;
	fd_close(&answers);
}

static void begin(const char *text)
{
	uint32_t row = 0;

	settings = load_fine(text);
	board = board_new(4);
	assert_non_null(board);
	watch.rows = rows_new(board, ROWS, 4, 4);
	assert_non_null(watch.rows);
	for (uint32_t i = 0; i < ROWS; i++)
		rows_set_health(
			watch.rows, i, (struct rows_health){ ROWS_READY, ROWS_FULL_SHARE, 0 });
	for (size_t p = 0; p < settings->pool_count; p++)
		for (size_t b = 0; b < settings->pools[p].backend_count; b++)
			settings->pools[p].backends[b].row = row++;
	assert_true(row <= ROWS);
	watch.due_us = &due_us;
	due_us = 0;
	rng_seed(&watch.rng, 1, 0, 0, 0);
	assert_int_equal(loop_init(&watch.loop), 0);
	watch.loop.awake = true;
	watch.loop.now_us = 1000 * SECOND;
	starts = ends = 0;
	cannot_start = false;
	assert_int_equal(targets_init(&targets, &watch, settings), 0);
	assert_int_equal(names_init(&names, &watch, settings, &targets), 0);
}

static int end(void **state)
{
	(void)state;
	names_fini(&names);
	targets_fini(&targets);
	loop_fini(&watch.loop);
	rows_free(watch.rows);
	board_free(board);
	settings_free(settings);
	return 0;
}

/* The timer is over. */
static void fire(void)
{
	event_callback_fn callback = event_get_callback(&names.timer);

	callback(-1, EV_TIMEOUT, &names);
}

static void read_answers(void)
{
	event_callback_fn callback = event_get_callback(&names.readable);

	callback(names.pipe, EV_READ, &names);
}

static void answer(uint32_t number, int count, const char *why, const char *const *addresses)
{
	struct resolver_answer a = { .number = number, .count = count };

	(void)snprintf(a.why, sizeof a.why, "%s", why);
	for (int i = 0; i < count; i++)
		assert_int_equal(address_parse_ip(addresses[i], &a.list[i]), 0);
	assert_int_equal(fd_write_all(answers, &a, sizeof a), 0);
	read_answers();
}

static void look_up(void)
{
	watch.loop.now_us = names_due(&names);
	fire();
	assert_int_not_equal(names.pid, 0);
}

static uint32_t count_of(size_t pool, size_t backend)
{
	return addresses_count(settings->pools[pool].backends[backend].addresses);
}

/* Each name once, with the shortest interval of its pools. */
static void test_list(void **state)
{
	const struct name *list;

	(void)state;
	begin(NAMES);
	list = names.list.names;
	assert_int_equal(names.list.count, 2);
	assert_string_equal(name_list_host(&list[0]), "a.test");
	assert_int_equal(list[0].head_count, 2);
	assert_int_equal(list[0].interval_us, 10 * SECOND);
	assert_string_equal(name_list_host(&list[1]), "b.test");
	assert_int_equal(list[1].head_count, 1);
	assert_int_equal(list[1].interval_us, 30 * SECOND);
	/* Nothing is known of them: they come soon. */
	assert_true(list[0].fails && list[1].fails);
	for (int i = 0; i < 2; i++)
		assert_in_range(list[i].due_us, watch.loop.now_us + SECOND * 18 / 10,
			watch.loop.now_us + SECOND * 22 / 10);
	assert_int_equal(names_due(&names), name_list_due(&names.list));
	assert_int_equal(watch_due(&watch), names_due(&names));
}

static void test_no_names(void **state)
{
	(void)state;
	begin(LISTENERS POOLS);
	assert_int_equal(names_due(&names), 0);
	assert_int_equal(name_list_due(&names.list), UINT64_MAX);
	assert_null(names.answer);
}

static void test_answers(void **state)
{
	static const char *const two[] = { "10.0.0.1", "10.0.0.2" };

	(void)state;
	begin(NAMES);
	look_up();
	assert_int_equal(starts, 1);
	assert_string_equal(asked, "a.test b.test ");
	assert_int_equal(names_due(&names), watch.loop.now_us + 30 * SECOND);
	answer(0, 2, "", two);
	assert_int_equal(count_of(0, 1), 2);
	assert_int_equal(count_of(1, 0), 1);
	assert_int_equal(count_of(1, 1), 1);
	assert_int_equal(count_of(1, 2), 0);
	assert_int_equal(targets_find(&targets, 1)->state.state, ROWS_READY);
	assert_int_equal(targets_find(&targets, 0)->state.state, ROWS_EMPTY);
	assert_false(names.list.names[0].fails);
	assert_int_equal(names.list.first, 1);
	answer(1, -1, "no such name", NULL);
	assert_int_equal(count_of(0, 0), 0);
	assert_true(names.list.names[1].fails);
	assert_int_equal(names.list.first, 0);
	/* The resolver has ended, and with it the look-up. */
	fd_close(&answers);
	read_answers();
	assert_int_equal(ends, 1);
	assert_int_equal(names.pid, 0);
	assert_in_range(names.list.names[0].due_us, watch.loop.now_us + 9 * SECOND,
		watch.loop.now_us + 11 * SECOND);
	assert_in_range(names.list.names[1].due_us, watch.loop.now_us + SECOND * 18 / 10,
		watch.loop.now_us + SECOND * 22 / 10);
}

/* Half an answer is none yet; a wrong one ends the look-up. */
static void test_pieces(void **state)
{
	struct resolver_answer a = { .number = 0, .count = 1 };

	(void)state;
	begin(NAMES);
	look_up();
	assert_int_equal(address_parse_ip("10.0.0.1", &a.list[0]), 0);
	assert_int_equal(fd_write_all(answers, &a, sizeof a / 2), 0);
	read_answers();
	assert_int_equal(count_of(0, 1), 0);
	read_answers();
	assert_int_equal(
		fd_write_all(answers, (char *)&a + sizeof a / 2, sizeof a - sizeof a / 2), 0);
	read_answers();
	assert_int_equal(count_of(0, 1), 1);
	a.number = 2;
	assert_int_equal(fd_write_all(answers, &a, sizeof a), 0);
	read_answers();
	assert_int_equal(ends, 1);
	assert_false(names.list.names[0].fails);
	assert_true(names.list.names[1].fails);
}

/* Names without an answer come first the next time. */
static void test_no_answer_in_time(void **state)
{
	static const char *const one[] = { "10.0.0.1" };

	(void)state;
	begin(NAMES);
	look_up();
	answer(0, 1, "", one);
	watch.loop.now_us = names_due(&names);
	fire();
	assert_int_equal(ends, 1);
	assert_int_equal(names.pid, 0);
	watch.loop.now_us += 20 * SECOND;
	fire();
	assert_int_equal(starts, 2);
	assert_string_equal(asked, "b.test a.test ");
	assert_int_equal(numbers_asked[0], 1);
	assert_int_equal(numbers_asked[1], 0);
}

/* A name that is due within a second goes with those that are due now. */
static void test_together(void **state)
{
	(void)state;
	begin(NAMES);
	names.list.names[0].due_us = watch.loop.now_us;
	names.list.names[1].due_us = watch.loop.now_us + SECOND + 1;
	names.due_us = watch.loop.now_us;
	fire();
	assert_string_equal(asked, "a.test ");
	assert_int_equal(asked_count, 1);
	assert_false(names.list.names[1].asked);
}

/* The timer came a little early. */
static void test_early_timer(void **state)
{
	uint64_t due;

	(void)state;
	begin(NAMES);
	due = names_due(&names);
	watch.loop.now_us = due - 1;
	fire();
	assert_int_equal(starts, 0);
	assert_int_equal(names_due(&names), due);
}

static void test_cannot_start(void **state)
{
	(void)state;
	begin(NAMES);
	cannot_start = true;
	watch.loop.now_us = names_due(&names);
	fire();
	assert_int_equal(starts, 1);
	assert_int_equal(names.pid, 0);
	cannot_start = false;
	look_up();
	assert_int_equal(starts, 2);
	assert_string_equal(asked, "a.test b.test ");
	assert_int_equal(ends, 0);
}

/* A name that is looked up again keeps its addresses while that fails, and is planned as usual. */
static void test_addresses_stay(void **state)
{
	static const char *const one[] = { "10.0.0.1" };

	(void)state;
	begin(NAMES);
	look_up();
	answer(1, 1, "", one);
	answer(1, -1, "no such name", NULL);
	assert_int_equal(count_of(0, 0), 1);
	assert_true(names.list.names[1].fails);
	answer(1, 1, "", one);
	assert_false(names.list.names[1].fails);
	fd_close(&answers);
	read_answers();
	/* One address is enough to wait for the whole interval. */
	assert_in_range(names.list.names[1].due_us, watch.loop.now_us + 27 * SECOND,
		watch.loop.now_us + 33 * SECOND);
}

#define THREE                                                                                      \
	"listeners = ( { address = \":1\"; } );\n"                                                 \
	"pools = ( { name = \"app\"; backends = ( { url = \"http://a.test\"; }, "                  \
	"{ url = \"http://b.test\"; }, { url = \"http://c.test\"; } ); } );\n"

/* They are asked in turn: behind the last answer first. */
static void test_turns(void **state)
{
	const char *hosts[3];
	uint32_t numbers[3];

	(void)state;
	begin(THREE);
	name_list_take(&names.list, 0, "a reason");
	assert_int_equal(names.list.first, 1);
	assert_int_equal(
		name_list_ask(&names.list, watch.loop.now_us + 100 * SECOND, hosts, numbers), 3);
	assert_int_equal(numbers[0], 1);
	assert_int_equal(numbers[1], 2);
	assert_int_equal(numbers[2], 0);
	assert_string_equal(hosts[1], "c.test");
	name_list_take(&names.list, 2, "a reason");
	assert_int_equal(names.list.first, 0);
	assert_true(names.list.names[0].asked && names.list.names[1].asked);
	assert_false(names.list.names[2].asked);
}

/* Names without an answer fail; others keep what they have. */
static void test_end_of_a_look_up(void **state)
{
	struct name *list;
	const char *hosts[3];
	uint32_t numbers[3];
	uint64_t now;

	(void)state;
	begin(THREE);
	list = names.list.names;
	now = watch.loop.now_us;
	for (int i = 0; i < 3; i++)
		list[i].fails = false;
	list[0].due_us = now;
	list[1].due_us = now + SECOND;
	list[2].due_us = now + SECOND + 1;
	assert_int_equal(name_list_due(&names.list), now);
	assert_int_equal(name_list_ask(&names.list, now, hosts, numbers), 2);
	assert_int_equal(list[0].due_us, 0);
	name_list_take(&names.list, 0, NULL);
	name_list_end(&names.list, "a reason", &watch.rng, now);
	assert_false(list[0].fails);
	assert_true(list[1].fails);
	assert_false(list[2].fails);
	assert_int_equal(list[2].due_us, now + SECOND + 1);
	assert_in_range(list[0].due_us, now + 1, now + 3 * SECOND);
	/* Nothing is asked any more. */
	list[1].fails = false;
	list[1].due_us = 77;
	name_list_end(&names.list, "a reason", &watch.rng, now);
	assert_false(list[1].fails);
	assert_int_equal(list[1].due_us, 77);
}

/* After a look-up that could not be started all names come at once. */
static void test_ask_again(void **state)
{
	struct name *list;

	(void)state;
	begin(THREE);
	list = names.list.names;
	for (int i = 0; i < 3; i++)
		list[i].due_us = 1000 + (uint64_t)i;
	name_list_ask_again(&names.list, 50);
	for (int i = 0; i < 3; i++)
		assert_int_equal(list[i].due_us, 1000 + i);
	for (int late = 0; late < 3; late++) {
		for (int i = 0; i < 3; i++)
			list[i].due_us = i == late ? 0 : 1000;
		name_list_ask_again(&names.list, 50);
		for (int i = 0; i < 3; i++)
			assert_int_equal(list[i].due_us, 50);
	}
}

/* A tenth more or less, evenly. */
static void test_jitter(void **state)
{
	static const char *const one[] = { "10.0.0.1" };
	uint64_t least = UINT64_MAX, most = 0, now;

	(void)state;
	begin(THREE);
	look_up();
	answer(0, 1, "", one);
	now = watch.loop.now_us;
	for (int i = 0; i < 2000; i++) {
		uint64_t due;

		name_list_begin(&names.list, &watch.rng, now);
		due = names.list.names[0].due_us - now;
		least = due < least ? due : least;
		most = due > most ? due : most;
	}
	assert_false(names.list.names[0].fails);
	assert_true(names.list.names[1].fails);
	assert_in_range(least, 27 * SECOND, 27 * SECOND + SECOND / 10);
	assert_in_range(most, 33 * SECOND - SECOND / 10, 33 * SECOND);
}

static void test_messages(void **state)
{
	static const char *const one[] = { "10.0.0.1" };
	char text[1024];
	int fd;
	ssize_t n;

	(void)state;
	begin(THREE);
	log_set_form(LOG_FORM_PLAIN);
	assert_int_equal(log_open("a.log", LOG_LEVEL_NOTICE), 0);
	look_up();
	answer(0, -1, "no such name", NULL);
	answer(0, 1, "", one);
	answer(0, -1, "no such name", NULL);
	answer(0, -1, "no such name", NULL);
	names.list.names[1].fails = false;
	answer(1, -1, "the server is silent", NULL);
	assert_int_equal(log_open("stderr", LOG_LEVEL_NOTICE), 0);
	log_set_form(LOG_FORM_FULL);
	fd = open("a.log", O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof text - 1);
	fd_close(&fd);
	assert_int_equal(unlink("a.log"), 0);
	text[n > 0 ? n : 0] = '\0';
	assert_string_equal(text,
		"the name a.test can be looked up again\n"
		"http://a.test is new, at 10.0.0.1:80\n"
		"the name a.test cannot be looked up: no such name; its addresses stay in use\n"
		"the name b.test cannot be looked up: the server is silent\n");
}

static void test_sound(void **state)
{
	struct resolver_answer a = { .number = 1, .count = 1 }, b;

	(void)state;
	assert_int_equal(address_parse_ip("10.0.0.1", &a.list[0]), 0);
	assert_true(resolver_is_sound(&a, 2));
	assert_false(resolver_is_sound(&a, 1));
	b = a;
	b.count = 0;
	assert_false(resolver_is_sound(&b, 2));
	b.count = -1;
	assert_true(resolver_is_sound(&b, 2));
	b.count = -2;
	assert_false(resolver_is_sound(&b, 2));
	b.count = LOOKUP_MAX + 1;
	assert_false(resolver_is_sound(&b, 2));
	b.count = LOOKUP_MAX;
	for (int i = 1; i < LOOKUP_MAX; i++)
		assert_int_equal(address_parse_ip("::1", &b.list[i]), 0);
	assert_true(resolver_is_sound(&b, 2));
	b.list[LOOKUP_MAX - 1].len--;
	assert_false(resolver_is_sound(&b, 2));
	b = a;
	b.list[0].u.sa.sa_family = AF_INET6;
	assert_false(resolver_is_sound(&b, 2));
	b = a;
	b.list[0].len = sizeof b.list[0].u.in6;
	assert_false(resolver_is_sound(&b, 2));
	b = a;
	memset(b.why, 'x', sizeof b.why);
	assert_false(resolver_is_sound(&b, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_list, end),
		cmocka_unit_test_teardown(test_no_names, end),
		cmocka_unit_test_teardown(test_answers, end),
		cmocka_unit_test_teardown(test_pieces, end),
		cmocka_unit_test_teardown(test_no_answer_in_time, end),
		cmocka_unit_test_teardown(test_together, end),
		cmocka_unit_test_teardown(test_early_timer, end),
		cmocka_unit_test_teardown(test_cannot_start, end),
		cmocka_unit_test_teardown(test_addresses_stay, end),
		cmocka_unit_test_teardown(test_turns, end),
		cmocka_unit_test_teardown(test_end_of_a_look_up, end),
		cmocka_unit_test_teardown(test_ask_again, end),
		cmocka_unit_test_teardown(test_jitter, end),
		cmocka_unit_test_teardown(test_messages, end),
		cmocka_unit_test(test_sound),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
