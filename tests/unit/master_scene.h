/*
 * What tests of the master share: a master whose children are only entries in a table, a clock that
 * the test turns, and functions in the place of those that reach other processes. Descriptors from
 * SCENE_FD on are numbers and nothing else.
 */
#ifndef TINYLB_TESTS_MASTER_SCENE_H
#define TINYLB_TESTS_MASTER_SCENE_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/log.h"
#include "master/master_state.h"

#define SCENE_FD      100000
#define SCENE_PID     5000
#define SCENE_WORKERS 4
#define SCENE_SENT    64

struct scene_sent {
	int channel;
	struct message message;
	int fd;
};

struct scene_inbound {
	int channel;
	struct message message;
	int fd;
};

static struct scene {
	struct master m;
	struct master_options options;
	uint64_t now;
	/* what was sent, and to which channels nothing can be sent */
	struct scene_sent sent[SCENE_SENT];
	size_t sent_count;
	int deaf;                    /* a channel; 0: none */
	enum message_type deaf_type; /* that does not take these; 0: any */
	int error;                   /* with this errno; 0: EAGAIN */
	/* what waits to be received; a channel that is closed by the other side */
	struct scene_inbound inbound[SCENE_SENT];
	size_t inbound_count, inbound_next;
	int closed;
	/* signals */
	pid_t killed[SCENE_SENT];
	int signals[SCENE_SENT];
	size_t kill_count;
	int kill_error;
	/* descriptors that are only numbers and were closed; settings that were freed */
	size_t closed_fds, freed_settings;
	unsigned gates_shut; /* sockets that let no client in any more */
	pid_t last_pid;
	int log;
	off_t log_seen;
} scene;

uint64_t __wrap_clock_ms(void);
int __wrap_channel_send(int channel, struct message *m, int fd);
enum channel_result __wrap_channel_receive(int channel, struct message *m, int *fd);
int __wrap_kill(pid_t pid, int number);
void __real_fd_close(int *fd);
void __wrap_fd_close(int *fd);
void __wrap_settings_free(struct settings *settings);
void __wrap_listener_gate(int fd, bool shut);
_Noreturn void __wrap___assert_fail(
	const char *expression, const char *file, unsigned line, const char *function);

uint64_t __wrap_clock_ms(void)
{
	return scene.now;
}

int __wrap_channel_send(int channel, struct message *m, int fd)
{
	if (channel == scene.deaf && (scene.deaf_type == 0 || m->type == scene.deaf_type)) {
		errno = scene.error != 0 ? scene.error : EAGAIN;
		return -1;
	}
	/* Only these carry a descriptor. */
	if (m->type != MESSAGE_STAND_IN && m->type != MESSAGE_CLIENT &&
		m->type != MESSAGE_REOPEN_LOG && m->type != MESSAGE_REOPEN_ACCESS)
		assert_int_equal(fd, -1);
	assert_true(scene.sent_count < SCENE_SENT);
	scene.sent[scene.sent_count++] = (struct scene_sent){ channel, *m, fd };
	return 0;
}

enum channel_result __wrap_channel_receive(int channel, struct message *m, int *fd)
{
	for (size_t i = scene.inbound_next; i < scene.inbound_count; i++) {
		if (scene.inbound[i].channel != channel)
			continue;
		*m = scene.inbound[i].message;
		*fd = scene.inbound[i].fd;
		scene.inbound[i].channel = 0;
		return CHANNEL_MESSAGE;
	}
	return channel == scene.closed ? CHANNEL_CLOSED : CHANNEL_EMPTY;
}

int __wrap_kill(pid_t pid, int number)
{
	assert_true(scene.kill_count < SCENE_SENT);
	scene.killed[scene.kill_count] = pid;
	scene.signals[scene.kill_count++] = number;
	errno = scene.kill_error;
	return scene.kill_error != 0 ? -1 : 0;
}

void __wrap_fd_close(int *fd)
{
	if (*fd < SCENE_FD) {
		__real_fd_close(fd);
		return;
	}
	scene.closed_fds++;
	*fd = -1;
}

void __wrap_listener_gate(int fd, bool shut)
{
	(void)fd;
	scene.gates_shut += shut;
}

/* Settings belong to the test, on its stack or static. */
void __wrap_settings_free(struct settings *settings)
{
	(void)settings;
	scene.freed_settings++;
}

/* expect_assert_failure() of cmocka finds what the program asserts itself. */
void __wrap___assert_fail(
	const char *expression, const char *file, unsigned line, const char *function)
{
	(void)function;
	mock_assert(0, expression, file, (int)line);
	abort();
}

#ifdef NDEBUG
#define scene_expect_assert(call) (void)0
#else
#define scene_expect_assert(call) expect_assert_failure(call)
#endif

static inline struct settings *scene_load(void *context)
{
	return context;
}

