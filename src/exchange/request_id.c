/*
 * Makes ids. They come from the kernel, many at a time: no id can be guessed from others, and a
 * respawned worker cannot repeat its predecessor's.
 */
#include "config.h"

#include "request_id.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

#define ID_BYTES (REQUEST_ID_LEN / 2)

static bool refill(struct request_ids *ids)
{
	size_t got = 0;

	while (got < sizeof ids->bytes) {
		ssize_t n = getrandom(ids->bytes + got, sizeof ids->bytes - got, 0);

		if (n == -1 && errno != EINTR)
			return false;
		if (n > 0)
			got += (size_t)n;
	}
	ids->left = got;
	return true;
}

static unsigned char digit(unsigned char half)
{
	return (unsigned char)(half + (half < 10 ? '0' : 'a' - 10));
}

/* Lower halves of bytes first, then upper ones: random bits are so in any order, and in this one
 * the compiler takes many at a time. */
struct slice request_id_make(struct request_ids *ids, char out[REQUEST_ID_LEN])
{
	unsigned char id[REQUEST_ID_LEN];

	if (ids->left < ID_BYTES && !refill(ids))
		return slice_of(NULL, 0);
	ids->left -= ID_BYTES;
	memcpy(id, ids->bytes + ids->left, ID_BYTES);
	for (size_t i = 0; i < ID_BYTES; i++) {
		id[ID_BYTES + i] = digit(id[i] >> 4);
		id[i] = digit(id[i] & 15);
	}
	memcpy(out, id, REQUEST_ID_LEN);
	return slice_of(out, REQUEST_ID_LEN);
}

bool request_id_is_fine(struct slice id)
{
	if (id.len == 0 || id.len > REQUEST_ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (id.data[i] <= ' ' || id.data[i] > '~' || id.data[i] == '"' ||
			id.data[i] == '\\')
			return false;
	return true;
}
