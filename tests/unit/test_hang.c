/* Workers that hang: by which looks they are found, what follows, and when they are ended. */
#include "config.h"

#include "master_scene.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/process.h"
#include "master/children/hang.h"
#include "master/children/stand_in.h"

#define LOOK    200
#define SUSPECT 500

int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
char __wrap_process_state(pid_t pid);
size_t __wrap_process_read(pid_t pid, const char *file, char *out, size_t size);
void __wrap_stand_in_begin(struct master *m, uint32_t slot);
void __wrap_stand_in_end(struct master *m, uint32_t slot);
void __wrap_stand_in_move(struct master *m, struct child *c);
void __wrap_stand_in_forward(struct master *m, uint32_t slot);

static struct listener_settings listeners[1];
static struct settings settings = {
	.workers = SCENE_WORKERS, .listeners = listeners, .listener_count = 1
};
static struct child *workers[SCENE_WORKERS];
static int waiting_fd; /* a connection waits on this socket; -1: the kernel does not tell */
static char process = 'S';
static const char *wchan = "";
static unsigned begun, ended, moved, forwarded;

int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	struct tcp_info info = { .tcpi_unacked = fd == waiting_fd };

	assert_int_equal(level, IPPROTO_TCP);
	assert_int_equal(option, TCP_INFO);
	if (waiting_fd == -1)
		return -1;
	memcpy(value, &info, *len);
	return 0;
}

char __wrap_process_state(pid_t pid)
{
	(void)pid;
	return process;
}

size_t __wrap_process_read(pid_t pid, const char *file, char *out, size_t size)
{
	(void)pid;
	assert_string_equal(file, "wchan");
	snprintf(out, size, "%s", wchan);
	return strlen(out);
}

void __wrap_stand_in_begin(struct master *m, uint32_t slot)
{
	(void)m;
	(void)slot;
	begun++;
}

void __wrap_stand_in_end(struct master *m, uint32_t slot)
{
	(void)m;
	(void)slot;
	ended++;
}

void __wrap_stand_in_move(struct master *m, struct child *c)
{
	(void)m;
	(void)c;
	moved++;
}

void __wrap_stand_in_forward(struct master *m, uint32_t slot)
{
	(void)m;
	(void)slot;
	forwarded++;
}

static enum hang_verdict look(void)
{
	char why[64] = "";

	return hang_look(&scene.m, why, sizeof why);
}

static int setup(void **state)
{
	const char *why;

	memset(listeners, 0, sizeof listeners);
	waiting_fd = 0;
	process = 'S';
	wchan = "";
	begun = ended = moved = forwarded = 0;
	settings.timeouts.hang = 0;
	if (address_parse_listen("127.0.0.1:8081", &listeners[0].address, &why) == -1 ||
		scene_setup(state) == -1)
		return -1;
	scene.m.current = scene_generation(&settings, 1, SCENE_WORKERS, GENERATION_CURRENT);
	for (uint32_t i = 0; i < SCENE_WORKERS; i++) {
		workers[i] = scene_worker(scene.m.current, i, CHILD_READY);
		scene_socket(&listeners[0].address, i, 1, false);
	}
	/* The first look is late. */
	assert_int_equal(look(), HANG_FINE);
	assert_int_equal(scene.m.awake_since, scene.now);
	return 0;
}

static void beat(struct child *c)
{
	pulse_beat(&c->place->pulse, scene.now * 1000);
}

/* Looks in time for so many ms; workers from slot `from` on turn. */
static void pass(uint64_t ms, uint32_t from)
{
	for (uint64_t end = scene.now + ms; scene.now < end;) {
		scene.now += LOOK;
		for (uint32_t i = from; i < SCENE_WORKERS; i++)
			beat(workers[i]);
		assert_int_equal(look(), HANG_FINE);
	}
}

static void give_clients(struct child *c, uint64_t n)
{
	board_set(&c->place->clients, n);
}

static void test_rests(void **state)
{
	(void)state;
	pass(3000, 1);
	assert_int_equal(workers[0]->hung_since, 0);
	assert_int_equal(scene.sent_count, 0);
}

static void test_hangs_with_clients(void **state)
{
	uint64_t begin = scene.now;

	(void)state;
	give_clients(workers[0], 3);
	pass(600, 1);
	/* The first sign: it is nudged, and suspected since then. */
	assert_int_equal(scene_count_sent(workers[0], MESSAGE_NUDGE), 1);
	assert_int_equal(workers[0]->suspected, scene.now - SUSPECT);
	assert_int_equal(workers[0]->hung_since, 0);
	pass(LOOK, 1);
	assert_int_equal(workers[0]->hung_since, begin + 600 - SUSPECT);
	assert_true(scene_logged("worker 0 gen 1 (pid 5000) hangs: nothing for 700 ms, with 3 "
				 "clients and 0 connections that wait; it was waiting"));
	assert_true(scene_logged("; the process is asleep\n"));
	assert_int_equal(moved, 1);
	assert_int_equal(begun, 1);
	/* It is not found a second time. */
	pass(LOOK, 1);
	assert_int_equal(begun, 1);
	assert_int_equal(forwarded, 1);
	assert_int_equal(workers[1]->hung_since, 0);
}

