/* Where log lines go: standard error, the system's logger, or a file. Part of log.c. */
#ifndef TINYLB_SRC_BASE_LOG_SINK_H
#define TINYLB_SRC_BASE_LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sink_kind { SINK_STDERR, SINK_SYSLOG, SINK_FILE };

struct log_sink {
	enum sink_kind kind;
	int fd;         /* owned unless it is standard error */
	char *path;     /* owned; of a file */
	unsigned lost;  /* messages since the last one that could be written */
	uint64_t retry; /* when the system's logger is looked for again, monotonic ms */
};

/* "stderr", "syslog" or a path. 0, or -1 with errno. */
int log_sink_open(struct log_sink *sink, const char *target) __attribute__((warn_unused_result));
void log_sink_close(struct log_sink *sink);

/* Writes one line, which ends with a newline; `priority` is that of syslog(3). Never waits for a
 * reader: what cannot be written now is lost and counted in `lost`, which a success sets to 0. */
void log_sink_write(struct log_sink *sink, int priority, const char *line, size_t len);

/* True when standard error is the journal's stream. */
bool log_sink_is_journal(void);

#endif
