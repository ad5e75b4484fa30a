/* Numbers with a unit, read and written. Whole numbers only: "1500ms" says no less than "1.5s". */
#include "config.h"

#include "settings/number.h"

struct unit {
	const char *name;
	int64_t factor;
};

/* From small to large. */
static const struct unit duration_units[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "m", 60 * 1000 },
	{ "h", 3600 * 1000 },
	{ NULL, 0 },
};
static const struct unit size_units[] = {
	{ "", 1 },
	{ "k", 1024 },
	{ "M", 1024 * 1024 },
	{ "G", 1024 * 1024 * 1024 },
	{ NULL, 0 },
};

static int parse(const char *text, const struct unit *units, int64_t *out)
{
	size_t digits = strspn(text, "0123456789");
	struct slice name = slice_of_string(text + digits);
	uint64_t number;

	if (digits == 0)
		return -1;
	if (slice_parse_decimal(slice_of(text, digits), INT64_MAX, &number) == -1)
		number = INT64_MAX;
	for (const struct unit *u = units; u->name != NULL; u++) {
		if (!slice_equals_nocase(name, slice_of_string(u->name)))
			continue;
		*out = (int64_t)number > INT64_MAX / u->factor ? INT64_MAX
							       : (int64_t)number * u->factor;
		return 0;
	}
	return -1;
}

int number_parse_duration(const char *text, int64_t *ms)
{
	return parse(text, duration_units, ms);
}

int number_parse_size(const char *text, int64_t *bytes)
{
	return parse(text, size_units, bytes);
}

static void add(struct text *out, int64_t number, const struct unit *units)
{
	const struct unit *best = units;

	for (const struct unit *u = units; u->name != NULL && number != 0; u++)
		if (number % u->factor == 0)
			best = u;
	text_format(out, "%lld%s", (long long)(number / best->factor), best->name);
}

void number_add_duration(struct text *out, int64_t ms)
{
	if (ms == 0)
		text_add_string(out, "0s");
	else
		add(out, ms, duration_units);
}

void number_add_size(struct text *out, int64_t bytes)
{
	add(out, bytes, size_units);
}
