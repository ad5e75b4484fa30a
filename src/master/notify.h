/* Tells the service manager how things stand (sd_notify(3), without its library). */
#ifndef TINYLB_SRC_MASTER_NOTIFY_H
#define TINYLB_SRC_MASTER_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>

/* Sends assignments like "READY=1\nSTATUS=..."; does nothing where NOTIFY_SOCKET is not set. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How many descriptors one message can carry (the kernel's SCM_MAX_FD). */
#define NOTIFY_FDS_MAX 253

/* The same with up to NOTIFY_FDS_MAX descriptors, which stay the caller's. 0; or -1 with errno: the
 * message was not taken, or NOTIFY_SOCKET is not set. */
int notify_send_fds(const int *fds, size_t count, const char *format, ...)
	__attribute__((format(printf, 3, 4), warn_unused_result));

/* True where NOTIFY_SOCKET is set. */
bool notify_is_wanted(void);

/* Sends RELOADING=1, with the time that systemd wants beside it; a later READY=1 ends it. */
void notify_reloading(void);

#endif
