/* Tells the service manager how things stand (sd_notify(3), without its library). */
#ifndef TINYLB_SRC_MASTER_NOTIFY_H
#define TINYLB_SRC_MASTER_NOTIFY_H

/* Sends assignments like "READY=1\nSTATUS=..."; does nothing where nobody asked for them. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* RELOADING=1 with the time that has to go with it; READY=1 ends it. */
void notify_reloading(void);

#endif
