/* From settings to a running generation, as a transaction: all of it, or nothing. */
#ifndef TINYLB_SRC_MASTER_GENERATIONS_RELOAD_H
#define TINYLB_SRC_MASTER_GENERATIONS_RELOAD_H

#include "master/master_state.h"

/* Starts a generation with these settings, which it takes over. Whatever goes wrong, now or later,
 * is told in the log and leaves the current generation as it was; without one the master ends. */
void reload_begin(struct master *m, struct settings *settings);

/* HUP: loads the settings anew and begins, also in place of a reload that still looks up names;
 * while workers are being started, or too many old ones finish what they have, has it done once
 * more afterwards. */
void reload_request(struct master *m);

/* Begins the reload that waited until an old generation has ended. False where none can begin. */
bool reload_resume(struct master *m);

/* True where a generation could be started now: no other is, and not too many old ones have yet to
 * end. */
bool reload_has_room(const struct master *m);

/* Tells the service manager who serves now. */
void reload_notify_ready(const struct master *m);

/* Goes one step on with the generation that is being started. Returns false where that has to wait
 * for something: else there may be a next step, also one of a reload that waited for this one. */
bool reload_advance(struct master *m);

/* The resolver has ended. `success`: it has looked up every name, whatever it found. */
void reload_resolved(struct master *m, bool success);

/* Gives up the generation that is being started. */
void reload_fail(struct master *m, const char *why);

/* Likewise, for what it did wrong. */
void reload_roll_back(struct master *m, const char *why);

/* Takes back the generation that is being started, without a word. */
void reload_withdraw(struct master *m);

/* Its deadline has passed. */
void reload_overdue(struct master *m);

#endif
