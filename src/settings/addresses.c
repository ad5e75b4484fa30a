/*
 * A reader copies, and looks whether the version has changed meanwhile: then the copy may be of
 * two minds. Names change seldom, so that a second try finds them at rest.
 */
#include "config.h"

#include "settings/addresses.h"

#include <assert.h>
#include <string.h>

#define TRIES_MAX 16

size_t addresses_size(uint32_t room, bool can_change)
{
	size_t size = sizeof(struct backend_addresses) +
		      (can_change ? 2 : 1) * (size_t)room * sizeof(struct address);

	assert(room > 0);
	/* Each begins where its first number may stand. */
	return (size + sizeof(uint32_t) - 1) / sizeof(uint32_t) * sizeof(uint32_t);
}

static const struct address *copy_of(const struct backend_addresses *shared, uint32_t version)
{
	return shared->list + (version & 1) * shared->room;
}

static uint32_t count_of(const struct backend_addresses *shared, uint32_t version)
{
	uint32_t count = __atomic_load_n(&shared->counts[version & 1], __ATOMIC_RELAXED);

	return count < shared->room ? count : shared->room;
}

/* Whether the copy that was read is still the present one: then no process can have written to it.
 */
static bool is_still(const struct backend_addresses *shared, uint32_t version)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&shared->version, __ATOMIC_RELAXED) == version;
}

uint32_t addresses_count(const struct backend_addresses *shared)
{
	return count_of(shared, addresses_version(shared));
}

bool addresses_get(const struct backend_addresses *shared, uint32_t index, struct address *out)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		uint32_t version = addresses_version(shared), count = count_of(shared, version);

		if (count > 0)
			*out = copy_of(shared, version)[index % count];
		if (is_still(shared, version))
			return count > 0;
	}
	return false;
}

uint32_t addresses_read(const struct backend_addresses *shared,
	struct address out[BACKEND_ADDRESSES_MAX], uint32_t *version)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		uint32_t count;

		*version = addresses_version(shared);
		count = count_of(shared, *version);
		if (count > BACKEND_ADDRESSES_MAX)
			count = BACKEND_ADDRESSES_MAX;
		memcpy(out, copy_of(shared, *version), count * sizeof *out);
		if (is_still(shared, *version))
			return count;
	}
	return 0;
}

bool addresses_have(const struct backend_addresses *shared, const struct address *address)
{
	struct address all[BACKEND_ADDRESSES_MAX];
	uint32_t version, count = addresses_read(shared, all, &version);

	for (uint32_t i = 0; i < count; i++)
		if (address_equals(&all[i], address))
			return true;
	return false;
}

void addresses_fix(struct backend_addresses *shared, const struct address *address)
{
	assert(address->len > 0);
	shared->room = 1;
	shared->counts[0] = 1;
	shared->list[0] = *address;
}

void addresses_write(
	struct backend_addresses *shared, uint32_t room, const struct address *list, uint32_t count)
{
	uint32_t version = addresses_version(shared) + 1;

	assert(room > 0 && (count == 0 || list != NULL));
	shared->room = room;
	if (count > room)
		count = room;
	/* A reader of the copy that is overwritten here must find its version gone. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&shared->counts[version & 1], count, __ATOMIC_RELAXED);
	if (count > 0)
		memcpy(shared->list + (version & 1) * room, list, count * sizeof *list);
	__atomic_store_n(&shared->version, version, __ATOMIC_RELEASE);
}
