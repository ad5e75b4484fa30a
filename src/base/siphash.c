/* SipHash over data that is all there at once; both lengths of output share everything but the end.
 */
#include "config.h"

#include "base/siphash.h"

#include "base/word.h"

#define ROUNDS     2 /* for each word */
#define ROUNDS_END 4

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate_left(uint64_t x, int n)
{
	return (x << n) | (x >> (64 - n));
}

static void stir(struct state *s, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate_left(s->v1, 13) ^ s->v0;
		s->v3 = rotate_left(s->v3, 16) ^ s->v2;
		s->v0 = rotate_left(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotate_left(s->v1, 17) ^ s->v2;
		s->v3 = rotate_left(s->v3, 21) ^ s->v0;
		s->v2 = rotate_left(s->v2, 32);
	}
}

static void take_word(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	stir(s, ROUNDS);
	s->v0 ^= word;
}

static uint64_t fold(const struct state *s)
{
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* "somepseudorandomlygeneratedbytes", in four words. */
static struct state begin(const uint8_t *key)
{
	uint64_t k0 = word_load((const char *)key);
	uint64_t k1 = word_load((const char *)key + 8);

	return (struct state){
		k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573),
	};
}

/* The last word has what is left, and the length in its highest byte. */
static void take_all(struct state *s, struct slice data)
{
	char last[8] = { 0 };
	size_t whole = data.len - data.len % 8;

	for (size_t i = 0; i < whole; i += 8)
		take_word(s, word_load(data.data + i));
	if (data.len > whole)
		memcpy(last, data.data + whole, data.len - whole);
	last[7] = (char)data.len;
	take_word(s, word_load(last));
}

uint64_t siphash_64(const uint8_t key[SIPHASH_KEY_SIZE], struct slice data)
{
	struct state s = begin(key);

	take_all(&s, data);
	s.v2 ^= 0xff;
	stir(&s, ROUNDS_END);
	return fold(&s);
}

void siphash_128(const uint8_t key[SIPHASH_KEY_SIZE], struct slice data, uint64_t out[2])
{
	struct state s = begin(key);

	s.v1 ^= 0xee;
	take_all(&s, data);
	s.v2 ^= 0xee;
	stir(&s, ROUNDS_END);
	out[0] = fold(&s);
	s.v1 ^= 0xdd;
	stir(&s, ROUNDS_END);
	out[1] = fold(&s);
}

void siphash_key(
	const uint8_t purpose[SIPHASH_KEY_SIZE], struct slice text, uint8_t key[SIPHASH_KEY_SIZE])
{
	uint64_t out[2];

	siphash_128(purpose, text, out);
	memcpy(key, out, sizeof out);
}
