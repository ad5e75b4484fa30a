/* Goes through the Upgrade fields of a request, which are one list, and picks what is offered. */
#include "config.h"

#include "http/upgrade_offer.h"

#include "base/protocol.h"

static bool next_offer(const struct fields *fields, struct field_elements *at, struct slice allowed,
	struct slice *protocol)
{
	while (fields_next_element(fields, FIELD_UPGRADE, at, protocol))
		if (!protocol_hides_requests(*protocol) &&
			(allowed.data == NULL || protocol_is_in(allowed, *protocol)))
			return true;
	return false;
}

bool upgrade_offer_is_protocol(struct slice s)
{
	const char *slash = memchr(s.data, '/', s.len);
	size_t name = slash != NULL ? (size_t)(slash - s.data) : s.len;

	return field_is_token(slice_of(s.data, name)) &&
	       (slash == NULL || field_is_token(slice_of(slash + 1, s.len - name - 1)));
}

bool upgrade_offer_is_valid(const struct fields *fields)
{
	struct field_elements at = { 0 };
	struct slice element;
	unsigned count = 0;

	while (fields_next_element(fields, FIELD_UPGRADE, &at, &element))
		if (++count > UPGRADE_OFFER_MAX || !upgrade_offer_is_protocol(element))
			return false;
	return upgrade_offer_is_left(fields, slice_of(NULL, 0));
}

bool upgrade_offer_is_left(const struct fields *fields, struct slice allowed)
{
	struct field_elements at = { 0 };
	struct slice protocol;

	return next_offer(fields, &at, allowed, &protocol);
}

void upgrade_offer_write(struct text *out, const struct fields *fields, struct slice allowed)
{
	struct field_elements at = { 0 };
	const char *comma = "";
	struct slice protocol;

	while (next_offer(fields, &at, allowed, &protocol)) {
		text_add_string(out, comma);
		text_add_slice(out, protocol);
		comma = ", ";
	}
}

bool upgrade_offer_has(const struct fields *fields, struct slice allowed, struct slice protocol)
{
	struct field_elements at = { 0 };
	struct slice offered;

	while (next_offer(fields, &at, allowed, &offered))
		if (slice_equals_nocase(offered, protocol))
			return true;
	return false;
}
