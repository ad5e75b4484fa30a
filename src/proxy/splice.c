/*
 * Decides which bytes of a body or a tunnel go on unseen: long runs that come in large pieces. What
 * comes in small ones costs less to copy.
 */
#include "config.h"

#include "splice.h"

#include "net/connection_splice.h"

/* Pieces that are smaller end it: until a read takes all that one may, the rest is copied. */
#define PIECE_LEAST 16384

static ssize_t draw(struct connection *from, struct connection *to, uint64_t most)
{
	size_t room = connection_rest(from) == 0 ? connection_splice_room(to) : 0;
	ssize_t n = connection_splice_in(from, most < room ? (size_t)most : room);

	if (n > 0 && n < PIECE_LEAST)
		from->splices = false;
	return n;
}

/* As a chunk of its own where the body goes on in chunks. */
static int pour(const struct relay *relay, struct connection *to, size_t len)
{
	char line[CHUNK_LINE_MAX], end[] = "\r\n";
	struct iovec before = { .iov_base = line }, behind = { .iov_base = end, .iov_len = 2 };
	bool failed;

	if (relay->out != BODY_CHUNKED)
		return connection_splice_out(to, len);
	before.iov_len = chunk_write_line(line, len);
	failed = connection_write(to, &before, 1) == -1;
	/* What was drawn has to leave the pipe in any case. */
	failed |= connection_splice_out(to, len) == -1;
	return failed ? -1 : connection_write(to, &behind, 1);
}

enum splice_result splice_body(struct relay *relay, struct connection *from, struct connection *to)
{
	uint64_t run = relay_plain(relay);
	ssize_t n;

	if (run < SPLICE_RUN_LEAST) {
		from->splices = false;
		return SPLICE_NOT;
	}
	n = draw(from, to, run);
	if (n <= 0)
		return n == 0 ? SPLICE_ENDED : SPLICE_NOT;
	if (pour(relay, to, (size_t)n) == -1)
		return SPLICE_FAILED;
	relay_skip(relay, (size_t)n);
	return SPLICE_MOVED;
}

enum splice_result splice_tunnel(struct connection *from, struct connection *to, uint64_t *content)
{
	ssize_t n = draw(from, to, UINT64_MAX);

	if (n <= 0)
		return n == 0 ? SPLICE_ENDED : SPLICE_NOT;
	*content += (uint64_t)n;
	return connection_splice_out(to, (size_t)n) == 0 ? SPLICE_MOVED : SPLICE_FAILED;
}
