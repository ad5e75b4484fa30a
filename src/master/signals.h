/* The signals that the master waits for. */
#ifndef TINYLB_SRC_MASTER_SIGNALS_H
#define TINYLB_SRC_MASTER_SIGNALS_H

/* Blocks them, for the children too: no code ever runs in a handler, and no child can be ended by a
 * default action before it is ready for signals. */
void signals_block(void);

/* For a child that any signal may end. */
void signals_unblock(void);

/* A signalfd for them; -1 with errno. */
int signals_open(void) __attribute__((warn_unused_result));

/* The next pending one, or 0. */
int signals_next(int fd);

#endif
