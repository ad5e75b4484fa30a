/*
 * The filter of system calls: a program of classic BPF, written when a worker starts, that the
 * kernel runs before each call. Since Linux 5.11 the kernel knows of calls that are allowed
 * whatever their arguments are and does not run it for them. Of those that every request makes only
 * the sending ones have an argument looked at, first of all. Which calls are which is in
 * allowed_calls.c.
 */
#include "config.h"

#include "filter.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "allowed_calls.h"

#ifdef CALLS_ARCH

#define PROGRAM_MAX 1024

#define ALLOW      SECCOMP_RET_ALLOW
#define KILL       SECCOMP_RET_KILL_PROCESS
#define FAIL(code) (SECCOMP_RET_ERRNO | (code))

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short len; /* PROGRAM_MAX: it did not fit */
};

static void add(struct program *p, unsigned code, uint8_t if_true, uint8_t if_false, uint32_t k)
{
	if (p->len < PROGRAM_MAX)
		p->code[p->len++] = (struct sock_filter){ (uint16_t)code, if_true, if_false, k };
}

static void add_return(struct program *p, uint32_t result)
{
	add(p, BPF_RET | BPF_K, 0, 0, result);
}

/* The next instruction alone is run only where what was loaded is `value`. */
static void add_result(struct program *p, uint32_t value, uint32_t result)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
	add_return(p, result);
}

static void add_results(struct program *p, const uint32_t *values, size_t count, uint32_t result)
{
	for (size_t i = 0; i < count; i++)
		add_result(p, values[i], result);
}

static void add_calls(struct program *p, const struct calls *calls, uint32_t result)
{
	for (size_t i = 0; i < calls->count; i++)
		add_result(p, (uint32_t)calls->list[i], result);
}

/* Begins a part that is run for one call only. It ends with a return, because it loads arguments
 * over the number of the call. Returns what end_call needs. */
static unsigned short begin_call(struct program *p, int call)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (uint32_t)call);
	return p->len;
}

static void end_call(struct program *p, unsigned short begin, uint32_t otherwise)
{
	add_return(p, otherwise);
	assert(begin > 0 && p->len - begin <= UINT8_MAX);
	p->code[begin - 1].jf = (uint8_t)(p->len - begin);
}

/* Loads an argument: all that are looked at have 32 bits, or nothing of interest above them. */
static void add_load(struct program *p, unsigned argument)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, 0, 0,
		(uint32_t)(offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t)));
}

static void add_choice(struct program *p, const struct call_choice *c)
{
	unsigned short begin = begin_call(p, c->call);

	add_load(p, c->argument);
	add_results(p, c->values, c->count, ALLOW);
	end_call(p, begin, FAIL((uint32_t)c->error));
}

/* Unix sockets of any kind, and TCP: other protocols would get past what Landlock knows. */
static void add_socket(struct program *p)
{
	unsigned short begin = begin_call(p, SYS_socket);

	add_load(p, 0);
	add_result(p, AF_UNIX, ALLOW);
	/* IPv4 and IPv6 jump over the return. */
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, AF_INET);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AF_INET6);
	add_return(p, FAIL(EAFNOSUPPORT));
	add_load(p, 1);
	add(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SOCK_STREAM);
	add_return(p, FAIL(EAFNOSUPPORT));
	add_load(p, 2);
	add_result(p, 0, ALLOW);
	add_result(p, IPPROTO_TCP, ALLOW);
	end_call(p, begin, FAIL(EAFNOSUPPORT));
}

/* The call fails with `error` where an argument has one of these bits. */
static void add_without(struct program *p, int call, unsigned argument, uint32_t bits, int error)
{
	unsigned short begin = begin_call(p, call);

	add_load(p, argument);
	add(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, bits);
	add_return(p, FAIL((uint32_t)error));
	end_call(p, begin, ALLOW);
}

/* Denies TCP Fast Open: a connection that begins with a send is one that Landlock does not see. */
static void add_sending(struct program *p)
{
	add_without(p, SYS_sendmsg, 2, MSG_FASTOPEN, EOPNOTSUPP);
	add_without(p, SYS_sendto, 3, MSG_FASTOPEN, EOPNOTSUPP);
	add_without(p, SYS_sendmmsg, 3, MSG_FASTOPEN, EOPNOTSUPP);
}

/* Memory is never both written by the program and run. */
static void add_memory(struct program *p)
{
	add_without(p, SYS_mmap, 2, PROT_EXEC, EPERM);
	add_without(p, SYS_mprotect, 2, PROT_EXEC, EPERM);
}

/* Signals for itself: abort(3). It has one thread, whose number is that of the process. */
static void add_signals(struct program *p)
{
	const uint32_t own = (uint32_t)getpid();
	const struct call_choice choices[] = {
		{ SYS_kill, 0, &own, 1, EPERM },
		{ SYS_tkill, 0, &own, 1, EPERM },
		{ SYS_tgkill, 0, &own, 1, EPERM },
	};

	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
		add_choice(p, &choices[i]);
}

/* The calls of another kind of processor, which this one understands too, have other numbers. */
static void add_arch(struct program *p)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, CALLS_ARCH);
	add_return(p, KILL);
}

static void write_program(struct program *p)
{
	add_arch(p);
	add(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
	add_sending(p);
	add_calls(p, &allowed_calls_hot, ALLOW);
	add_calls(p, &allowed_calls_harmless, ALLOW);
	add_socket(p);
	add_memory(p);
	add_signals(p);
	for (size_t i = 0; i < allowed_calls_choice_count; i++)
		add_choice(p, &allowed_calls_choices[i]);
	add_calls(p, &allowed_calls_refused, FAIL(EACCES));
	add_calls(p, &allowed_calls_deadly, KILL);
	add_calls(p, &calls_never, KILL);
	add_return(p, FAIL(ENOSYS));
}

bool filter_enter(void)
{
	struct program program = { .len = 0 };
	struct sock_fprog loaded = { .filter = program.code };

	write_program(&program);
	loaded.len = program.len;
	return program.len < PROGRAM_MAX &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded, 0, 0) == 0;
}

#else

bool filter_enter(void)
{
	return false;
}

#endif
