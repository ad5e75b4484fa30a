/* The signals that the master waits for. */
#ifndef TINYLB_SRC_MASTER_SIGNALS_H
#define TINYLB_SRC_MASTER_SIGNALS_H

/* Blocks them, for the children too: no code ever runs in a handler, and the default action of a
 * signal ends no child before it is ready for signals. */
void signals_block(void);

/* Unblocks them, for a child that any signal may end. */
void signals_unblock(void);

/* A signalfd for them, the caller's; -1 with errno. */
int signals_open(void) __attribute__((warn_unused_result));

/* The number of the next pending signal; 0: none is pending. */
int signals_next(int fd);

#endif
