/*
 * Header fields (RFC 9110 5, RFC 9112 5): the grammar of a field section, shared by requests,
 * responses and trailers. Strict: what is not exactly the grammar is refused.
 */
#ifndef TINYLB_HTTP_FIELD_H
#define TINYLB_HTTP_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/text.h"
#include "http/field_id.h"

struct field {
	struct slice name;
	struct slice value; /* trimmed */
	enum field_id id;
	bool dropped; /* hop-by-hop, or named by Connection: not to be forwarded */
	bool plain;   /* stands in the input as it would be written: name, ": ", value, CRLF */
};

/* The most fields a section may have; settings can only lower it. */
#define FIELDS_MAX 256

/* Large: to be shared by many messages, one after another, not kept per connection. */
struct fields {
	unsigned count;
	uint32_t present;               /* FIELD_BIT of each id that occurs */
	uint32_t repeated;              /* of each id that occurs more than once */
	uint16_t first[FIELD_ID_COUNT]; /* index of the first field of an id that is present */
	struct field list[FIELDS_MAX];  /* in the order of the message; the last member: a copy has
					 * fewer */
};

#define FIELD_BIT(id) (UINT32_C(1) << (id))

/* Limits on a head, from the settings. */
struct head_limits {
	size_t size;    /* bytes of the whole head, with its last CRLF */
	unsigned count; /* fields, at most FIELDS_MAX */
};

enum parse_result {
	PARSE_BAD = -1,    /* refused: the struct says with which status and why */
	PARSE_PARTIAL = 0, /* more bytes are needed */
	PARSE_DONE = 1,
};

/* How a message's body is delimited (RFC 9112 6.3). */
enum body_kind {
	BODY_NONE,
	BODY_LENGTH,      /* `length` bytes */
	BODY_CHUNKED,     /* RFC 9112 7.1 */
	BODY_UNTIL_CLOSE, /* responses only */
};

struct body {
	enum body_kind kind;
	uint64_t length; /* of BODY_LENGTH */
};

/* Whether no content can come. */
static inline bool body_is_empty(struct body body)
{
	return body.kind == BODY_NONE || (body.kind == BODY_LENGTH && body.length == 0);
}

/* The id of a field name, whatever its case; never FIELD_TWIN. */
enum field_id field_id_of(struct slice name);

/* Makes `fields` empty. */
void fields_init(struct fields *fields);

/*
 * Reads the fields that begin at `data` and end with an empty line. Appends to `fields`; slices
 * point into `data`. Returns the bytes used with the empty line, 0 when `len` ends before it, or -1
 * with *why; *too_many tells a section with more than `max` fields from a malformed one.
 */
long fields_parse(struct fields *fields, const char *data, size_t len, unsigned max,
	const char **why, bool *too_many) __attribute__((warn_unused_result));

/*
 * Reads one field line from `p` with its CRLF and returns the place after it. Returns NULL with
 * *why untouched when `end` comes first, and NULL with *why set when the line is malformed.
 */
const char *field_parse_line(struct field *field, const char *p, const char *end, const char **why);

/*
 * Marks as dropped what must not go on (RFC 9110 7.6.1): the hop-by-hop fields, and every field
 * that a Connection field names, except those whose loss would change framing, routing, or what is
 * said of the client (Content-Length, Host, X-Forwarded-For and the like).
 */
void fields_drop_hop_by_hop(struct fields *fields);

/* fields_write_named writes what the Connection fields name, as one list. fields_drop_listed marks
 * as dropped what such a list names. They are for trailers, which come when the head with the
 * Connection fields is gone. */
void fields_write_named(const struct fields *fields, struct text *list);
void fields_drop_listed(struct fields *fields, struct slice list);

/* Where a reader of a list field stands; begins as { 0 }. */
struct field_elements {
	unsigned next; /* index of the first field that may be read next; 0: none was read */
	struct slice rest;
};

/* Reads the next element of the list that all fields with this id make together, in their order
 * (RFC 9110 5.3). It has no blanks around it. Empty elements are passed over (RFC 9110 5.6.1). */
bool fields_next_present(const struct fields *fields, enum field_id id, struct field_elements *at,
	struct slice *element);
static inline bool fields_next_element(const struct fields *fields, enum field_id id,
	struct field_elements *at, struct slice *element)
{
	return (fields->present & FIELD_BIT(id)) != 0 &&
	       fields_next_present(fields, id, at, element);
}

/* The first field with this id, or NULL. */
const struct field *fields_find(const struct fields *fields, enum field_id id);

/* True for 1*tchar (RFC 9110 5.6.2). */
bool field_is_token(struct slice s);

#endif
