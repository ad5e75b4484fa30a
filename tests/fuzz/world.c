/*
 * Sets a proxy up and takes it down, turns its loop, and moves its clock. Backends listen on
 * abstract addresses, so that nothing is left in any folder.
 */
#include "config.h"

#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "kernel.h"
#include "settings/settings_words.h"

struct world world;

static void *fuzz_malloc(size_t size)
{
	return mem_alloc(size);
}

static void *fuzz_realloc(void *block, size_t size)
{
	return mem_resize(block, size, 1);
}

static void name_listener(unsigned i)
{
	struct address *a = &world.addresses[i];
	char *path = a->u.un.sun_path;
	int len = snprintf(
		path + 1, sizeof a->u.un.sun_path - 1, "tinylb-fuzz-%d-%u", (int)getpid(), i);

	a->u.un.sun_family = AF_UNIX;
	a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
	world.listeners[i] = -1;
}

static void open_listener(unsigned i)
{
	const struct address *a = &world.addresses[i];
	int fd = __real_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	FUZZ_CLAIM(fd != -1);
	FUZZ_CLAIM(bind(fd, &a->u.sa, a->len) == 0 && listen(fd, 8) == 0);
	world.listeners[i] = fd;
}

static void close_listener(unsigned i)
{
	if (world.listeners[i] != -1)
		(void)close(world.listeners[i]);
	world.listeners[i] = -1;
}

/* All clients here are peers on unix sockets. */
static const struct network everybody = { .family = AF_UNIX };

static struct settings *make_settings(unsigned variant)
{
	static const char *const listen_at[] = { "unix:/front" };
	static const char *const urls[] = { "unix:/a", "unix:/b" };
	struct settings_errors errors = { 0 };
	unsigned count = variant % 2 == 0 ? 1 : 2;
	struct settings *s = settings_words_load(listen_at, 1, urls, count, &errors);

	FUZZ_CLAIM(s != NULL);
	for (unsigned i = 0; i < count; i++)
		s->pools[0].backends[i].addresses->list[0] = world.addresses[i];
	s->timeouts = (struct timeout_settings){ .connect = 2000,
		.request_header = 5000,
		.response = 10000,
		.idle_client = 20000,
		.idle_backend = 8000,
		.lifetime_backend = 60000,
		.tunnel = 30000,
		.drain = 30000 };
	s->half_close = variant == 1 || variant == 2;
	if (variant == 1)
		s->pools[0].host = HOST_PRESERVE;
	if (variant == 2) {
		s->limits.header_size = 512;
		s->limits.header_count = 8;
	}
	if (variant == 3) {
		s->limits.buffers = 20000;
		s->forwarded = FORWARDED_X | FORWARDED_RFC7239;
		FUZZ_CLAIM(network_set_add(&s->trusted, &everybody) == 0);
		s->pools[0].balance = BALANCE_STICKY;
		s->pools[0].sticky.key = mem_strdup("0123456789abcdef");
		FUZZ_CLAIM(s->pools[0].sticky.key != NULL);
	}
	return s;
}

/* The loop keeps something for each descriptor it ever saw: so that all runs allocate alike, it has
 * seen enough of them. */
static void warm_up(void)
{
	struct event events[CLIENTS_MAX + BACKENDS_MAX];
	int fds[CLIENTS_MAX + BACKENDS_MAX];
	int count = 0;

	for (; count < CLIENTS_MAX + BACKENDS_MAX; count++) {
		fds[count] = eventfd(0, 0);
		FUZZ_CLAIM(event_assign(&events[count], world.loop.base, fds[count], EV_READ, NULL,
				   NULL) == 0);
		FUZZ_CLAIM(event_add(&events[count], NULL) == 0);
	}
	while (count-- > 0) {
		event_del(&events[count]);
		(void)close(fds[count]);
	}
}

