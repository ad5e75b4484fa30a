/* What the kernel tells of a process, and of how one ended. */
#ifndef TINYLB_BASE_PROCESS_H
#define TINYLB_BASE_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/* The beginning of a file below /proc/PID as a string in `out`, which has room for `size` bytes.
 * Returns its length; 0 where there is none. */
size_t process_read(pid_t pid, const char *file, char *out, size_t size);

/* The letter for its state, as in proc(5): 'R' runs, 'S' sleeps, 'T' is stopped, 'Z' is dead. NUL
 * where there is no such process. */
char process_state(pid_t pid);

/* "SEGV" for SIGSEGV; "?" for a signal without a name. */
const char *process_signal_name(int number);

#endif
