/* Writes the state of the master as the text that is handed over (handover.h). import.h reads it.
 */
#ifndef TINYLB_SRC_MASTER_UPGRADE_EXPORT_H
#define TINYLB_SRC_MASTER_UPGRADE_EXPORT_H

#include "handover.h"
#include "master/master_state.h"

/* Fills in `h` with the state of `m`, which has a current generation. Texts and descriptors stay
 * the master's. 0, or -1 with errno. `h` is to be freed with handover_fini. */
int export_state(struct master *m, struct handover *h) __attribute__((warn_unused_result));

/* Writes `h` into a file in memory. Its descriptor, the caller's (close-on-exec), or -1 with errno.
 */
int export_file(const struct handover *h) __attribute__((warn_unused_result));

/* Reads such a file whole. The text, NUL-terminated and to be freed with mem_free, with its length
 * in *len; or NULL with errno. */
char *export_text(int fd, size_t *len) __attribute__((warn_unused_result));

#endif
