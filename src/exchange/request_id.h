/*
 * Request ids: by its id a request is found in the logs of all servers that it passed.
 */
#ifndef TINYLB_EXCHANGE_REQUEST_ID_H
#define TINYLB_EXCHANGE_REQUEST_ID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "exchange/request_ids.h"

/* 128 random bits in hexadecimal. */
#define REQUEST_ID_LEN 32

/* The longest that is taken from a trusted peer. */
#define REQUEST_ID_MAX 128

/* Writes a new id to `out` and returns it; an empty slice where the kernel gives no random bytes.
 */
struct slice request_id_make(struct request_ids *ids, char out[REQUEST_ID_LEN]);

/* Whether an id that a client sent may go on and stand in the log: 1 to REQUEST_ID_MAX visible
 * ASCII characters other than the quote and the backslash: escape_field leaves such an id as it is.
 */
bool request_id_is_fine(struct slice id);

#endif
