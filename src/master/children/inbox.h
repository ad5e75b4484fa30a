/* What the workers of a generation pass to each other, kept by the master: a worker that dies or
 * hangs takes nothing with it that it has not looked at. */
#ifndef TINYLB_SRC_MASTER_CHILDREN_INBOX_H
#define TINYLB_SRC_MASTER_CHILDREN_INBOX_H

#include <stdint.h>

#include "worker/worker.h"

/* Makes an inbox for each of `count` slots; the array is the caller's. NULL: there is one slot
 * only, or no room for inboxes, which is logged; workers pass no connections then. */
struct worker_inbox *inbox_open_all(uint32_t count);

/* Closes and frees them; NULL is fine. */
void inbox_close_all(struct worker_inbox *inboxes, uint32_t count);

/* Moves what is in the inbox of slot `from` to that of slot `to`; NULL is fine. */
void inbox_forward(const struct worker_inbox *inboxes, uint32_t from, uint32_t to);

#endif
