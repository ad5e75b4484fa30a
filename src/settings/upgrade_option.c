/* What is no protocol, or is never offered to backends, is refused: it would have no effect. */
#include "config.h"

#include "upgrade_option.h"

#include "base/memory.h"
#include "base/protocol.h"
#include "field_name.h"

/* Name and version, each a token. */
static bool is_protocol(const char *text)
{
	char bytes[80];
	struct text name = text_over(bytes, sizeof bytes);
	const char *slash = strchr(text, '/');

	if (slash == NULL)
		return field_name_is_valid(text);
	text_add_slice(&name, slice_of(text, (size_t)(slash - text)));
	return !name.overflow && field_name_is_valid(text_string(&name)) &&
	       field_name_is_valid(slash + 1);
}

static int refuse(struct text *why, const char *reason)
{
	text_add_string(why, reason);
	return -1;
}

static int set(char **list, const char *text)
{
	char *copy = mem_strdup(text);

	if (copy == NULL)
		return -1;
	mem_free(*list);
	*list = copy;
	return 0;
}

int upgrade_option_clear(char **list)
{
	return set(list, "");
}

int upgrade_option_add(char **list, const char *protocol, struct text *why)
{
	char bytes[1024];
	struct text all = text_over(bytes, sizeof bytes);

	if (protocol == NULL || !is_protocol(protocol))
		return refuse(why, "must be protocols in quotes: [ \"websocket\", \"SPDY/3.1\" ]");
	if (protocol_hides_requests(slice_of_string(protocol)))
		return refuse(why, "is never offered: requests would go through it unseen");
	if (protocol_is_in(slice_of_string(*list), slice_of_string(protocol)))
		return refuse(why, "is there already");
	if (*list != NULL && **list != '\0')
		text_format(&all, "%s,", *list);
	text_add_string(&all, protocol);
	if (all.overflow)
		return refuse(why, "is one too many");
	return set(list, text_string(&all)) == 0 ? 0 : refuse(why, "out of memory");
}

void upgrade_option_write(struct text *out, const char *list)
{
	struct slice rest = slice_of_string(list);
	const char *before = "[ ";
	struct slice protocol;

	while (slice_next_element(&rest, &protocol)) {
		text_format(out, "%s\"%.*s\"", before, SLICE_ARGS(protocol));
		before = ", ";
	}
	text_add_string(out, *before == '[' ? "[ ]" : " ]");
}
