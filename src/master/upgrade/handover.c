/*
 * The table of what is handed over, and the one writer of all its records. handover_read.c has the
 * reader.
 */
#include "config.h"

#include "master/upgrade/handover.h"

#include <string.h>

#include "base/memory.h"
#include "master/upgrade/handover_record.h"

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

struct handover_list *handover_list_of(struct handover *h, const struct record *r)
{
	return (struct handover_list *)(void *)((char *)h + r->list);
}

static const struct handover_list *peek(const struct handover *h, const struct record *r)
{
	return (const struct handover_list *)(const void *)((const char *)h + r->list);
}

void *handover_make(struct handover_list *list, size_t count, size_t size)
{
	list->items = mem_zalloc(count + 1, size);
	list->count = 0;
	if (list->items != NULL)
		list->count = count;
	return list->items;
}

void handover_fini(struct handover *h)
{
	for (size_t i = 0; i < handover_record_count; i++)
		mem_free(handover_list_of(h, &handover_records[i])->items);
	*h = (struct handover){ 0 };
}

static void write_address(const struct address *a, FILE *out)
{
	const unsigned char *bytes = (const unsigned char *)&a->u;

	(void)fputc(' ', out);
	for (socklen_t i = 0; i < a->len; i++)
		(void)fprintf(out, "%02x", bytes[i]);
}

/* 0, or -1: a text that would not stay in its line. */
static int write_field(const struct field *f, const char *item, FILE *out)
{
	const void *at = item + f->offset;
	const char *text;

	switch (f->type) {
	case FIELD_NUMBER:
		(void)fprintf(out, " %u", *(const uint32_t *)at);
		break;
	case FIELD_LONG:
		(void)fprintf(out, " %ju", (uintmax_t) * (const uint64_t *)at);
		break;
	case FIELD_PLACE:
	case FIELD_FD:
		if (*(const int *)at == -1)
			(void)fputs(" -", out);
		else
			(void)fprintf(out, " %d", *(const int *)at);
		break;
	case FIELD_ADDRESS:
		write_address(at, out);
		break;
	case FIELD_TEXT:
		text = *(const char *const *)at;
		(void)fprintf(out, " %s", text);
		return strchr(text, '\n') == NULL && *text != '\0' ? 0 : -1;
	case FIELD_END:
		break;
	}
	return 0;
}

int handover_write(const struct handover *h, FILE *out)
{
	int result = 0;

	(void)fprintf(out, "tinylb-state %d\n", HANDOVER_VERSION);
	for (size_t i = 0; i < handover_record_count; i++) {
		const struct record *r = &handover_records[i];
		const struct handover_list *list = peek(h, r);

		for (size_t j = 0; j < list->count; j++) {
			(void)fputs(r->word, out);
			for (const struct field *f = r->fields; f->type != FIELD_END; f++)
				if (write_field(f, (const char *)list->items + j * r->size, out) ==
					-1)
					result = -1;
			(void)fputc('\n', out);
		}
	}
	(void)fputs("end\n", out);
	return fflush(out) == EOF || ferror(out) != 0 ? -1 : result;
}

size_t handover_descriptors(const struct handover *h, int *out)
{
	size_t n = 0;

	for (size_t i = 0; i < handover_record_count; i++) {
		const struct record *r = &handover_records[i];
		const struct handover_list *list = peek(h, r);

		for (size_t j = 0; j < list->count; j++)
			for (const struct field *f = r->fields; f->type != FIELD_END; f++) {
				const char *item = (const char *)list->items + j * r->size;
				int fd = -1;

				if (f->type == FIELD_FD)
					memcpy(&fd, item + f->offset, sizeof fd);
				if (fd != -1 && out != NULL)
					out[n] = fd;
				n += fd != -1;
			}
	}
	return n;
}
