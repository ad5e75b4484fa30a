/*
 * A list of what is denied, not of what is allowed as workers have it: looking up a name may take
 * any file, any kind of socket, and libraries that the system's settings name.
 */
#include "config.h"

#include "confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined __x86_64__ && defined __LP64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__ && defined __AARCH64EL__
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* At its end AddressSanitizer looks into the process with what is denied here. */
#if defined ARCH && !defined __SANITIZE_ADDRESS__

static const int denied[] = {
	/* other programs, other processes */
	SYS_execve,
	SYS_execveat,
	SYS_kcmp,
	SYS_pidfd_getfd,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_ptrace,
	/* what is mounted */
	SYS_chroot,
	SYS_fsmount,
	SYS_fsopen,
	SYS_mount,
	SYS_move_mount,
	SYS_open_by_handle_at,
	SYS_open_tree,
	SYS_pivot_root,
	SYS_setns,
	SYS_umount2,
	SYS_unshare,
	/* the kernel's own */
	SYS_add_key,
	SYS_bpf,
	SYS_delete_module,
	SYS_finit_module,
	SYS_init_module,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_io_uring_setup,
	SYS_kexec_load,
	SYS_keyctl,
	SYS_perf_event_open,
	SYS_reboot,
	SYS_request_key,
	SYS_userfaultfd,
};

#define COUNT (sizeof denied / sizeof *denied)
#define CODE  (6 + 2 * COUNT + 1)

/* From here on x86-64 has all calls once more, by other numbers: for programs of x32. Other kinds
 * of processors have no calls there. */
#define OTHER_NUMBERS 0x40000000u

bool confine_enter(void)
{
	struct sock_filter code[CODE];
	struct sock_fprog program = { .len = CODE, .filter = code };
	size_t n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, OTHER_NUMBERS, 0, 1);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	for (size_t i = 0; i < COUNT; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)denied[i], 0, 1);
		code[n++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

#else

bool confine_enter(void)
{
	return false;
}

#endif
