/*
 * The log of messages to the administrator (exchange/access_log.h is the access log). One line a
 * message, written with one write(2), so that the lines of several processes never mix. Nothing
 * waits for who reads the log: what cannot be written is lost, and the next line says how many
 * were.
 *
 * The verbs with errno text are log_error and log_warn; the others have none. errno survives every
 * call. A message is one line whatever is in it: it is escaped as a whole (escape_message).
 */
#ifndef TINYLB_BASE_LOG_H
#define TINYLB_BASE_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

enum log_form {
	LOG_FORM_FULL,  /* time, program, role, level, message */
	LOG_FORM_PLAIN, /* the message alone: the demo */
};

/*
 * Sends messages up to `level` to `target`: "stderr", "syslog" or the path of a file that is opened
 * for appending (mode 0640). Until the first call messages go to standard error at level notice.
 * Where standard error is the journal, lines carry its <priority> prefix and no time of their own.
 * Returns 0, or -1 with errno set (fd_explain_log); then the former target stays.
 */
int log_open(const char *target, enum log_level level) __attribute__((warn_unused_result));

/* Opens a file target anew under its path (after a log was rotated). 0, or -1 and the old file
 * stays. */
int log_reopen(void) __attribute__((warn_unused_result));

/* The descriptor of a file target, or -1. Takes over `fd` in its place: how a process without the
 * rights to open the file gets it from the master. */
int log_fd(void);
void log_take_fd(int fd);

/* The descriptor of any target but standard error, or -1: a process just forked that closes what is
 * not its own has to keep this one. */
int log_keep_fd(void);

void log_set_form(enum log_form form);

/* Errors and warnings also go to standard error, wherever the target is: while the program starts,
 * somebody may be looking. */
void log_set_echo(bool on);

/* Names this process in each line, e.g. "worker 2/1". The text is copied; at most 31 bytes. */
void log_set_role(const char *role);

/* True where messages of this level are written: guards work done only for them. */
extern enum log_level log_level_now; /* log.c's alone to set */
static inline bool log_wants(enum log_level level)
{
	return level <= log_level_now;
}

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_errorx(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
