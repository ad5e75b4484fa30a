/*
 * The reader is strict: to refuse an upgrade, after which the former version goes on, is better
 * than to lose a socket.
 */
#include "config.h"

#include "handover_read.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "handover_check.h"
#include "handover_record.h"

/* The next word of a line: up to a blank or the end. NULL: there is none. */
static char *next_word(char **line)
{
	char *word = *line, *end;

	if (word == NULL || *word == '\0')
		return NULL;
	end = strchr(word, ' ');
	*line = end != NULL ? end + 1 : NULL;
	if (end != NULL)
		*end = '\0';
	return word;
}

static int read_number(const char *word, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (*word == '\0' || (word[0] == '0' && word[1] != '\0'))
		return -1;
	for (; *word != '\0'; word++) {
		if (*word < '0' || *word > '9' || __builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, (uint64_t)(*word - '0'), &n))
			return -1;
	}
	*out = n;
	return n <= max ? 0 : -1;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* True where the address is as long as one of its family. */
static bool is_sound_address(const struct address *a)
{
	switch (a->u.sa.sa_family) {
	case AF_INET:
		return a->len == sizeof a->u.in;
	case AF_INET6:
		return a->len == sizeof a->u.in6;
	case AF_UNIX:
		return a->len > offsetof(struct sockaddr_un, sun_path) + 1 &&
		       a->len <= sizeof a->u.un;
	default:
		return false;
	}
}

static int read_address(const char *word, struct address *a)
{
	unsigned char *bytes = (unsigned char *)&a->u;
	size_t len = strlen(word);

	if (len % 2 != 0 || len / 2 > sizeof a->u || len / 2 < sizeof a->u.sa.sa_family)
		return -1;
	for (size_t i = 0; i < len / 2; i++) {
		int high = hex_digit(word[2 * i]), low = hex_digit(word[2 * i + 1]);

		if (high == -1 || low == -1)
			return -1;
		bytes[i] = (unsigned char)(high * 16 + low);
	}
	a->len = (socklen_t)(len / 2);
	return is_sound_address(a) ? 0 : -1;
}

static int read_value(const struct field *f, char *word, char *item)
{
	void *at = item + f->offset;
	uint64_t n = 0;

	switch (f->type) {
	case FIELD_NUMBER:
		if (read_number(word, f->max != 0 ? f->max : UINT32_MAX, &n) == -1)
			return -1;
		*(uint32_t *)at = (uint32_t)n;
		return 0;
	case FIELD_LONG:
		return read_number(word, UINT64_MAX, at);
	case FIELD_PLACE:
	case FIELD_FD:
		*(int *)at = -1;
		if (strcmp(word, "-") == 0)
			return 0;
		/* The standard three are never handed over. */
		if (read_number(word, INT32_MAX, &n) == -1 || (f->type == FIELD_FD && n < 3))
			return -1;
		*(int *)at = (int)n;
		return 0;
	case FIELD_ADDRESS:
		return read_address(word, at);
	case FIELD_TEXT:
	case FIELD_END:
		break;
	}
	return -1;
}

static int read_item(const struct record *r, char *line, char *item)
{
	for (const struct field *f = r->fields; f->type != FIELD_END; f++) {
		char *word;

		if (f->type == FIELD_TEXT) {
			*(const char **)(void *)(item + f->offset) = line;
			return line != NULL && *line != '\0' ? 0 : -1;
		}
		word = next_word(&line);
		if (word == NULL || read_value(f, word, item) == -1)
			return -1;
	}
	return line == NULL ? 0 : -1;
}

static const struct record *find_record(const char *word)
{
	for (size_t i = 0; i < handover_record_count; i++)
		if (strcmp(handover_records[i].word, word) == 0)
			return &handover_records[i];
	return NULL;
}

/* How many lines begin with `word`, which a blank follows. */
static size_t count_lines(const char *text, const char *word)
{
	size_t n = 0, len = strlen(word);

	while (text != NULL) {
		n += strncmp(text, word, len) == 0 && text[len] == ' ';
		text = strchr(text, '\n');
		text = text != NULL ? text + 1 : NULL;
	}
	return n;
}

/* Makes room for every line. 0, or -1: no memory. */
static int make_lists(struct handover *h, const char *text)
{
	for (size_t i = 0; i < handover_record_count; i++) {
		const struct record *r = &handover_records[i];
		struct handover_list *list = handover_record_list(h, r);

		if (handover_make(list, count_lines(text, r->word), r->size) == NULL)
			return -1;
		list->count = 0; /* until they are read */
	}
	return 0;
}

static int read_line(struct handover *h, char *line)
{
	const char *word = next_word(&line);
	const struct record *r = word != NULL ? find_record(word) : NULL;
	struct handover_list *list;

	if (r == NULL)
		return -1;
	list = handover_record_list(h, r);
	if (read_item(r, line, (char *)list->items + list->count * r->size) == -1)
		return -1;
	list->count++;
	return 0;
}

/* The next line, with a NUL for its newline; NULL at the end, and where the last one has none. */
static char *next_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');

	if (end == NULL)
		return NULL;
	*end = '\0';
	*text = end + 1;
	return line;
}

static int read_lines(struct handover *h, char *text)
{
	char *line = next_line(&text);

	if (line == NULL || strcmp(line, "tinylb-state 1") != 0)
		return -1;
	while ((line = next_line(&text)) != NULL) {
		if (strcmp(line, "end") == 0)
			return *text == '\0' ? 0 : -1;
		if (read_line(h, line) == -1)
			return -1;
	}
	return -1;
}

int handover_read(struct handover *h, char *text, size_t len, const char **why)
{
	*h = (struct handover){ 0 };
	*why = NULL;
	if (strlen(text) != len)
		*why = "it has a NUL in it";
	else if (make_lists(h, text) == -1)
		*why = "out of memory";
	else if (read_lines(h, text) == -1)
		*why = "it is not written as this version reads it";
	else
		*why = handover_check(h);
	if (*why == NULL)
		return 0;
	handover_fini(h);
	return -1;
}
