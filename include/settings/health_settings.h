/* How the backends of a pool are watched: checks, and what follows from failures. */
#ifndef TINYLB_SETTINGS_HEALTH_SETTINGS_H
#define TINYLB_SETTINGS_HEALTH_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

enum check_type { CHECK_OFF, CHECK_TCP, CHECK_HTTP };

/* The values are those of the option. */
enum check_method { CHECK_GET, CHECK_HEAD, CHECK_OPTIONS };

struct check_settings {
	int type;   /* enum check_type */
	int method; /* enum check_method */
	char *path; /* of the URL to ask for; joined to the backend's own */
	char *host; /* NULL: the backend's */
	char *status;
	char *body; /* a text that must be in the answer; NULL: any */
	uint64_t interval;
	uint64_t fast_interval; /* while its state may be about to change */
	uint64_t timeout;
	int rise; /* checks passed in a row that bring a backend back */
	int fall; /* checks failed in a row that take it out */
	/* what follows from `status` */
	int status_least, status_most;
};

struct eject_settings {
	int failures; /* in a row, over all workers; 0: off */
	bool on_5xx;  /* an answer of the class 5xx is a failure too */
	uint64_t time;
	uint64_t time_max;
	int most; /* percent of the pool that may be ejected at one time */
};

#endif
