/* The list. Calls that only the older kinds of processors have stand behind an #ifdef. */
#include "config.h"

#include "base/calls.h"

#include <sys/syscall.h>

#ifdef CALLS_ARCH

static const int never[] = {
	/* other programs, other processes */
	SYS_execve,
	SYS_execveat,
	SYS_kcmp,
	SYS_pidfd_getfd,
	SYS_process_madvise,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_ptrace,
	/* what is mounted, and where one is */
	SYS_chroot,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fsopen,
	SYS_fspick,
	SYS_mount,
	SYS_mount_setattr,
	SYS_move_mount,
	SYS_open_by_handle_at,
	SYS_open_tree,
	SYS_pivot_root,
	SYS_setns,
	SYS_umount2,
	SYS_unshare,
	/* the kernel's own */
	SYS_acct,
	SYS_add_key,
	SYS_bpf,
	SYS_delete_module,
	SYS_finit_module,
	SYS_init_module,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_io_uring_setup,
	SYS_kexec_file_load,
	SYS_kexec_load,
	SYS_keyctl,
	SYS_perf_event_open,
	SYS_reboot,
	SYS_request_key,
	SYS_swapoff,
	SYS_swapon,
	SYS_syslog,
	SYS_userfaultfd,
#ifdef SYS_ioperm
	SYS_ioperm,
	SYS_iopl,
	SYS_modify_ldt,
#endif
};
const struct calls calls_never = { .list = never, .count = sizeof never / sizeof *never };

#endif
