/*
 * The sandbox of a worker: what works in it, what is refused, what kills. Each try is a process of
 * its own. The linker wraps syscall(2)'s and prctl(2)'s functions, so that older kernels than this
 * one can be played; what this one really lacks is skipped by name.
 */
#include "config.h"

#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "net/listener.h"
#include "worker/filter.h"
#include "worker/landlock.h"

#define EXIT_SKIP 77

/* There only in a build that measures coverage. */
extern void __gcov_init(void *) __attribute__((weak));

/* The kernel that is played: the version of Landlock it has, and whether it has filters. */
static long landlock_most = 1000;
static bool filters_wanted = true;

/* What was given up in files at the last call, for comparison with what a version knows. */
static uint64_t files_seen;

long __wrap_syscall(long number, ...);
long __real_syscall(long number, ...);
int __wrap_prctl(int option, ...);
int __real_prctl(int option, ...);

long __wrap_syscall(long number, ...)
{
	long a[4];
	va_list args;

	va_start(args, number);
	for (size_t i = 0; i < 4; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_landlock_create_ruleset && landlock_most == 0) {
		errno = ENOSYS;
		return -1;
	}
	if (number == SYS_landlock_create_ruleset && a[0] == 0) {
		long real = __real_syscall(number, a[0], a[1], a[2]);

		return real < landlock_most ? real : landlock_most;
	}
	if (number == SYS_landlock_create_ruleset)
		memcpy(&files_seen, (void *)a[0], sizeof files_seen);
	return __real_syscall(number, a[0], a[1], a[2], a[3]);
}

int __wrap_prctl(int option, ...)
{
	unsigned long a[4];
	va_list args;

	va_start(args, option);
	for (size_t i = 0; i < 4; i++)
		a[i] = va_arg(args, unsigned long);
	va_end(args);
	if (option == PR_SET_SECCOMP && !filters_wanted) {
		errno = EINVAL;
		return -1;
	}
	return __real_prctl(option, a[0], a[1], a[2], a[3]);
}

/* A backend on TCP, one on a unix socket, and somebody else. */
static char directory[] = "/tmp/test_sandbox.XXXXXX";
static char unix_path[64];
static int backend_fd, unix_fd, other_fd;
static struct address backend_address, other_address;
static struct backend_settings backends[2];
static struct pool_settings pool = { .backends = backends, .backend_count = 2 };
static struct settings settings = { .sandbox = true, .pools = &pool, .pool_count = 1 };

static int listen_somewhere(struct address *a)
{
	const char *why;
	int fd;

	if (address_parse_listen("127.0.0.1:0", a, &why) == -1)
		return -1;
	fd = listener_bind(a);
	if (fd == -1 || listen(fd, 8) == -1 || getsockname(fd, &a->u.sa, &a->len) == -1)
		return -1;
	return fd;
}

static int group_setup(void **state)
{
	struct address a;
	const char *why;

	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(unix_path, sizeof unix_path, "%s/backend", directory);
	backend_fd = listen_somewhere(&backend_address);
	other_fd = listen_somewhere(&other_address);
	if (address_parse_unix(unix_path, &a, &why) == -1)
		return -1;
	unix_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(unix_fd, &a.u.sa, a.len) == -1 || listen(unix_fd, 8) == -1)
		return -1;
	backends[0].url.port = address_port(&backend_address);
	return backend_fd != -1 && other_fd != -1 ? 0 : -1;
}

static int group_teardown(void **state)
{
	(void)state;
	close(backend_fd);
	close(unix_fd);
	close(other_fd);
	unlink(unix_path);
	return rmdir(directory);
}

/* One try: 0, or the errno of what failed, or -1 where no errno tells. */
struct
try {
	const char *name;
	int (*run)(void);
	unsigned part; /* of the sandbox; 0: it works without any */
	int result;
	int killed_by;
};

/* Runs it in a process of its own, which is `inside` the sandbox or not, and returns waitpid's
 * status. */
static int run_process(const struct try *t, bool inside)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		unsigned got = inside ? sandbox_enter(&settings, false) : t->part;

		/* Not to the test library, which would go on with the next test. */
		(void)signal(SIGSEGV, SIG_DFL);
		_exit((got & t->part) == t->part ? t->run() : EXIT_SKIP);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void check_tries(const struct try *tries, size_t count)
{
	size_t done = 0;

	for (size_t i = 0; i < count; i++) {
		const struct try *t = &tries[i];
		int status = run_process(t, true);

		if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP) {
			print_message("not here, for the sandbox lacks a part: %s\n", t->name);
			continue;
		}
		done++;
		print_message("%s\n", t->name);
		assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : 0, t->killed_by);
		if (t->killed_by == 0)
			assert_int_equal(WEXITSTATUS(status), t->result);
	}
	if (done == 0)
		skip();
}