static void test_hangs_with_waiting(void **state)
{
	(void)state;
	waiting_fd = escrow_find(&scene.m.escrow, &listeners[0].address, 0)->fd;
	pass(800, 1);
	assert_int_not_equal(workers[0]->hung_since, 0);
	assert_true(scene_logged("with 0 clients and 1 connections that wait"));
}

static void test_waiting_elsewhere(void **state)
{
	(void)state;
	waiting_fd = escrow_find(&scene.m.escrow, &listeners[0].address, 1)->fd;
	pass(800, 1);
	assert_int_equal(workers[0]->hung_since, 0);
}

static void test_waiting_unknown(void **state)
{
	(void)state;
	waiting_fd = -1;
	pass(800, 1);
	assert_int_equal(workers[0]->hung_since, 0);
}

static void test_turns_after_nudge(void **state)
{
	(void)state;
	give_clients(workers[0], 1);
	pass(600, 1);
	assert_int_not_equal(workers[0]->suspected, 0);
	beat(workers[0]);
	pass(LOOK, 1);
	assert_int_equal(workers[0]->suspected, 0);
	pass(400, 1);
	assert_int_equal(workers[0]->hung_since, 0);
}

static void test_rests_after_all(void **state)
{
	(void)state;
	give_clients(workers[0], 1);
	pass(600, 1);
	give_clients(workers[0], 0);
	pass(LOOK, 1);
	assert_int_equal(workers[0]->suspected, 0);
}

static void test_late_look(void **state)
{
	(void)state;
	give_clients(workers[0], 1);
	pass(400, 1);
	/* The machine was stopped for five seconds: the time begins anew. */
	scene.now += 5000;
	assert_int_equal(look(), HANG_FINE);
	assert_int_equal(scene.m.awake_since, scene.now);
	for (uint32_t i = 0; i < SCENE_WORKERS; i++)
		assert_int_equal(workers[i]->suspected, 0);
	pass(400, 1);
	assert_int_equal(workers[0]->suspected, 0);
	pass(LOOK, 1);
	assert_int_not_equal(workers[0]->suspected, 0);
}

static void test_hardly_late(void **state)
{
	uint64_t awake = scene.m.awake_since;

	(void)state;
	scene.now = scene.m.look_due + 300;
	assert_int_equal(look(), HANG_FINE);
	assert_int_equal(scene.m.awake_since, awake);
	scene.now = scene.m.look_due + 301;
	assert_int_equal(look(), HANG_FINE);
	assert_int_equal(scene.m.awake_since, scene.now);
}

/* One that has turned once, and not since. */
static void test_turned_before(void **state)
{
	uint64_t last;

	(void)state;
	give_clients(workers[0], 1);
	pass(LOOK, 0);
	last = scene.now;
	pass(600, 1);
	assert_int_equal(workers[0]->hung_since, 0);
	assert_int_equal(workers[0]->suspected, scene.now - SUSPECT);
	pass(LOOK, 1);
	assert_int_equal(workers[0]->hung_since, last + 600 - SUSPECT);
}

/* A look at a moment of its own. */
static void look_now(void)
{
	scene.m.look_due = scene.now;
	assert_int_equal(look(), HANG_FINE);
}

static void test_suspected_in_time(void **state)
{
	(void)state;
	give_clients(workers[0], 1);
	scene.m.awake_since = scene.now - SUSPECT + 1;
	look_now();
	assert_int_equal(workers[0]->suspected, 0);
	scene.now++;
	look_now();
	assert_int_equal(workers[0]->suspected, scene.now - SUSPECT);
}

static void test_given_up_in_time(void **state)
{
	(void)state;
	settings.timeouts.hang = 3000;
	workers[0]->hung_since = scene.m.awake_since = scene.now - 2999;
	look_now();
	assert_int_equal(workers[0]->state, CHILD_READY);
	scene.now++;
	look_now();
	assert_int_equal(workers[0]->state, CHILD_ENDING);
	assert_true(
		scene_logged("worker 0 gen 1 (pid 5000) has hung for 3000 ms: ending it; it was "
			     "waiting"));
}

