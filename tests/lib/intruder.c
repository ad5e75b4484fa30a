/*
 * Preloaded into the program under test, this plays somebody who has taken a worker over: when the
 * next client is accepted, the worker does what the test chose. It can also play an older kernel.
 * What to do, and what came of it, is in a small file that the test has mapped as well;
 * tests/lib/intruder.py is the other end.
 */
#include "config.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As in intruder.py. */
struct control {
	int64_t act;      /* enum act; 0 again when it is being done */
	int64_t result;   /* 0, or the errno of what failed; -1: not done yet */
	int64_t port;     /* to connect to */
	int64_t landlock; /* the version that the kernel seems to have; -1: as it is */
	int64_t filters;  /* 0: the kernel seems to have no seccomp */
	char file[256];   /* that a program makes */
};

enum act { NOTHING, RUN, OPEN, CONNECT, CODE, SIGNAL };

static struct control *control;

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("INTRUDER");
	int fd = file != NULL ? open(file, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	if (fd == -1)
		return;
	map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		control = map;
}

static void *next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (found == NULL)
		abort();
	return found;
}

static int run_program(void)
{
	char *words[] = { (char[]){ "touch" }, control->file, NULL };

	return execve("/usr/bin/touch", words, (char *[]){ NULL });
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1)
		return -1;
	result = connect(fd, (struct sockaddr *)&a, sizeof a);
	close(fd);
	return result;
}

static int map_code(void)
{
	void *map = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return map == MAP_FAILED ? -1 : munmap(map, 4096);
}

static int do_act(enum act act)
{
	switch (act) {
	case RUN:
		return run_program();
	case OPEN:
		return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	case CONNECT:
		return connect_to((uint16_t)control->port);
	case CODE:
		return map_code();
	case SIGNAL:
		return kill(getppid(), 0);
	case NOTHING:
		break;
	}
	return 0;
}

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	static int (*real)(int, struct sockaddr *, socklen_t *, int);
	enum act act;
	int client;

	if (real == NULL)
		*(void **)&real = next("accept4");
	client = real(fd, address, len, flags);
	if (client == -1 || control == NULL || control->act == NOTHING)
		return client;
	act = (enum act)control->act;
	control->act = NOTHING;
	control->result = do_act(act) == -1 ? errno : 0;
	return client;
}

long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list args;

	if (real == NULL)
		*(void **)&real = next("syscall");
	va_start(args, number);
	for (size_t i = 0; i < sizeof a / sizeof *a; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_landlock_create_ruleset && control != NULL && control->landlock == 0) {
		errno = ENOSYS;
		return -1;
	}
	if (number == SYS_landlock_create_ruleset && a[0] == 0 && control != NULL &&
		control->landlock > 0)
		return control->landlock;
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int prctl(int option, ...)
{
	static int (*real)(int, ...);
	unsigned long a[4];
	va_list args;

	if (real == NULL)
		*(void **)&real = next("prctl");
	va_start(args, option);
	for (size_t i = 0; i < sizeof a / sizeof *a; i++)
		a[i] = va_arg(args, unsigned long);
	va_end(args);
	if (option == PR_SET_SECCOMP && control != NULL && control->filters == 0) {
		errno = EINVAL;
		return -1;
	}
	return real(option, a[0], a[1], a[2], a[3]);
}