/* The parts that this kernel has and this build uses. */
static unsigned find_parts(void)
{
	const char *preloaded = getenv("LD_PRELOAD");
	long version;
	uint32_t kill = SECCOMP_RET_KILL_PROCESS;
	unsigned parts = SANDBOX_GAIN;

	if ((preloaded != NULL && strstr(preloaded, "vgpreload") != NULL) || __gcov_init != NULL)
		return 0;
	version = __real_syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	if (version >= 1)
		parts |= SANDBOX_FILES;
	if (version >= 4)
		parts |= SANDBOX_PORTS;
	if (version >= 6)
		parts |= SANDBOX_SCOPES;
	if (__real_syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kill) == 0)
		parts |= SANDBOX_CALLS;
#if !defined __x86_64__ && !defined __aarch64__
	parts &= ~(unsigned)SANDBOX_CALLS;
#endif
#if defined __SANITIZE_ADDRESS__
	parts &= ~(unsigned)(SANDBOX_FILES | SANDBOX_CALLS);
#endif
	return parts;
}

static int report_parts(void)
{
	return (int)sandbox_enter(&settings, false);
}

/* Without this, a sandbox that does nothing would only make the other tests skip everything. */
static void test_all_there_is(void **state)
{
	static const struct try t = { .run = report_parts };
	int status = run_process(&t, false);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), find_parts());
}

#define CHECK_TRIES(tries) check_tries(tries, sizeof(tries) / sizeof *(tries))

/* What is needed. */

static int connect_to(const struct address *a)
{
	int fd = socket(a->u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return errno;
	return connect(fd, &a->u.sa, a->len) == -1 ? errno : 0;
}

static int connect_backend(void)
{
	return connect_to(&backend_address);
}

static int connect_unix(void)
{
	struct address a;
	const char *why;

	return address_parse_unix(unix_path, &a, &why) == -1 ? -1 : connect_to(&a);
}

static int use_memory(void)
{
	char *large = malloc(8 << 20), *larger, *small = malloc(100);

	if (large == NULL || small == NULL)
		return ENOMEM;
	memset(large, 1, 8 << 20);
	larger = realloc(large, 64 << 20);
	if (larger == NULL)
		return ENOMEM;
	free(larger);
	free(small);
	return 0;
}

/* A descriptor over a channel, a loop, a clock, a socket's options: as workers use them. */
static int use_descriptors(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ends[2], on = 1, waiting, epoll;
	struct stat st;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		return errno;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll == -1 || epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == -1 ||
		send(ends[1], "x", 1, MSG_NOSIGNAL) != 1 || epoll_wait(epoll, &event, 1, 1000) != 1)
		return errno;
	if (ioctl(ends[0], FIONREAD, &waiting) == -1 || fstat(ends[0], &st) == -1 ||
		setsockopt(other_fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == -1 ||
		fcntl(ends[0], F_DUPFD_CLOEXEC, 0) == -1 || listen(other_fd, 9) == -1)
		return errno;
	return fd_raise_limit() == 0 ? -1 : 0;
}

static int use_syslog_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd == -1 ? errno : 0;
}

static int end_with_abort(void)
{
	struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	abort();
}

static void test_what_workers_do(void **state)
{
	static const struct try tries[] = {
		{ "a backend", connect_backend, 0, 0, 0 },
		{ "a backend on a unix socket", connect_unix, 0, 0, 0 },
		{ "memory", use_memory, 0, 0, 0 },
		{ "descriptors", use_descriptors, 0, 0, 0 },
		{ "the socket for syslog", use_syslog_socket, 0, 0, 0 },
		{ "abort", end_with_abort, 0, 0, SIGABRT },
	};

	(void)state;
	CHECK_TRIES(tries);
}

/* What fails. */

static int open_file(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) == -1 ? errno : 0;
}

static int look_at_file(void)
{
	struct stat st;

	return stat("/etc/passwd", &st) == -1 ? errno : 0;
}

static int write_file(void)
{
	char path[80];

	snprintf(path, sizeof path, "%s/new", directory);
	return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) == -1 ? errno : 0;
}

static int connect_elsewhere(void)
{
	return connect_to(&other_address);
}

/* A connection without connect(2): TCP Fast Open. */
static int send_elsewhere(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t n = sendto(
		fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, &other_address.u.sa, other_address.len);

	return n == -1 ? errno : 0;
}

