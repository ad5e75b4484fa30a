/* From settings to a running generation, as a transaction: all of it, or nothing. */
#ifndef TINYLB_SRC_MASTER_GENERATIONS_RELOAD_H
#define TINYLB_SRC_MASTER_GENERATIONS_RELOAD_H

#include "master/master_state.h"

/* Starts a generation with these settings, which it takes over; none is being started. What goes
 * wrong, now or later, is logged and leaves the current generation as it was; without a current one
 * the master ends. */
void reload_begin(struct master *m, struct settings *settings);

/* HUP: loads the settings anew and begins, also in place of a reload that still looks up names or
 * is being watched. While workers are being started, or too many old generations finish what they
 * have, the reload is done once more afterwards. */
void reload_request(struct master *m);

/* Begins the reload that waited until an old generation has ended. False where none can begin. */
bool reload_resume(struct master *m);

/* True where a generation could be started now: no other is being started, and not too many old
 * ones have yet to end. */
bool reload_has_room(const struct master *m);

/* Goes one step on with the generation that is being started. False where that has to wait for
 * something. True: there may be a next step, also one of a reload that waited for this one. */
bool reload_advance(struct master *m);

/* The resolver has ended. `success`: it has looked up every name, found or not. */
void reload_resolved(struct master *m, bool success);

/* Gives up the generation that is being started: it could not start. */
void reload_fail(struct master *m, const char *why);

/* Gives up the generation that is being started: it did not do well. */
void reload_roll_back(struct master *m, const char *why);

/* Takes back the generation that is being started, and logs nothing. */
void reload_withdraw(struct master *m);

/* The deadline of the generation that is being started has passed. */
void reload_overdue(struct master *m);

#endif
