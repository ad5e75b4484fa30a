/*
 * The balancer under test: this program anew, in a process group of its own, told to report to a
 * socket of ours as it would to a service manager.
 */
#include "config.h"

#include "selftest_balancer.h"

#include <errno.h>
#include <fcntl.h>
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
static void become_balancer(const struct scene *scene, const char *program, int log, pid_t parent)
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
	(void)snprintf(notify, sizeof notify, "%s/notify", scene->folder);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A core, if there ever is one, belongs to what --keep keeps. */
	if (dup2(log, STDOUT_FILENO) == -1 || dup2(log, STDERR_FILENO) == -1 ||
		setenv("NOTIFY_SOCKET", notify, 1) == -1 || chdir(scene->folder) == -1)
		_exit(1);
	execl(program, "tinylb", "run", "-c", scene->file, (char *)NULL);
	log_error("cannot start %s", program);
	_exit(1);
}

int balancer_fork(struct scene *scene)
{
	struct guard_task task = { 0 };
	char program[PATH_MAX];
	pid_t parent = getpid();
	ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
	int log = open(scene->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (len == -1 || log == -1) {
		log_error("cannot start the balancer");
		fd_close(&log);
		return -1;
	}
	program[len] = '\0';
	/* The file may have been replaced or removed since this process began. */
	if (access(program, X_OK) == -1)
		(void)snprintf(program, sizeof program, "/proc/self/exe");
	scene->master = fork();
	if (scene->master == 0)
		become_balancer(scene, program, log, parent);
	fd_close(&log);
	if (scene->master == -1) {
		log_error("cannot start a process for the balancer");
		scene->master = 0;
		return -1;
	}
	(void)setpgid(scene->master, scene->master);
	task.group = scene->master;
	guard_tell(&scene->guard, &task);
	return 0;
}

void balancer_listen(struct scene *scene)
{
	char text[512];
	ssize_t len;

	while ((len = recv(scene->told, text, sizeof text - 1, 0)) > 0) {
		const char *at = text;

		text[len] = '\0';
		if (scan_text(&at, "READY=1\nSTATUS=Generation ") &&
			scan_number(&at, 10, &scene->generation) && scan_text(&at, ", ") &&
			scan_number(&at, 10, &scene->workers))
			scene->ready_count++;
	}
}

void balancer_signal(const struct scene *scene, int number)
{
	if (scene->master > 0)
		(void)kill(scene->master, number);
}

/* The end of the log, for whoever has to find out why there is no balancer. */
static void show_log(const struct scene *scene)
{
	static const int lines = 10;
	char text[4096];
	FILE *in = fopen(scene->log, "re");
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
	log_errorx("the balancer said last:\n%s", text + len);
}

/* The port that the kernel chose stands in the log's first lines. 0, or -1. */
static int learn_port(struct scene *scene)
{
	static const char words[] = "listening on 127.0.0.1:";
	char line[1024];
	FILE *in = fopen(scene->log, "re");

	while (in != NULL && scene->port == 0 && fgets(line, sizeof line, in) != NULL) {
		const char *at = strstr(line, words);

		if (at != NULL)
			scene->port = (uint16_t)strtoul(at + sizeof words - 1, NULL, 10);
	}
	if (in != NULL)
		(void)fclose(in);
	return scene->port != 0 ? 0 : -1;
}

bool balancer_has_ended(const struct scene *scene, int *code, int *status)
{
	siginfo_t info = { 0 };
	bool failed = waitid(P_PID, (id_t)scene->master, &info, WEXITED | WNOHANG | WNOWAIT) == -1;

	*code = info.si_code;
	*status = info.si_status;
	return failed || info.si_pid == scene->master;
}

int balancer_wait_ready(struct scene *scene)
{
	struct pollfd told = { .fd = scene->told, .events = POLLIN };
	uint64_t due = clock_ms() + START_MS;
	int code, status;

	while (scene->ready_count == 0 && clock_ms() < due &&
		!balancer_has_ended(scene, &code, &status)) {
		(void)poll(&told, 1, 20);
		balancer_listen(scene);
	}
	if (scene->ready_count > 0 && learn_port(scene) == 0)
		return 0;
	log_errorx("the balancer did not become ready");
	show_log(scene);
	return -1;
}

bool balancer_is_gone(const struct scene *scene)
{
	pid_t pid;

	while ((pid = waitpid(-scene->master, NULL, WNOHANG)) > 0)
		continue;
	return pid == -1 && errno == ECHILD;
}

static bool wait_for_end(const struct scene *scene, uint64_t ms)
{
	uint64_t due = clock_ms() + ms;

	while (!balancer_is_gone(scene)) {
		if (clock_ms() >= due)
			return false;
		usleep(5000);
	}
	return true;
}

void balancer_end(struct scene *scene)
{
	if (scene->master == 0)
		return;
	/* As long as any of its processes is there, its number belongs to none but it. */
	if (!balancer_is_gone(scene)) {
		(void)kill(-scene->master, SIGCONT);
		balancer_signal(scene, SIGTERM);
	}
	if (!wait_for_end(scene, END_MS)) {
		(void)kill(-scene->master, SIGKILL);
		if (!wait_for_end(scene, KILL_MS))
			log_errorx("a process of the group %d cannot be ended", (int)scene->master);
	}
	scene->master = 0;
}
