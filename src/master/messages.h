/* What children say to the master, and what it does about each message. */
#ifndef TINYLB_SRC_MASTER_MESSAGES_H
#define TINYLB_SRC_MASTER_MESSAGES_H

#include "master_state.h"

/* Reads all that a child has said, and acts on it. Removes no child. */
void messages_read(struct master *m, struct child *c);

/* The same for the starting children of a generation (NULL: of all). To be called before they are
 * ended: one of them may be ready, and have accepted, without the master knowing. */
void messages_read_starting(struct master *m, const struct generation *g);

/* Tells a ready worker that the program serves on as a lame duck, where it does. */
void messages_tell_lame_duck(const struct master *m, const struct child *c);

#endif