static int send_message_elsewhere(void)
{
	struct iovec data = { .iov_base = (char[]){ "x" }, .iov_len = 1 };
	struct msghdr m = { .msg_name = &other_address.u.sa,
		.msg_namelen = other_address.len,
		.msg_iov = &data,
		.msg_iovlen = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return sendmsg(fd, &m, MSG_FASTOPEN | MSG_NOSIGNAL) == -1 ? errno : 0;
}

static int bind_port(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return bind(fd, (struct sockaddr *)&any, sizeof any) == -1 ? errno : 0;
}

static int make_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0) == -1 ? errno : 0;
}

static int make_udp(void)
{
	return socket(AF_INET6, SOCK_DGRAM, 0) == -1 ? errno : 0;
}

static int make_sctp(void)
{
	return socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP) == -1 ? errno : 0;
}

static int map_code(void)
{
	int prot = PROT_READ | PROT_WRITE | PROT_EXEC;
	void *map = mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return map == MAP_FAILED ? errno : 0;
}

static int make_code(void)
{
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return -1;
	return mprotect(map, 4096, PROT_READ | PROT_EXEC) == -1 ? errno : 0;
}

static int signal_parent(void)
{
	return kill(getppid(), 0) == -1 ? errno : 0;
}

static int type_on_terminal(void)
{
	return ioctl(STDERR_FILENO, TIOCSTI, "x") == -1 ? errno : 0;
}

static int call_unknown(void)
{
	return __real_syscall(9999) == -1 ? errno : 0;
}

static void test_what_is_refused(void **state)
{
	static const struct try tries[] = {
		{ "a file", open_file, SANDBOX_FILES, EACCES, 0 },
		{ "a new file", write_file, SANDBOX_FILES, EACCES, 0 },
		{ "what is known of a file", look_at_file, SANDBOX_CALLS, EACCES, 0 },
		{ "another port", connect_elsewhere, SANDBOX_PORTS, EACCES, 0 },
		{ "another port at once", send_elsewhere, SANDBOX_CALLS, EOPNOTSUPP, 0 },
		{ "another port, by message", send_message_elsewhere, SANDBOX_CALLS, EOPNOTSUPP,
			0 },
		{ "a port of its own", bind_port, SANDBOX_PORTS, EACCES, 0 },
		{ "netlink", make_netlink, SANDBOX_CALLS, EAFNOSUPPORT, 0 },
		{ "UDP", make_udp, SANDBOX_CALLS, EAFNOSUPPORT, 0 },
		{ "SCTP", make_sctp, SANDBOX_CALLS, EAFNOSUPPORT, 0 },
		{ "memory to run", map_code, SANDBOX_CALLS, EPERM, 0 },
		{ "memory made to run", make_code, SANDBOX_CALLS, EPERM, 0 },
		{ "a signal to its parent", signal_parent, SANDBOX_SCOPES, EPERM, 0 },
		{ "a terminal's input", type_on_terminal, SANDBOX_CALLS, ENOTTY, 0 },
		{ "an unknown call", call_unknown, SANDBOX_CALLS, ENOSYS, 0 },
	};

	(void)state;
	CHECK_TRIES(tries);
}

/* What kills. */

static int run_program(void)
{
	char *const words[] = { (char[]){ "true" }, NULL };

	return execv("/bin/true", words) == -1 ? errno : 0;
}

static int run_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid == -1 ? errno : 0;
}

static int call(long number)
{
	return __real_syscall(number, -1, NULL, -1, 0, 0) == -1 ? errno : 0;
}

static int run_ptrace(void)
{
	return call(SYS_ptrace);
}

static int run_bpf(void)
{
	return call(SYS_bpf);
}

static int run_io_uring(void)
{
	return call(SYS_io_uring_setup);
}

static void test_what_kills(void **state)
{
	static const struct try tries[] = {
		{ "a program", run_program, SANDBOX_CALLS, 0, SIGSYS },
		{ "fork", run_fork, SANDBOX_CALLS, 0, SIGSYS },
		{ "ptrace", run_ptrace, SANDBOX_CALLS, 0, SIGSYS },
		{ "bpf", run_bpf, SANDBOX_CALLS, 0, SIGSYS },
		{ "io_uring", run_io_uring, SANDBOX_CALLS, 0, SIGSYS },
	};

	(void)state;
	CHECK_TRIES(tries);
}

#if defined __x86_64__
static int run_32_bits(void)
{
	long result = 20; /* getpid */

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory");
	return 0;
}

