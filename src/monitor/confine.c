/*
 * A list of what is denied, not of what is allowed as workers have it: looking up a name may take
 * any file, any kind of socket, and libraries that the system's settings name.
 */
#include "config.h"

#include "confine.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

#include "base/calls.h"

/* At its end AddressSanitizer looks into the process with what is denied here. */
#if defined CALLS_ARCH && !defined __SANITIZE_ADDRESS__

#define CODE_MAX 256

/* From here on x86-64 has all calls once more, by other numbers: for programs of x32. Other kinds
 * of processors have no calls there. */
#define OTHER_NUMBERS 0x40000000u

bool confine_enter(void)
{
	struct sock_filter code[CODE_MAX];
	struct sock_fprog program = { .filter = code };
	unsigned short n = 0;

	assert(6 + 2 * calls_never.count + 1 <= CODE_MAX);
	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALLS_ARCH, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, OTHER_NUMBERS, 0, 1);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	for (size_t i = 0; i < calls_never.count; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls_never.list[i], 0, 1);
		code[n++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

#else

bool confine_enter(void)
{
	return false;
}

#endif
