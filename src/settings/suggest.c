/*
 * Edit distance for "did you mean": insertions, deletions, substitutions and swaps of neighbours
 * count one each, case and the choice between - and _ count nothing.
 */
#include "config.h"

#include "settings/suggest.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define WORD_MAX 40

static char fold(char c)
{
	return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment over three rows. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1];

	assert(a_len <= WORD_MAX && b_len <= WORD_MAX);
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3];
		const size_t *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			bool same = fold(a[i - 1]) == fold(b[j - 1]);

			row[j] = least(above[j - 1] + !same, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
				fold(a[i - 2]) == fold(b[j - 1]))
				row[j] = least(row[j], above2[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

struct suggest suggest_begin(const char *word)
{
	size_t len = strlen(word);

	return (struct suggest){ word, NULL, len < 4 ? 2 : len < 8 ? 3 : 4 };
}

void suggest_offer(struct suggest *suggest, const char *name)
{
	size_t word_len = strlen(suggest->word);
	size_t name_len = strlen(name);
	size_t d;

	if (word_len > WORD_MAX || name_len > WORD_MAX)
		return;
	d = distance(suggest->word, word_len, name, name_len);
	if (d < suggest->distance && d < name_len) {
		suggest->best = name;
		suggest->distance = d;
	}
}