void world_init(void)
{
	FUZZ_CLAIM(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	event_set_mem_functions(fuzz_malloc, fuzz_realloc, mem_free);
	FUZZ_CLAIM(log_open("/dev/null", LOG_LEVEL_DEBUG) == 0);
	FUZZ_CLAIM(loop_init(&world.loop) == 0);
	world.access_log = memfd_create("access", MFD_CLOEXEC);
	FUZZ_CLAIM(world.access_log != -1);
	for (unsigned i = 0; i < LISTENERS; i++)
		name_listener(i);
	for (unsigned i = 0; i < VARIANTS; i++)
		world.settings[i] = make_settings(i);
	warm_up();
}

static int lowest_descriptor(void)
{
	int fd = dup(world.access_log);

	(void)close(fd);
	return fd;
}

static void left(void *context)
{
	(void)context;
}

int world_begin(const struct choice *choice)
{
	struct proxy_start start = {
		.loop = &world.loop,
		.settings = world.settings[choice->settings % VARIANTS],
		.access_log = -1,
		.left = left,
	};

	world.client_count = world.backend_count = 0;
	for (unsigned i = 0; i < SLOTS; i++)
		world.slots[i] = NULL;
	kernel.tight = choice->tight;
	kernel.shorts = choice->shorts;
	kernel.splits = choice->splits;
	kernel.broken = kernel.lost = kernel.poor = false;
	kernel.splices = 0;
	tokens_forget(choice->secret);
	world.limits.size = start.settings->limits.header_size;
	world.limits.count = (unsigned)start.settings->limits.header_count;
	world.lowest = lowest_descriptor();
	for (unsigned i = 0; i < LISTENERS; i++)
		open_listener(i);
	rng_seed(&start.rng, choice->picks, 0, 1, 0);
	start.access_log = dup(world.access_log);
	world.slow = choice->fail >= 0;
	world.held = world.raced = false;
	mem_fail_after(choice->fail);
	world.proxy = proxy_new(&start);
	if (world.proxy != NULL)
		return 0;
	(void)close(start.access_log);
	return -1;
}

/* One pass over what is ready. Returns whether the program had anything to do. */
static bool turn(void)
{
	uint64_t calls = kernel.clock_calls;

	(void)loop_turn(&world.loop, false);
	return kernel.clock_calls != calls;
}

/* Without bytes that move, nothing may go on for long. */
#define TURNS_MAX 200

void world_settle(void)
{
	unsigned idle = 0;

	while (!world.held) {
		bool worked = turn();
		bool heard = peers_hear();

		if (!worked && !heard) {
			peers_judge();
			break;
		}
		if (heard)
			idle = 0;
		FUZZ_CLAIM(++idle < TURNS_MAX);
	}
}

void world_wait(uint64_t ms)
{
	kernel.now_us += ms * 1000;
	if (world.loop.ticking)
		event_active(&world.loop.tick, EV_TIMEOUT, 1);
	world_settle();
}

/* The longest that a client can take: with as many requests waiting as there may be, each of which
 * is answered when its backend took too long. */
#define WAITS_MAX 600

void world_wait_for_silence(void)
{
	unsigned waits = 0;

	world.held = false;
	world_settle();
	while (proxy_client_count(world.proxy) > 0) {
		world_wait(4000);
		FUZZ_CLAIM(++waits < WAITS_MAX);
	}
	for (waits = 0; waits < 3; waits++)
		world_wait(4000);
	for (unsigned i = 0; i < world.backend_count; i++) {
		const struct peer *peer = &world.backends[i];

		FUZZ_CLAIM(peer->fd == -1 || peer->deaf || peer->ended);
	}
}

void world_refuse(unsigned backend)
{
	if (world.listeners[backend % LISTENERS] != -1)
		close_listener(backend % LISTENERS);
	else
		open_listener(backend % LISTENERS);
}

/* Whatever a request was, a line of the log is one line. */
static void judge_access_log(void)
{
	static char lines[1 << 20];
	ssize_t len = pread(world.access_log, lines, sizeof lines, 0);

	for (ssize_t i = 0; i < len; i++)
		FUZZ_CLAIM(lines[i] == '\n' || (lines[i] >= ' ' && lines[i] < 0x7f));
	FUZZ_CLAIM(len <= 0 || len == sizeof lines || lines[len - 1] == '\n');
	FUZZ_CLAIM(ftruncate(world.access_log, 0) == 0);
	FUZZ_CLAIM(lseek(world.access_log, 0, SEEK_SET) == 0);
}

static void close_world(void)
{
	for (unsigned i = 0; i < LISTENERS; i++)
		close_listener(i);
	peers_close();
}

/* What is left in it would be the next one's. */
static void close_pipe(struct pipe *pipe)
{
	int left = 0;

	FUZZ_CLAIM(pipe->ends[0] == -1 || ioctl(pipe->ends[0], FIONREAD, &left) == 0);
	FUZZ_CLAIM(left == 0);
	pipe_close(pipe);
}

void world_end(void)
{
	if (world.proxy != NULL) {
		world.held = false;
		close_world();
		world_settle();
		/* A buffer that was made with too little memory may never write. */
		if (world.slow)
			world_wait_for_silence();
		FUZZ_CLAIM(proxy_client_count(world.proxy) == 0);
		proxy_free(world.proxy);
		world_settle();
		FUZZ_CLAIM(world.loop.buffered == 0);
	}
	close_world();
	close_pipe(&world.loop.pipe);
	mem_fail_after(-1);
	world.proxy = NULL;
	FUZZ_CLAIM(lowest_descriptor() == world.lowest);
	judge_access_log();
}
