/* Answers that this program makes itself. */
#ifndef TINYLB_HTTP_REPLY_H
#define TINYLB_HTTP_REPLY_H

#include <stdbool.h>

#include "base/text.h"

struct reply {
	int status;
	const char *detail; /* a phrase for the body after the status; may be NULL */
	bool close;         /* Connection: close */
	bool keep_alive_10; /* a 1.0 client asked to keep the connection and gets it */
	bool head;          /* answers HEAD: Content-Length as ever, no body */
	struct slice date;
	int retry_after;       /* seconds; 0: no such field */
	struct slice location; /* Location; empty: no such field */
	const char *type;      /* of `body`; NULL: the body is a line that tells the status */
	struct slice body;
};

/* Writes head and body: at most REPLY_MAX bytes, and location, type and body. Neither 204 nor 304
 * has a body. */
#define REPLY_MAX 1024
void reply_write(struct text *out, const struct reply *reply);

/* "Bad Gateway" for 502; "Unknown" for a status without a name. */
const char *reply_reason(int status);

#endif
