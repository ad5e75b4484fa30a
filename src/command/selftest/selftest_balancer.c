/*
 * The balancer under test: this program anew, in a process group of its own, told to report to a
 * socket of ours as it would to a service manager.
 */
#include "config.h"

#include "selftest_balancer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "selftest_scan.h"

#define START_MS 30000

/* What is asked to end has so long, and then what is killed. */
#define END_MS  3000
#define KILL_MS 3000

/* The child's side: becomes the balancer, with nothing of this process but its rights. */
static void become_balancer(const struct balancer *b, const char *program, int log, pid_t parent)
{
	static const char *const others[] = { "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
		"WATCHDOG_PID", "WATCHDOG_USEC", "FDSTORE", "JOURNAL_STREAM" };
	char notify[PATH_MAX + 8];
	sigset_t none;

	(void)setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		(void)unsetenv(others[i]);
	(void)snprintf(notify, sizeof notify, "%s/notify", b->folder);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A core, if there ever is one, belongs to what --keep keeps. */
	if (dup2(log, STDOUT_FILENO) == -1 || dup2(log, STDERR_FILENO) == -1 ||
		setenv("NOTIFY_SOCKET", notify, 1) == -1 || chdir(b->folder) == -1)
		_exit(1);
	execl(program, "tinylb", "run", "-c", b->file, (char *)NULL);
	log_error("cannot start %s", program);
	_exit(1);
}

int selftest_balancer_fork(struct balancer *b, const struct guard *guard)
{
	struct guard_task task = { 0 };
	char program[PATH_MAX];
	pid_t parent = getpid();
	ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
	int log = open(b->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert(b->master == 0);
	if (len == -1 || log == -1) {
		log_error("cannot start the balancer");
		fd_close(&log);
		return -1;
	}
	program[len] = '\0';
	/* The file may have been replaced or removed since this process began. */
	if (access(program, X_OK) == -1)
		(void)snprintf(program, sizeof program, "/proc/self/exe");
	b->master = fork();
	if (b->master == 0)
		become_balancer(b, program, log, parent);
	fd_close(&log);
	if (b->master == -1) {
		log_error("cannot start a process for the balancer");
		b->master = 0;
		return -1;
	}
	(void)setpgid(b->master, b->master);
	task.group = b->master;
	selftest_guard_tell(guard, &task);
	return 0;
}

void selftest_balancer_listen(struct balancer *b)
{
	char text[512];
	ssize_t len;

	while ((len = recv(b->told, text, sizeof text - 1, 0)) > 0) {
		const char *at = text;

		text[len] = '\0';
		if (selftest_scan_text(&at, "READY=1\nSTATUS=Generation ") &&
			selftest_scan_number(&at, 10, &b->generation) &&
			selftest_scan_text(&at, ", ") && selftest_scan_number(&at, 10, &b->workers))
			b->ready_count++;
	}
}

void selftest_balancer_signal(const struct balancer *b, int number)
{
	if (b->master > 0)
		(void)kill(b->master, number);
}

/* Shows the end of the log, which tells why there is no balancer. */
static void show_log(const struct balancer *b)
{
	static const int lines = 10;
	char text[4096], *rest, *line;
	FILE *in = fopen(b->log, "re");
	size_t len = 0;
	int count = 0;

	if (in == NULL)
		return;
	if (fseek(in, -(long)sizeof text + 1, SEEK_END) == -1)
		rewind(in);
	len = fread(text, 1, sizeof text - 1, in);
	(void)fclose(in);
	text[len] = '\0';
	while (len > 0 && (count += text[len - 1] == '\n') <= lines)
		len--;
	log_errorx("the balancer said last:");
	rest = text + len;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			log_errorx("%s", line);
}

/* The port that the kernel chose stands in the log's first lines. 0, or -1. */
static int learn_port(struct balancer *b)
{
	static const char words[] = "listening on 127.0.0.1:";
	char line[1024];
	FILE *in = fopen(b->log, "re");

	while (in != NULL && b->port == 0 && fgets(line, sizeof line, in) != NULL) {
		const char *at = strstr(line, words);

		if (at != NULL)
			b->port = (uint16_t)strtoul(at + sizeof words - 1, NULL, 10);
	}
	if (in != NULL)
		(void)fclose(in);
	return b->port != 0 ? 0 : -1;
}

bool selftest_balancer_has_ended(const struct balancer *b, int *code, int *status)
{
	siginfo_t info = { 0 };
	bool failed = waitid(P_PID, (id_t)b->master, &info, WEXITED | WNOHANG | WNOWAIT) == -1;

	*code = info.si_code;
	*status = info.si_status;
	return failed || info.si_pid == b->master;
}

int selftest_balancer_wait_ready(struct balancer *b)
{
	struct pollfd told = { .fd = b->told, .events = POLLIN };
	uint64_t due = clock_ms() + START_MS;
	int code, status;

	while (b->ready_count == 0 && clock_ms() < due &&
		!selftest_balancer_has_ended(b, &code, &status)) {
		(void)poll(&told, 1, 20);
		selftest_balancer_listen(b);
	}
	if (b->ready_count > 0 && learn_port(b) == 0)
		return 0;
	log_errorx("the balancer did not become ready");
	show_log(b);
	return -1;
}

bool selftest_balancer_is_gone(const struct balancer *b)
{
	pid_t pid;

	/* Of another number it would reap processes that are not the balancer's. */
	assert(b->master > 1);
	while ((pid = waitpid(-b->master, NULL, WNOHANG)) > 0)
		continue;
	return pid == -1 && errno == ECHILD;
}

static bool wait_for_end(const struct balancer *b, uint64_t ms)
{
	uint64_t due = clock_ms() + ms;

	while (!selftest_balancer_is_gone(b)) {
		if (clock_ms() >= due)
			return false;
		usleep(5000);
	}
	return true;
}

void selftest_balancer_end(struct balancer *b)
{
	if (b->master == 0)
		return;
	/* While any of its processes is there, the number of the group is its own. */
	if (!selftest_balancer_is_gone(b)) {
		(void)kill(-b->master, SIGCONT);
		selftest_balancer_signal(b, SIGTERM);
	}
	if (!wait_for_end(b, END_MS)) {
		(void)kill(-b->master, SIGKILL);
		if (!wait_for_end(b, KILL_MS))
			log_errorx("a process of the group %d cannot be ended", (int)b->master);
	}
	b->master = 0;
}
