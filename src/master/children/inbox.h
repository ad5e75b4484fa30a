/* What the workers of a generation pass to each other, kept by the master: a worker that dies or
 * hangs takes nothing with it that it has not looked at. */
#ifndef TINYLB_SRC_MASTER_CHILDREN_INBOX_H
#define TINYLB_SRC_MASTER_CHILDREN_INBOX_H

#include <stdint.h>

#include "worker/worker.h"

/* Makes an inbox for each of `count` slots. NULL: there is one only, or no room for them, which is
 * logged; connections are not passed then. */
struct worker_inbox *inboxes_open(uint32_t count);
void inboxes_close(struct worker_inbox *inboxes, uint32_t count);

/* Moves what is in one inbox to another one; NULL is fine. */
void inboxes_forward(const struct worker_inbox *inboxes, uint32_t from, uint32_t to);

#endif