static void test_given_up_at_once(void **state)
{
	(void)state;
	settings.timeouts.hang = 1;
	workers[0]->hung_since = scene.m.awake_since = scene.now - 1;
	look_now();
	assert_int_equal(workers[0]->state, CHILD_ENDING);
}

static void test_recovers(void **state)
{
	(void)state;
	give_clients(workers[0], 1);
	pass(1000, 1);
	assert_int_not_equal(workers[0]->hung_since, 0);
	beat(workers[0]);
	pass(LOOK, 1);
	assert_int_equal(workers[0]->hung_since, 0);
	assert_int_equal(ended, 1);
	assert_true(scene_logged("worker 0 gen 1 (pid 5000) goes on after 1100 ms"));
}

static void test_recovers_with_odd_clock(void **state)
{
	(void)state;
	workers[0]->hung_since = scene.now + 100000;
	beat(workers[0]);
	scene.now += LOOK;
	assert_int_equal(look(), HANG_FINE);
	assert_true(scene_logged("goes on after 0 ms"));
}

static void test_given_up(void **state)
{
	uint64_t hung_since;

	(void)state;
	settings.timeouts.hang = 3000;
	give_clients(workers[0], 1);
	process = 'D';
	wchan = "futex_wait";
	pass(800, 1);
	hung_since = workers[0]->hung_since;
	pass(hung_since + 3000 - scene.now - 99, 1);
	if (scene.now < hung_since + 3000)
		pass(LOOK, 1);
	assert_int_equal(workers[0]->state, CHILD_ENDING);
	assert_int_equal(scene_count_killed(workers[0], SIGABRT), 1);
	assert_true(scene_logged("the process is waiting for a device in futex_wait"));
	assert_true(scene_logged("ms: ending it; it was"));
	/* It is not looked at any more. */
	pass(LOOK, 1);
	assert_int_equal(scene_count_killed(workers[0], SIGABRT), 1);
}

static void test_not_given_up_after_a_stop(void **state)
{
	(void)state;
	settings.timeouts.hang = 1000;
	give_clients(workers[0], 1);
	pass(800, 1);
	assert_int_not_equal(workers[0]->hung_since, 0);
	scene.now += 5000;
	assert_int_equal(look(), HANG_FINE);
	assert_int_equal(workers[0]->state, CHILD_READY);
	pass(1000, 1);
	assert_int_equal(workers[0]->state, CHILD_ENDING);
}

static void test_never_given_up(void **state)
{
	(void)state;
	give_clients(workers[0], 1);
	pass(60000, 1);
	assert_int_equal(workers[0]->state, CHILD_READY);
	assert_int_equal(scene.kill_count, 0);
}

static void test_who_is_looked_at(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		give_clients(workers[i], 1);
	child_set_state(workers[0], CHILD_DRAINING, 0);
	child_retire(workers[1], scene.m.board);
	workers[2]->generation = scene_generation(&settings, 9, SCENE_WORKERS, GENERATION_FAILED);
	list_append(&scene.m.past, &workers[2]->generation->link);
	pass(1000, 3);
	assert_int_equal(begun, 0);
}

static void test_nudge_fails(void **state)
{
	(void)state;
	give_clients(workers[0], 1);
	give_clients(workers[1], 1);
	scene.deaf = workers[0]->channel;
	workers[1]->channel = -1;
	pass(600, 2);
	assert_true(scene_logged("worker 0 has not read what the master said"));
	assert_false(scene_logged("worker 1 has not read"));
	pass(LOOK, 2);
	assert_int_equal(begun, 2);
}

static void check_process(char letter, const char *expected)
{
	scene_forget_log();
	process = letter;
	workers[0]->hung_since = workers[0]->suspected = 0;
	pass(1000, 1);
	assert_int_not_equal(workers[0]->hung_since, 0);
	assert_true(scene_logged(expected));
}

static void test_process_states(void **state)
{
	(void)state;
	give_clients(workers[0], 1);
	wchan = "0";
	check_process('R', "the process is running\n");
	check_process('S', "the process is asleep\n");
	check_process('T', "the process is stopped\n");
	wchan = "f";
	check_process('S', "the process is asleep in f\n");
	wchan = "0";
	check_process('t', "the process is stopped by a debugger\n");
	check_process('Z', "the process is in an unknown state\n");
}

