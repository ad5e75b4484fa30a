/*
 * Escapes texts for logs. Nearly every text needs no escape: it is looked at and copied in one go,
 * eight bytes at a time. Only the others are taken apart.
 */
#include "config.h"

#include "base/escape.h"

#include "base/word.h"

/* Copies eight bytes. The result has a top bit where one of them is below `first` or must not stand
 * in quotes; where none is so, it has no top bit. */
static uint64_t copy_word(char *to, const char *from, uint8_t first)
{
	uint64_t word = word_load(from);

	memcpy(to, from, sizeof word);
	return word_below(word, first) | word_equal(word, '"') | word_equal(word, '\\') |
	       (word + WORD_ONES) | word;
}

/* Adds `s` if nothing in it needs an escape. False: nothing was added. */
static bool add_plain(struct text *out, struct slice s, uint8_t first)
{
	char *to = out->data + out->len;
	uint64_t odd = 0;

	if (s.len < 8 || s.len > out->cap - out->len)
		return false;
	for (size_t at = 0; at + 8 < s.len; at += 8)
		odd |= copy_word(to + at, s.data + at, first);
	/* The last eight may begin among those that are there already. */
	odd |= copy_word(to + s.len - 8, s.data + s.len - 8, first);
	if ((odd & WORD_TOPS) != 0)
		return false;
	out->len += s.len;
	return true;
}

static void add_byte(struct text *out, char byte)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char c = (unsigned char)byte;

	text_add(out, (char[]){ '\\', 'x', digits[c >> 4], digits[c & 15] }, 4);
}

static void add_escaped(struct text *out, struct slice s, uint8_t first)
{
	if (add_plain(out, s, first))
		return;
	for (size_t i = 0; i < s.len && !out->overflow; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c >= first && c < 0x7f && c != '"' && c != '\\')
			text_add_char(out, s.data[i]);
		else
			add_byte(out, s.data[i]);
	}
}

void escape_quoted(struct text *out, struct slice s)
{
	add_escaped(out, s, ' ');
}

struct escaped escape_field(struct text *out, struct slice s)
{
	size_t at = out->len;

	add_escaped(out, s, ' ' + 1);
	return escape_known(slice_of(out->data + at, out->len - at));
}

/* How many bytes a character of UTF-8 has that begins with this one; 0: none does (RFC 3629 3). */
static size_t length_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc0 || first >= 0xf8)
		return 0;
	if (first < 0xe0)
		return 2;
	return first < 0xf0 ? 3 : 4;
}

/* Reads the character at the front of `s`, which is not empty. Returns its length in bytes; 0: it
 * is no UTF-8 (RFC 3629 4). */
static size_t read_character(struct slice s, uint32_t *character)
{
	/* The least that has to be written with so many bytes. */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)s.data[0];
	size_t len = length_of(c);

	if (len == 0 || len > s.len)
		return 0;
	*character = len == 1 ? c : c & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		unsigned char next = (unsigned char)s.data[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (next & 0x3f);
	}
	if (*character < least[len] || (*character >= 0xd800 && *character <= 0xdfff) ||
		*character > 0x10ffff)
		return 0;
	return len;
}

/* Whether a character changes nothing of the text around it. */
static bool is_harmless(uint32_t c)
{
	if (c < ' ' || (c >= 0x7f && c <= 0x9f))
		return false;
	return c != 0x61c && c != 0x200e && c != 0x200f && !(c >= 0x2028 && c <= 0x202e) &&
	       !(c >= 0x2066 && c <= 0x2069);
}

void escape_message(struct text *out, struct slice s)
{
	while (s.len > 0 && !out->overflow) {
		uint32_t character;
		size_t len = read_character(s, &character);

		if (len > 0 && is_harmless(character)) {
			text_add(out, s.data, len);
		} else {
			len = 1;
			add_byte(out, s.data[0]);
		}
		s = slice_of(s.data + len, s.len - len);
	}
}
