/*
 * The addresses of one backend, in memory that processes share. One process looks names up and
 * writes; all others read at the same time. There are two copies, and the version says which is the
 * present one. The writer fills the other copy and then counts the version up: if it dies in the
 * middle, the present copy stays.
 */
#ifndef TINYLB_SETTINGS_ADDRESSES_H
#define TINYLB_SETTINGS_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

/* How many addresses of one name are kept and tried in turn. */
#define BACKEND_ADDRESSES_MAX 8

struct backend_addresses {
	uint32_t version; /* its lowest bit: which copy; atomic */
	uint32_t room;    /* addresses in a copy; 0: nothing was written yet */
	uint32_t counts[2];
	struct address list[]; /* two copies */
};

/* What one backend needs: `room` addresses that can change, or a single one that cannot. */
size_t addresses_size(uint32_t room, bool can_change);

/* Counts up with each change. */
static inline uint32_t addresses_version(const struct backend_addresses *shared)
{
	return __atomic_load_n(&shared->version, __ATOMIC_ACQUIRE);
}

/* How many there are. */
uint32_t addresses_count(const struct backend_addresses *shared);

/* Copies number `index`, counted round and round. False: there is none. */
bool addresses_get(const struct backend_addresses *shared, uint32_t index, struct address *out);

/* Copies all of them, and the version. Returns how many. */
uint32_t addresses_read(const struct backend_addresses *shared,
	struct address out[BACKEND_ADDRESSES_MAX], uint32_t *version);

/* Whether it is one of them. */
bool addresses_have(const struct backend_addresses *shared, const struct address *address);

/* Before anybody reads: the one that stays. */
void addresses_fix(struct backend_addresses *shared, const struct address *address);

/* Only for the one process that writes. The first `room` of them are kept; `room` is the same each
 * time. */
void addresses_write(struct backend_addresses *shared, uint32_t room, const struct address *list,
	uint32_t count);

#endif