/* An empty master at a time that is not 0, and a log that the test can read. */
static inline int scene_setup(void **state)
{
	char path[64];

	(void)state;
	memset(&scene, 0, sizeof scene);
	scene.now = 1000000;
	scene.last_pid = SCENE_PID;
	scene.options.load = scene_load;
	master_state_init(&scene.m, &scene.options);
	rng_seed(&scene.m.jitter, 1, 0, 0, 0);
	scene.log = memfd_create("log", MFD_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", scene.log);
	if (scene.log == -1 || log_open(path, LOG_LEVEL_DEBUG) == -1)
		return -1;
	return master_state_make_board(&scene.m);
}

static inline void scene_free_generations(struct generation *g)
{
	if (g == NULL)
		return;
	rows_free(g->rows);
	g->rows = NULL;
	generation_free(g);
}

static inline int scene_teardown(void **state)
{
	struct master *m = &scene.m;

	(void)state;
	while (!list_is_empty(&m->children))
		child_remove(LIST_ITEM(m->children.next, struct child, link), m->board);
	scene_free_generations(m->current);
	scene_free_generations(m->next);
	while (!list_is_empty(&m->past))
		scene_free_generations(LIST_ITEM(m->past.next, struct generation, link));
	m->current = m->next = NULL;
	escrow_fini(&m->escrow);
	fdstore_fini(&m->fdstore);
	rows_free(m->rows);
	board_free(m->board);
	if (log_open("stderr", LOG_LEVEL_ERROR) == -1)
		return -1;
	close(scene.log);
	return 0;
}

/* True where a line of the log since the last call has this in it. */
static inline bool scene_logged(const char *text)
{
	static char all[65536];
	ssize_t n = pread(scene.log, all, sizeof all - 1, scene.log_seen);

	all[n > 0 ? n : 0] = '\0';
	return strstr(all, text) != NULL;
}

static inline void scene_forget_log(void)
{
	scene.log_seen = lseek(scene.log, 0, SEEK_END);
}

/* A generation in this state; the master does not know it yet. */
static inline struct generation *scene_generation(
	struct settings *settings, uint32_t number, uint32_t workers, enum generation_state state)
{
	struct generation *g = generation_make(settings, number, workers);

	assert_non_null(g);
	if (state == GENERATION_WATCHED)
		generation_set_state(g, GENERATION_STARTING);
	if (state != GENERATION_NEW)
		generation_set_state(g, state);
	return g;
}

/* A child with a channel, in this state. A worker gets a place on the board. */
static inline struct child *scene_child(
	struct generation *g, enum child_role role, uint32_t slot, enum child_state state)
{
	struct child *c = child_add(&scene.m.children, role, g, slot);

	assert_non_null(c);
	c->pid = scene.last_pid++;
	c->channel = SCENE_FD + (int)c->pid;
	if (role == CHILD_WORKER) {
		c->place = board_take(scene.m.board, g->number, slot);
		assert_non_null(c->place);
	}
	if (state != CHILD_STARTING)
		child_set_state(c, state, 0);
	return c;
}

static inline struct child *scene_worker(
	struct generation *g, uint32_t slot, enum child_state state)
{
	return scene_child(g, CHILD_WORKER, slot, state);
}

/* A TCP socket in escrow that is only a number. */
static inline void scene_socket(
	const struct address *key, uint32_t slot, uint32_t generation, bool shared)
{
	struct escrow_entry e = { .key = *key,
		.bound = *key,
		.slot = slot,
		.generation = generation,
		.shared = shared,
		.fd = SCENE_FD + 50000 + (int)slot };

	assert_int_equal(escrow_restore(&scene.m.escrow, &e), 0);
}

static inline void scene_say(
	const struct child *c, enum message_type type, uint32_t number, uint32_t id, int fd)
{
	assert_true(scene.inbound_count < SCENE_SENT);
	scene.inbound[scene.inbound_count++] = (struct scene_inbound){ c->channel,
		{ .type = type, .number = number, .id = id }, fd };
}

/* How many messages of this type went to a child (NULL: to any). */
static inline unsigned scene_count_sent(const struct child *c, enum message_type type)
{
	unsigned n = 0;

	for (size_t i = 0; i < scene.sent_count; i++)
		n += (c == NULL || scene.sent[i].channel == c->channel) &&
		     scene.sent[i].message.type == type;
	return n;
}

/* The last message of this type to a child; NULL: none. */
static inline const struct message *scene_last_sent(const struct child *c, enum message_type type)
{
	for (size_t i = scene.sent_count; i > 0; i--)
		if (scene.sent[i - 1].channel == c->channel &&
			scene.sent[i - 1].message.type == type)
			return &scene.sent[i - 1].message;
	return NULL;
}

static inline unsigned scene_count_killed(const struct child *c, int number)
{
	unsigned n = 0;

	for (size_t i = 0; i < scene.kill_count; i++)
		n += scene.killed[i] == c->pid && scene.signals[i] == number;
	return n;
}

#endif
