/* Descriptors: flags, whole writes, limits, and what they fail for. */
#ifndef TINYLB_BASE_FD_H
#define TINYLB_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a connection that failed so says nothing of the other side: here descriptors, memory or
 * ports are short. */
bool fd_is_shortage(int error);

/* Closes *fd if it is open and sets it to -1; errno survives. */
void fd_close(int *fd);

/* Writes all of it to a blocking descriptor, through EINTR and short writes. 0, or -1 with errno.
 */
int fd_write_all(int fd, const void *data, size_t len) __attribute__((warn_unused_result));

/*
 * Opens a log file for appending (mode 0640). Never waits for a reader: a FIFO without one is
 * refused, and one that is read stays non-blocking. The descriptor, or -1 with errno, which
 * fd_explain_log puts into words.
 */
int fd_open_log(const char *path) __attribute__((warn_unused_result));
const char *fd_explain_log(int error);

/* Sets or clears FD_CLOEXEC. 0, or -1 with errno. */
int fd_set_cloexec(int fd, int on) __attribute__((warn_unused_result));

/* Opens /dev/null in place of each of the standard three that is closed: else the next file or
 * socket would become standard error. First thing in main(). */
void fd_open_standard(void);

/* Raises the soft limit of open descriptors to the hard one and returns what holds then. */
size_t fd_raise_limit(void);

/*
 * Closes every descriptor but the standard three and those in `keep` (where -1 stands for none).
 * For a process just forked: close-on-exec does nothing at a fork, and a sibling that still holds
 * the other end of a pair hides its end of file.
 */
void fd_close_except(const int *keep, size_t count);

#endif
