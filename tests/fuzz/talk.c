/* What may follow on a connection, after what was said there. */
#include "config.h"

#include "judge.h"

static bool is_login(struct slice value)
{
	static const char *const schemes[] = { "NTLM", "Negotiate" };

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		struct slice scheme = slice_of_string(schemes[i]);

		if (value.len >= scheme.len &&
			slice_equals_nocase(slice_of(value.data, scheme.len), scheme) &&
			(value.len == scheme.len || value.data[scheme.len] == ' '))
			return true;
	}
	return false;
}

bool talk_has_login(const struct fields *fields, const char *name)
{
	for (unsigned i = 0; i < fields->count; i++)
		if (slice_equals_nocase(fields->list[i].name, slice_of_string(name)))
			return is_login(fields->list[i].value);
	return false;
}

void talk_judge_logins(const struct talk *t)
{
	int user = -1;

	for (unsigned i = 0; i < t->asked_count; i++) {
		const struct asked *asked = &t->asked[i];

		FUZZ_CLAIM(user == -1 || asked->owner == -1 || asked->owner == user);
		if (asked->login && asked->owner != -1)
			user = asked->owner;
	}
}

bool talk_is_reusable(const struct talk *t)
{
	return t->too_much || (t->asking.place == PLACE_HEAD && t->answering.place == PLACE_HEAD &&
				      t->asking.whole == t->answering.whole && t->interim == 0 &&
				      t->answering.at == t->responses.len && !t->answering.last);
}

bool talk_has_surplus(const struct talk *t)
{
	return t->strict_requests && t->answering.place == PLACE_HEAD &&
	       t->answering.heads >= t->asked_count && t->answering.at < t->responses.len;
}

bool talk_is_cut_short(const struct talk *t)
{
	return !t->too_much && t->answering.whole > t->asking.whole &&
	       t->asking.place != PLACE_TUNNEL;
}
