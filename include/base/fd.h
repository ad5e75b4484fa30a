/* Descriptors: flags, whole writes, limits. */
#ifndef TINYLB_BASE_FD_H
#define TINYLB_BASE_FD_H

#include <stddef.h>

/* Closes *fd if it is open and sets it to -1; errno survives. */
void fd_close(int *fd);

/* Writes all of it to a blocking descriptor, through EINTR and short writes. 0, or -1 with errno. */
int fd_write_all(int fd, const void *data, size_t len) __attribute__((warn_unused_result));

/* Sets or clears FD_CLOEXEC. 0, or -1 with errno. */
int fd_set_cloexec(int fd, int on) __attribute__((warn_unused_result));

/* Raises the soft limit of open descriptors to the hard one and returns what holds then. */
size_t fd_raise_limit(void);


#endif
