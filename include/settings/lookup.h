/* Names of backends become addresses, when the settings are loaded and in a process of its own. */
#ifndef TINYLB_SETTINGS_LOOKUP_H
#define TINYLB_SETTINGS_LOOKUP_H

#include "settings/settings.h"

/* How many addresses of a name are asked for. */
#define LOOKUP_MAX BACKEND_EACH_MAX

/* How many addresses one backend can have. */
uint32_t lookup_room(const struct backend_settings *backend);

/* A name is one backend, the head, or many behind each other that begin with it. */
unsigned lookup_places(const struct backend_settings *head);

/* Writes the heads of all names to `out`, unless it is NULL, and returns how many they are. */
size_t lookup_heads(const struct settings *settings, const struct backend_settings **out);

/*
 * What was found for a name, whatever the ports in it, becomes the addresses of its backends. What
 * they had already stays where it is, and what they have not any more goes. Only for the one
 * process that looks up.
 */
void lookup_apply(const struct backend_settings *head, const struct address *found, uint32_t count);

/* True when a backend's host is a name that has still to be looked up. */
bool lookup_is_needed(const struct settings *settings);

/*
 * Looks up the names of all backends and writes what was found into `addresses`, which other
 * processes share: to be called in a process of its own, because it can block. A name that is not
 * found is warned of in the log; it keeps the addresses that it has, for the same port, in `former`
 * (NULL: there are none). Returns how many backends are left without an address, or -1 where
 * nothing could be looked up for lack of memory.
 */
int lookup_run(const struct settings *settings, const struct settings *former)
	__attribute__((warn_unused_result));

/* Adds an address that is known already to a backend with a name; of no effect where there is no
 * such backend, or no room. Not for settings whose names are being looked up. */
void lookup_add_address(const struct settings *settings, size_t pool, size_t backend,
	const struct address *address);

#endif
