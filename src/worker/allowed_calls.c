/*
 * The system calls that a worker makes, might make, and never makes. What is in no list fails with
 * ENOSYS: a C library that is newer than this list then takes an older way.
 *
 * Calls that only the older kinds of processors have stand behind an #ifdef.
 */
#include "config.h"

#include "allowed_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifdef CALLS_ARCH

/* Newer than the C library's headers may be. */
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

#define CALLS(name, from)                                                                          \
	const struct calls name = { .list = (from), .count = sizeof(from) / sizeof *(from) }

static const int hot[] = {
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
	SYS_epoll_pwait,
	SYS_recvfrom,
	SYS_writev,
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_recvmsg,
	SYS_epoll_ctl,
	SYS_accept4,
	SYS_close,
	SYS_splice,
};
CALLS(allowed_calls_hot, hot);

static const int allowed[] = {
	/* sockets */
	SYS_accept,
	SYS_connect,
	SYS_getpeername,
	SYS_getsockname,
	SYS_getsockopt,
	SYS_listen,
	SYS_recvmmsg,
	SYS_sendfile,
	SYS_setsockopt,
	SYS_shutdown,
	SYS_socketpair,
	SYS_tee,
	/* descriptors that are open */
	SYS_close_range,
	SYS_dup,
	SYS_dup3,
	SYS_fcntl,
	SYS_fstat,
	SYS_fsync,
	SYS_fdatasync,
	SYS_lseek,
	SYS_pread64,
	SYS_pwrite64,
	SYS_pipe2,
	/* waiting and clocks */
	SYS_clock_getres,
	SYS_clock_gettime,
	SYS_clock_nanosleep,
	SYS_epoll_create1,
#ifdef SYS_epoll_pwait2
	SYS_epoll_pwait2,
#endif
	SYS_eventfd2,
	SYS_futex,
	SYS_gettimeofday,
	SYS_nanosleep,
	SYS_ppoll,
	SYS_pselect6,
	SYS_restart_syscall,
	SYS_signalfd4,
	SYS_timerfd_create,
	SYS_timerfd_gettime,
	SYS_timerfd_settime,
	/* memory; mmap and mprotect are choices of the filter */
	SYS_brk,
	SYS_madvise,
	SYS_membarrier,
	SYS_mremap,
	SYS_msync,
	SYS_munmap,
	/* the process itself */
	SYS_exit,
	SYS_exit_group,
	SYS_getcpu,
	SYS_getegid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getpid,
	SYS_getppid,
	SYS_getrandom,
	SYS_getrusage,
	SYS_gettid,
	SYS_getuid,
	SYS_rseq,
	SYS_rt_sigaction,
	SYS_rt_sigpending,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_rt_sigsuspend,
	SYS_rt_sigtimedwait,
	SYS_sched_getaffinity,
	SYS_sched_yield,
	SYS_set_robust_list,
	SYS_set_tid_address,
	SYS_sigaltstack,
	SYS_sysinfo,
	SYS_times,
	SYS_uname,
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_select
	SYS_select,
#endif
#ifdef SYS_time
	SYS_time,
#endif
#ifdef SYS_dup2
	SYS_dup2,
#endif
#ifdef SYS_pipe
	SYS_pipe,
#endif
#ifdef SYS_getrlimit
	SYS_getrlimit,
#endif
};
CALLS(allowed_calls_harmless, allowed);

static const int refused[] = {
	SYS_bind,
	SYS_chdir,
	SYS_faccessat,
#ifdef SYS_faccessat2
	SYS_faccessat2,
#endif
	SYS_fchmod,
	SYS_fchmodat,
	SYS_fchown,
	SYS_fchownat,
	SYS_ftruncate,
	SYS_getcwd,
	SYS_getdents64,
	SYS_inotify_add_watch,
	SYS_linkat,
	SYS_mkdirat,
	SYS_mknodat,
	SYS_openat,
#ifdef SYS_openat2
	SYS_openat2,
#endif
	SYS_readlinkat,
	SYS_renameat2,
	SYS_statfs,
	SYS_statx,
	SYS_symlinkat,
	SYS_truncate,
	SYS_unlinkat,
	SYS_utimensat,
#ifdef SYS_open
	SYS_access,
	SYS_chmod,
	SYS_chown,
	SYS_creat,
	SYS_link,
	SYS_lstat,
	SYS_mkdir,
	SYS_mknod,
	SYS_open,
	SYS_readlink,
	SYS_rename,
	SYS_rmdir,
	SYS_stat,
	SYS_symlink,
	SYS_unlink,
#endif
};
CALLS(allowed_calls_refused, refused);

static const int deadly[] = {
	/* other processes */
	SYS_clone,
	SYS_clone3,
#ifdef SYS_fork
	SYS_fork,
	SYS_vfork,
#endif
	SYS_pidfd_send_signal,
	/* another user, other rights */
	SYS_capset,
	SYS_personality,
	SYS_setgid,
	SYS_setgroups,
	SYS_setregid,
	SYS_setresgid,
	SYS_setresuid,
	SYS_setreuid,
	SYS_setuid,
	/* what is mounted; calls_never has the rest */
	SYS_name_to_handle_at,
};
CALLS(allowed_calls_deadly, deadly);

/* A terminal on standard error could be typed on with others. */
static const uint32_t ioctls[] = { FIONREAD, FIONBIO, SIOCOUTQ, TCGETS };

static const uint32_t prctls[] = { PR_SET_NAME, PR_GET_NAME, PR_SET_PDEATHSIG, PR_GET_PDEATHSIG,
	PR_GET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_SET_VMA };

/* The C library's fstat(3). */
static const uint32_t stat_flags[] = { AT_EMPTY_PATH };

static const uint32_t itself[] = { 0 };

#define CHOICE(name, number, from, code)                                                           \
	{                                                                                          \
		.call = (name), .argument = (number), .values = (from),                            \
		.count = sizeof(from) / sizeof *(from), .error = (code)                            \
	}

const struct call_choice allowed_calls_choices[] = {
	CHOICE(SYS_ioctl, 1, ioctls, ENOTTY),
	CHOICE(SYS_prctl, 0, prctls, EINVAL),
	CHOICE(SYS_newfstatat, 3, stat_flags, EACCES),
	CHOICE(SYS_prlimit64, 0, itself, EPERM),
};
const size_t allowed_calls_choice_count =
	sizeof allowed_calls_choices / sizeof *allowed_calls_choices;

#endif
