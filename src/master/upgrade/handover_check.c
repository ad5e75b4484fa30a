/* Each kind of record is held against the others that it refers to. */
#include "config.h"

#include "handover_check.h"

#include <stdlib.h>

#include "base/memory.h"
#include "handover_record.h"

static const struct handover_generation *find_generation(const struct handover *h, uint32_t number)
{
	const struct handover_generation *all = h->generations.items;

	for (size_t i = 0; i < h->generations.count; i++)
		if (all[i].number == number)
			return &all[i];
	return NULL;
}

static bool has_slot(const struct handover *h, uint32_t generation, uint32_t slot)
{
	const struct handover_generation *g = find_generation(h, generation);

	return g != NULL && slot < g->workers;
}

static bool is_sound_self(const struct handover *h)
{
	const struct handover_self *self = h->self.items;
	const struct handover_path *program = h->program.items;

	return h->self.count == 1 && h->program.count == 1 && h->pid_file.count <= 1 &&
	       self->pid > 1 && (self->pid_file != -1) == (h->pid_file.count == 1) &&
	       *program->path == '/';
}

static bool are_sound_generations(const struct handover *h)
{
	const struct handover_self *self = h->self.items;
	const struct handover_generation *all = h->generations.items;
	unsigned current = 0;

	for (size_t i = 0; i < h->generations.count; i++) {
		const struct handover_generation *g = &all[i];

		if (g->number == 0 || g->number > self->last_generation || g->workers == 0 ||
			g->settings == -1 || find_generation(h, g->number) != g)
			return false;
		current += g->state == HANDOVER_CURRENT;
	}
	return current == 1;
}

static bool are_sound_workers(const struct handover *h)
{
	const struct handover_slot *slots = h->slots.items;
	const struct handover_child *children = h->children.items;
	const struct handover_address *addresses = h->addresses.items;

	for (size_t i = 0; i < h->slots.count; i++)
		if (!has_slot(h, slots[i].generation, slots[i].slot))
			return false;
	for (size_t i = 0; i < h->children.count; i++)
		if (children[i].pid <= 1 || !has_slot(h, children[i].generation, children[i].slot))
			return false;
	for (size_t i = 0; i < h->addresses.count; i++)
		if (find_generation(h, addresses[i].generation) == NULL)
			return false;
	return true;
}

/* All slots of a generation, in their order, or none. */
static bool are_sound_inboxes(const struct handover *h)
{
	const struct handover_inbox *all = h->inboxes.items;
	size_t n = 0;

	while (n < h->inboxes.count) {
		const struct handover_generation *g = find_generation(h, all[n].generation);

		if (g == NULL || h->inboxes.count - n < g->workers)
			return false;
		for (uint32_t slot = 0; slot < g->workers; slot++, n++)
			if (all[n].generation != g->number || all[n].slot != slot ||
				all[n].in == -1 || all[n].out == -1)
				return false;
	}
	return true;
}

static bool are_sound_sockets(const struct handover *h)
{
	const struct handover_socket *all = h->sockets.items;

	for (size_t i = 0; i < h->sockets.count; i++)
		if (all[i].fd == -1)
			return false;
	return true;
}

static int compare(const void *a, const void *b)
{
	const int *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* A descriptor that is named twice would be closed twice, and the number may have another meaning
 * the second time. */
static bool are_descriptors_unique(const struct handover *h)
{
	size_t count = handover_record_descriptors(h, NULL);
	int *all = mem_zalloc(count + 1, sizeof *all);
	bool unique = all != NULL;

	if (all == NULL)
		return false;
	(void)handover_record_descriptors(h, all);
	qsort(all, count, sizeof *all, compare);
	for (size_t i = 1; i < count; i++)
		unique = unique && all[i - 1] != all[i];
	mem_free(all);
	return unique;
}

const char *handover_check(const struct handover *h)
{
	if (!is_sound_self(h))
		return "it does not say who wrote it";
	if (!are_sound_generations(h))
		return "its generations do not fit together";
	if (!are_sound_workers(h))
		return "it has workers without a place";
	if (!are_sound_inboxes(h))
		return "its inboxes do not fit its workers";
	if (!are_sound_sockets(h) || !are_descriptors_unique(h))
		return "its descriptors are not what they should be";
	return NULL;
}
