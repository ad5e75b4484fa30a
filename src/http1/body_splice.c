/* Chooses between splicing and copying, and keeps the body's reader in step. */
#include "config.h"

#include "http1/body_splice.h"

#include "net/connection_splice.h"

/* After a smaller piece content is copied, until a read takes all that it may. */
#define PIECE_LEAST 16384

static uint64_t run_of(const struct body_reader *reader)
{
	return reader != NULL ? body_reader_run(reader) : UINT64_MAX;
}

bool body_splice_is_of_use(const struct body_reader *reader, struct connection *from)
{
	if (run_of(reader) < BODY_SPLICE_RUN_LEAST) {
		from->splices = false;
		return false;
	}
	return connection_rest(from) == 0;
}

ssize_t body_splice_in(struct body_reader *reader, struct connection *from, size_t room)
{
	uint64_t run = run_of(reader);
	ssize_t n = connection_splice_in(from, run < room ? (size_t)run : room);

	if (n > 0 && n < PIECE_LEAST)
		from->splices = false;
	if (n > 0 && reader != NULL)
		body_reader_skip(reader, (size_t)n);
	return n;
}
