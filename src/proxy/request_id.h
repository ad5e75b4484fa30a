/*
 * Request ids: what finds one request again in the logs of everybody it passed.
 */
#ifndef TINYLB_PROXY_REQUEST_ID_H
#define TINYLB_PROXY_REQUEST_ID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* 128 random bits in hexadecimal. */
#define REQUEST_ID_LEN 32

/* The longest that is taken from a trusted peer. */
#define REQUEST_ID_MAX 128

/* Random bytes that are not used yet; zeroed, there are none. Belongs to one process. */
struct request_ids {
	size_t left;
	unsigned char bytes[1024];
};

/* Writes a new id to `out` and returns it; an empty slice where the kernel gives no random bytes.
 */
struct slice request_id_make(struct request_ids *ids, char out[REQUEST_ID_LEN]);

/* Whether somebody else's id may go on and stand in the log: 1 to REQUEST_ID_MAX visible ASCII
 * characters other than the quote and the backslash. */
bool request_id_is_fine(struct slice id);

#endif
