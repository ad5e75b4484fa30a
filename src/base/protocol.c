/* Compares the protocols of Upgrade fields; the grammar is the caller's business. */
#include "config.h"

#include "base/protocol.h"

static struct slice name_of(struct slice protocol)
{
	const char *slash = memchr(protocol.data, '/', protocol.len);

	return slash != NULL ? slice_of(protocol.data, (size_t)(slash - protocol.data)) : protocol;
}

/* Drafts of HTTP/2 had their number behind a dash: h2c-14. */
static bool is_of_family(struct slice name, struct slice family)
{
	if (name.len > family.len && name.data[family.len] == '-')
		name.len = family.len;
	return slice_equals_nocase(name, family);
}

bool protocol_hides_requests(struct slice protocol)
{
	static const char *const families[] = { "h2c", "h2", "h3", "http", "https", "tls", "ssl" };
	struct slice name = name_of(protocol);

	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		if (is_of_family(name, slice_of_string(families[i])))
			return true;
	return false;
}

bool protocol_is_in(struct slice list, struct slice protocol)
{
	struct slice name = name_of(protocol);
	struct slice element;

	while (slice_next_element(&list, &element))
		if (slice_equals_nocase(element, protocol) || slice_equals_nocase(element, name))
			return true;
	return false;
}
