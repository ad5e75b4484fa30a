/*
 * Copies of what a parser found, as large as what there is: a parsed struct has room for all fields
 * that a message may have, which is too much to keep for each of many messages.
 */
#include "config.h"

#include <assert.h>
#include <stddef.h>

#include "http/message.h"

static size_t size_with(size_t before_list, const struct fields *fields)
{
	assert(fields->count <= FIELDS_MAX);
	return before_list + fields->count * sizeof fields->list[0];
}

size_t message_request_size(const struct request *request)
{
	return size_with(offsetof(struct request, fields.list), &request->fields);
}

/* A target that the parser made up ("/", "*") does not stand in the head, nor does an empty slice.
 */
static void move(struct slice *s, const char *from, size_t len, const char *to)
{
	size_t at = (size_t)((uintptr_t)s->data - (uintptr_t)from);

	if (at < len)
		s->data = to + at;
}

struct request *message_copy_request(
	void *room, const struct request *request, const char *from, const char *to)
{
	struct request *copy = room;
	size_t len = request->head_len;

	memcpy(room, request, message_request_size(request));
	move(&copy->line, from, len, to);
	move(&copy->method_name, from, len, to);
	move(&copy->target, from, len, to);
	move(&copy->host, from, len, to);
	for (unsigned i = 0; i < copy->fields.count; i++) {
		struct field *field = &copy->fields.list[i];

		field->name.data = to + (field->name.data - from);
		field->value.data = to + (field->value.data - from);
	}
	return copy;
}

size_t message_fields_size(const struct fields *fields)
{
	size_t size = size_with(offsetof(struct fields, list), fields);

	for (unsigned i = 0; i < fields->count; i++)
		size += fields->list[i].name.len + fields->list[i].value.len;
	return size;
}

static char *keep(struct slice *s, char *at)
{
	memcpy(at, s->data, s->len);
	s->data = at;
	return at + s->len;
}

struct fields *message_copy_fields(void *room, const struct fields *fields)
{
	size_t size = size_with(offsetof(struct fields, list), fields);
	struct fields *copy = room;
	char *at = (char *)room + size;

	memcpy(room, fields, size);
	for (unsigned i = 0; i < copy->count; i++) {
		at = keep(&copy->list[i].name, at);
		at = keep(&copy->list[i].value, at);
		/* A name and its value do not stand beside each other any more as in the message.
		 */
		copy->list[i].plain = false;
	}
	assert((size_t)(at - (char *)room) == message_fields_size(fields));
	return copy;
}