/* The numbers of calls mean others there. */
static void test_calls_of_32_bits(void **state)
{
	static const struct try t = { "32 bits", run_32_bits, SANDBOX_CALLS, 0, 0 };
	int status;

	(void)state;
	status = run_process(&t, false);
	if (!WIFEXITED(status)) {
		print_message("not here, for the kernel has no calls of 32 bits\n");
		skip();
	}
	status = run_process(&t, true);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP)
		skip();
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}
#endif

static void test_switched_off(void **state)
{
	static const struct try tries[] = {
		{ "a file", open_file, 0, 0, 0 },
		{ "another port", connect_elsewhere, 0, 0, 0 },
		{ "fork", run_fork, 0, 0, 0 },
	};

	(void)state;
	settings.sandbox = false;
	CHECK_TRIES(tries);
	settings.sandbox = true;
}

/* Each half alone: what one of them forbids must not hide that the other does not. */

static int open_with_filter(void)
{
	if (__real_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || !filter_enter())
		return EXIT_SKIP;
	return open_file();
}

static int open_with_landlock(void)
{
	if (__real_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
		(landlock_enter(&settings, false) & SANDBOX_FILES) == 0)
		return EXIT_SKIP;
	return open_file() != EACCES ? -1 : write_file();
}

static void test_halves(void **state)
{
	static const struct try tries[] = {
		{ "files by the filter", open_with_filter, 0, EACCES, 0 },
		{ "files by Landlock", open_with_landlock, 0, EACCES, 0 },
	};

	int status;

	(void)state;
	for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
		status = run_process(&tries[i], false);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == EXIT_SKIP)
			print_message("not here: %s\n", tries[i].name);
		else
			assert_int_equal(WEXITSTATUS(status), tries[i].result);
	}
}

/* Older kernels. */

/* Enters the sandbox and tells; the log's words end up in `said`. Returns the parts in force. */
static unsigned enter_and_tell(char *said, size_t size)
{
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		_exit((int)sandbox_enter(&settings, true));
	}
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	n = read(ends[0], said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	assert_true(WIFEXITED(status));
	return (unsigned)WEXITSTATUS(status);
}

static void test_older_kernels(void **state)
{
	static const unsigned parts[] = { 0, SANDBOX_FILES, SANDBOX_FILES, SANDBOX_FILES,
		SANDBOX_FILES | SANDBOX_PORTS, SANDBOX_FILES | SANDBOX_PORTS,
		SANDBOX_FILES | SANDBOX_PORTS | SANDBOX_SCOPES };
	const size_t last = sizeof parts / sizeof *parts - 1;
	unsigned all;
	char said[600];

	(void)state;
	all = enter_and_tell(said, sizeof said);
	if ((all & (parts[last] | SANDBOX_CALLS)) != (parts[last] | SANDBOX_CALLS)) {
		print_message("not here, for the sandbox lacks a part\n");
		skip();
	}
	assert_string_equal(said, "");
	for (size_t i = 0; i < last; i++) {
		landlock_most = (long)i;
		assert_int_equal(
			enter_and_tell(said, sizeof said), parts[i] | SANDBOX_GAIN | SANDBOX_CALLS);
		/* One line, and in it what is missing and no more. */
		assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
		assert_int_equal(strstr(said, "for files") != NULL, i < 1);
		assert_int_equal(strstr(said, "for ports") != NULL, i < 4);
		assert_non_null(strstr(said, "for signals"));
		assert_null(strstr(said, "filter of system calls"));
	}
	landlock_most = 1000;
	filters_wanted = false;
	assert_int_equal(enter_and_tell(said, sizeof said), all & ~(unsigned)SANDBOX_CALLS);
	assert_non_null(strstr(said, "a filter of system calls\n"));
	assert_null(strstr(said, "Landlock"));
	filters_wanted = true;
}

/* A kernel refuses rights that came later than its version. */
static void test_rights_of_each_version(void **state)
{
	static const uint64_t known[] = { 0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff };
	int status;

	(void)state;
	for (size_t i = 1; i < sizeof known / sizeof *known; i++) {
		landlock_most = (long)i;
		if (fork() == 0) {
			(void)landlock_enter(&settings, false);
			/* 0 where there is no Landlock at all. */
			_exit(files_seen == known[i] || files_seen == 0 ? 0 : 1);
		}
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	landlock_most = 1000;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_there_is),
		cmocka_unit_test(test_what_workers_do),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_what_kills),
#if defined __x86_64__
		cmocka_unit_test(test_calls_of_32_bits),
#endif
		cmocka_unit_test(test_switched_off),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_older_kernels),
		cmocka_unit_test(test_rights_of_each_version),
	};

	if (find_parts() == 0) {
		print_message("no sandbox under valgrind, and where coverage is measured\n");
		return EXIT_SKIP;
	}
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
