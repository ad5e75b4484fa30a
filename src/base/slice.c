/*
 * Questions about runs of bytes: comparison, trimming, comma-separated lists, decimal numbers.
 * Knows nothing of what the bytes mean and never looks past their end.
 */
#include "config.h"

#include "base/slice.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

bool slice_equals_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	/* Most write it as we do. */
	if (slice_equals(a, b))
		return true;
	for (size_t i = 0; i < a.len; i++) {
		int differ = a.data[i] ^ b.data[i];

		if (differ != 0 && (differ != 0x20 || !is_letter(a.data[i])))
			return false;
	}
	return true;
}

struct slice slice_trim(struct slice s)
{
	while (s.len > 0 && is_blank(s.data[0])) {
		s.data++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

bool slice_next_element(struct slice *rest, struct slice *element)
{
	while (rest->len > 0) {
		const char *comma = memchr(rest->data, ',', rest->len);
		size_t len = comma != NULL ? (size_t)(comma - rest->data) : rest->len;

		*element = slice_trim(slice_of(rest->data, len));
		if (comma != NULL)
			len++;
		rest->data += len;
		rest->len -= len;
		if (element->len > 0)
			return true;
	}
	return false;
}

int slice_parse_decimal(struct slice s, uint64_t max, uint64_t *value)
{
	const uint64_t safe = UINT64_MAX / 10 - 1; /* up to here one more digit fits */
	uint64_t n = 0;

	if (s.len == 0)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.data[i] - (unsigned)'0';

		if (digit > 9 || (n > safe && (n > max / 10 || digit > max - n * 10)))
			return -1;
		n = n * 10 + digit;
	}
	if (n > max)
		return -1;
	*value = n;
	return 0;
}
