/*
 * Which backends of a pool may be picked, and with which weights now: worked out once when
 * something has changed, for all pickers. Pure, like them.
 */
#ifndef TINYLB_BALANCE_HEALTH_H
#define TINYLB_BALANCE_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From best to worst. */
enum health_state {
	HEALTH_READY,
	HEALTH_EJECTED,  /* answers, but failed too often or does not pass its checks */
	HEALTH_REFUSING, /* takes no connections */
	HEALTH_CLOSED,   /* must not be picked whatever happens: it drains, or waits as a backup */
};

#define HEALTH_FULL_SHARE 256

struct health_report {
	enum health_state state;
	unsigned share; /* of its weight, 1 to HEALTH_FULL_SHARE: less in a slow start */
};

struct health {
	/* settings */
	size_t count;
	unsigned panic_percent;
	unsigned *base; /* owned: the weights of the settings */
	/* what came out */
	uint64_t *usable;  /* owned: a bit for each backend, for struct picker_view */
	unsigned *weights; /* owned: for picker_kind.reweigh, 0 for who is not usable */
	size_t usable_count;
	bool panic;
};

/* Everybody is ready at first. 0, or -1 when memory is short; then health_fini is fine too. */
int health_init(struct health *health, const unsigned *weights, size_t count,
	unsigned panic_percent) __attribute__((warn_unused_result));
void health_fini(struct health *health);

/*
 * Goes through `count` reports; O(count). Usable are those that are ready. But when they are fewer
 * than panic_percent of those with a weight that are not closed, the others are taken for better
 * than nothing (Envoy calls that panic: a few left over would fall too): all that answer, and those
 * that refuse only when nobody else is there. True: something has changed.
 */
bool health_update(struct health *health, const struct health_report *reports);

static inline bool health_is_usable(const uint64_t *usable, size_t index)
{
	return (usable[index / 64] >> index % 64 & 1) != 0;
}

#endif
