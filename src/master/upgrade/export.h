/* The master's state as the text that is handed over (handover.h); import.h has the way back. */
#ifndef TINYLB_SRC_MASTER_UPGRADE_EXPORT_H
#define TINYLB_SRC_MASTER_UPGRADE_EXPORT_H

#include "handover.h"
#include "master/master_state.h"

/* Fills in `h` with what there is; the master's texts and descriptors stay its own. 0, or -1 with
 * errno. To be freed with handover_fini. */
int export_state(struct master *m, struct handover *h) __attribute__((warn_unused_result));

/* The same as a file in memory; its descriptor (close-on-exec), or -1 with errno. */
int export_file(const struct handover *h) __attribute__((warn_unused_result));

/* Reads such a file whole. The text, to be freed with mem_free and NUL-terminated, or NULL with
 * errno. */
char *export_text(int fd, size_t *len) __attribute__((warn_unused_result));

#endif
