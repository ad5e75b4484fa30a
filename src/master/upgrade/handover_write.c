/* The one writer of all records. */
#include "config.h"

#include "handover_write.h"

#include <string.h>

#include "handover_record.h"

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
		const struct handover_list *list = handover_record_peek(h, r);

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
