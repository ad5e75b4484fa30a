/* The table of what is handed over: which lines there are, and what stands in each. */
#include "config.h"

#include "handover_record.h"

#include <string.h>

#define AT(type, member) offsetof(struct handover_##type, member)

const struct record handover_records[] = {
	{ "self", offsetof(struct handover, self), sizeof(struct handover_self),
		{ { FIELD_NUMBER, AT(self, pid), INT32_MAX }, { FIELD_LONG, AT(self, seed), 0 },
			{ FIELD_NUMBER, AT(self, last_generation), 0 },
			{ FIELD_NUMBER, AT(self, reload), 1 },
			{ FIELD_NUMBER, AT(self, upgrade), 1 },
			{ FIELD_NUMBER, AT(self, daemon), 1 }, { FIELD_FD, AT(self, board), 0 },
			{ FIELD_FD, AT(self, pid_file), 0 },
			{ FIELD_TEXT, AT(self, writer), 0 } } },
	{ "program", offsetof(struct handover, program), sizeof(struct handover_path),
		{ { FIELD_TEXT, AT(path, path), 0 } } },
	{ "pid-file", offsetof(struct handover, pid_file), sizeof(struct handover_path),
		{ { FIELD_TEXT, AT(path, path), 0 } } },
	{ "generation", offsetof(struct handover, generations), sizeof(struct handover_generation),
		{ { FIELD_NUMBER, AT(generation, number), 0 },
			{ FIELD_NUMBER, AT(generation, state), HANDOVER_FAILED },
			{ FIELD_NUMBER, AT(generation, workers), 65536 },
			{ FIELD_LONG, AT(generation, started), 0 },
			{ FIELD_FD, AT(generation, access_log), 0 },
			{ FIELD_FD, AT(generation, settings), 0 } } },
	{ "slot", offsetof(struct handover, slots), sizeof(struct handover_slot),
		{ { FIELD_NUMBER, AT(slot, generation), 0 }, { FIELD_NUMBER, AT(slot, slot), 0 },
			{ FIELD_NUMBER, AT(slot, deaths), 0 },
			{ FIELD_NUMBER, AT(slot, respawn), 0 },
			{ FIELD_LONG, AT(slot, due), 0 } } },
	{ "inbox", offsetof(struct handover, inboxes), sizeof(struct handover_inbox),
		{ { FIELD_NUMBER, AT(inbox, generation), 0 }, { FIELD_NUMBER, AT(inbox, slot), 0 },
			{ FIELD_FD, AT(inbox, in), 0 }, { FIELD_FD, AT(inbox, out), 0 } } },
	{ "address", offsetof(struct handover, addresses), sizeof(struct handover_address),
		{ { FIELD_NUMBER, AT(address, generation), 0 },
			{ FIELD_NUMBER, AT(address, pool), 0 },
			{ FIELD_NUMBER, AT(address, backend), 0 },
			{ FIELD_ADDRESS, AT(address, address), 0 } } },
	{ "child", offsetof(struct handover, children), sizeof(struct handover_child),
		{ { FIELD_NUMBER, AT(child, pid), INT32_MAX },
			{ FIELD_NUMBER, AT(child, generation), 0 },
			{ FIELD_NUMBER, AT(child, slot), 0 },
			{ FIELD_NUMBER, AT(child, state), HANDOVER_KILLED },
			{ FIELD_FD, AT(child, channel), 0 }, { FIELD_PLACE, AT(child, place), 0 },
			{ FIELD_LONG, AT(child, started), 0 },
			{ FIELD_LONG, AT(child, deadline), 0 } } },
	{ "socket", offsetof(struct handover, sockets), sizeof(struct handover_socket),
		{ { FIELD_FD, AT(socket, fd), 0 }, { FIELD_NUMBER, AT(socket, slot), 65535 },
			{ FIELD_NUMBER, AT(socket, generation), 0 },
			{ FIELD_NUMBER, AT(socket, stored), 1 },
			{ FIELD_ADDRESS, AT(socket, key), 0 },
			{ FIELD_ADDRESS, AT(socket, bound), 0 },
			{ FIELD_LONG, AT(socket, path_dev), 0 },
			{ FIELD_LONG, AT(socket, path_ino), 0 },
			{ FIELD_NUMBER, AT(socket, shut), 1 },
			{ FIELD_LONG, AT(socket, shut_at), 0 },
			{ FIELD_LONG, AT(socket, close_at), 0 } } },
};

const size_t handover_record_count = sizeof handover_records / sizeof *handover_records;

struct handover_list *handover_record_list(struct handover *h, const struct record *r)
{
	return (struct handover_list *)(void *)((char *)h + r->list);
}

const struct handover_list *handover_record_peek(const struct handover *h, const struct record *r)
{
	return (const struct handover_list *)(const void *)((const char *)h + r->list);
}

/* The descriptors of one item: their number, and they in `out` unless that is NULL. */
static size_t item_descriptors(const struct record *r, const char *item, int *out)
{
	size_t n = 0;

	for (const struct field *f = r->fields; f->type != FIELD_END; f++) {
		int fd = -1;

		if (f->type == FIELD_FD)
			memcpy(&fd, item + f->offset, sizeof fd);
		if (fd == -1)
			continue;
		if (out != NULL)
			out[n] = fd;
		n++;
	}
	return n;
}

size_t handover_record_descriptors(const struct handover *h, int *out)
{
	size_t n = 0;

	for (size_t i = 0; i < handover_record_count; i++) {
		const struct record *r = &handover_records[i];
		const struct handover_list *list = handover_record_peek(h, r);

		for (size_t j = 0; j < list->count; j++)
			n += item_descriptors(r, (const char *)list->items + j * r->size,
				out != NULL ? out + n : NULL);
	}
	return n;
}