static void test_when_needed(void **state)
{
	struct generation *g = scene.m.current;

	(void)state;
	assert_int_equal(hang_next_due(&scene.m), scene.m.look_due);
	scene.m.look_due = 0;
	assert_int_equal(hang_next_due(&scene.m), scene.now);
	/* One worker: no sibling can stand in, and it may not be ended. */
	g->workers = 2;
	assert_int_equal(hang_next_due(&scene.m), scene.now);
	g->workers = 1;
	assert_int_equal(hang_next_due(&scene.m), UINT64_MAX);
	assert_int_equal(look(), HANG_FINE);
	assert_int_equal(scene.m.look_due, 0);
	settings.timeouts.hang = 1;
	assert_int_equal(hang_next_due(&scene.m), scene.now);
	settings.timeouts.hang = 0;
	scene.m.next = scene_generation(&settings, 2, SCENE_WORKERS, GENERATION_STARTING);
	assert_int_equal(hang_next_due(&scene.m), UINT64_MAX);
	generation_set_state(scene.m.next, GENERATION_WATCHED);
	assert_int_equal(hang_next_due(&scene.m), scene.now);
	g->workers = SCENE_WORKERS;
	scene.m.current = NULL;
	assert_int_equal(hang_next_due(&scene.m), UINT64_MAX);
	scene.m.current = g;
}

static void test_not_yet(void **state)
{
	uint64_t due = scene.m.look_due;

	(void)state;
	scene.now = due - 1;
	assert_int_equal(look(), HANG_FINE);
	assert_int_equal(scene.m.look_due, due);
}

static void test_watched(void **state)
{
	struct child *c;
	char why[64] = "";

	(void)state;
	scene.m.next = scene_generation(&settings, 2, SCENE_WORKERS, GENERATION_WATCHED);
	c = scene_worker(scene.m.next, 0, CHILD_READY);
	/* Its sockets are those of its slot. */
	waiting_fd = escrow_find(&scene.m.escrow, &listeners[0].address, 0)->fd;
	for (uint32_t i = 0; i < 3; i++) {
		scene.now += LOOK;
		for (uint32_t k = 0; k < SCENE_WORKERS; k++)
			beat(workers[k]);
		assert_int_equal(hang_look(&scene.m, why, sizeof why), HANG_FINE);
	}
	scene.now += LOOK;
	for (uint32_t k = 0; k < SCENE_WORKERS; k++)
		beat(workers[k]);
	assert_int_equal(hang_look(&scene.m, why, sizeof why), HANG_WATCHED);
	assert_string_equal(why, "worker 0 hangs with the new settings");
	assert_int_not_equal(c->hung_since, 0);
	/* The old worker of the slot is paused, and will accept: no sibling stands in. */
	assert_int_equal(begun + moved + ended, 0);
	/* Where the caller did nothing it goes on: */
	scene.now += LOOK;
	for (uint32_t k = 0; k < SCENE_WORKERS; k++)
		beat(workers[k]);
	assert_int_equal(hang_look(&scene.m, why, sizeof why), HANG_WATCHED);
	assert_int_equal(forwarded, 0);
	beat(c);
	scene.now += LOOK;
	assert_int_equal(hang_look(&scene.m, why, sizeof why), HANG_FINE);
	assert_int_equal(c->hung_since, 0);
	assert_int_equal(ended, 0);
}

static void test_watched_other_socket(void **state)
{
	(void)state;
	scene.m.next = scene_generation(&settings, 2, SCENE_WORKERS, GENERATION_WATCHED);
	scene_worker(scene.m.next, 0, CHILD_READY);
	waiting_fd = escrow_find(&scene.m.escrow, &listeners[0].address, 1)->fd;
	pass(1000, 0);
	scene.m.escrow.count = 0;
	scene_socket(&listeners[0].address, 0, 1, true);
	waiting_fd = scene.m.escrow.entries[0].fd;
	pass(1000, 0);
}

static void test_starting_is_not_looked_at(void **state)
{
	struct child *c;

	(void)state;
	scene.m.next = scene_generation(&settings, 2, SCENE_WORKERS, GENERATION_STARTING);
	c = scene_worker(scene.m.next, 0, CHILD_READY);
	give_clients(c, 1);
	pass(1000, 0);
	assert_int_equal(c->hung_since, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rests),
		TEST(test_hangs_with_clients),
		TEST(test_hangs_with_waiting),
		TEST(test_waiting_elsewhere),
		TEST(test_waiting_unknown),
		TEST(test_turns_after_nudge),
		TEST(test_rests_after_all),
		TEST(test_late_look),
		TEST(test_hardly_late),
		TEST(test_turned_before),
		TEST(test_suspected_in_time),
		TEST(test_given_up_in_time),
		TEST(test_given_up_at_once),
		TEST(test_recovers),
		TEST(test_recovers_with_odd_clock),
		TEST(test_given_up),
		TEST(test_not_given_up_after_a_stop),
		TEST(test_never_given_up),
		TEST(test_who_is_looked_at),
		TEST(test_nudge_fails),
		TEST(test_process_states),
		TEST(test_when_needed),
		TEST(test_not_yet),
		TEST(test_watched),
		TEST(test_watched_other_socket),
		TEST(test_starting_is_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
