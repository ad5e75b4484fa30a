/* The access log: one line a request, in the form that tinylb(8) describes. */
#ifndef TINYLB_EXCHANGE_ACCESS_LOG_H
#define TINYLB_EXCHANGE_ACCESS_LOG_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/record.h"
#include "net/loop.h"

const char *reason_name(enum reason reason);

/* Lines are held back for a moment and written together. */
struct access_log {
	struct loop *loop;                 /* borrowed */
	int fd;                            /* owned; -1: off */
	char *lines;                       /* owned */
	uint8_t reason_lens[REASON_COUNT]; /* lengths of the reasons' names */
	size_t len;
	struct event flush;
	bool waiting; /* for the flush */
	bool failed;  /* the last write failed, and that was said */
	bool torn;    /* the last line in the file is not whole */
};

/* Takes over `fd` (-1: off). 0, or -1 when memory is short; then fd stays the caller's. */
int access_log_init(struct access_log *log, struct loop *loop, int fd)
	__attribute__((warn_unused_result));

/* Writes what is held back and closes the file. */
void access_log_fini(struct access_log *log);

void access_log_write(struct access_log *log, const struct record *record, uint64_t now_us);
void access_log_flush(struct access_log *log);

/* Goes on with another descriptor in place of the present one (after a rotation). */
void access_log_take(struct access_log *log, int fd);

#endif
