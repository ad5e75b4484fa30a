/* Frames content and writes it. */
#include "config.h"

#include "http1/body_writer.h"

#include <assert.h>

#include "http/chunk.h"
#include "net/connection_splice.h"

/* The last chunk and its trailers, which the parser holds to 8 KiB. */
#define LAST_SIZE 9216

/* Before the content the head and a chunk's line, behind it the chunk's end and the last chunk. */
#define FRAMING_PIECES 4

static char crlf[] = "\r\n";

static void add(struct iovec *pieces, int *count, const char *data, size_t len)
{
	pieces[*count].iov_base = (void *)(uintptr_t)data;
	pieces[*count].iov_len = len;
	++*count;
}

static void add_content(struct iovec *pieces, int *count, const struct content *content)
{
	for (int i = 0; i < content->count; i++)
		pieces[(*count)++] = content->pieces[i];
}

static int write_chunked(
	struct connection *to, struct iovec *pieces, int count, const struct content *content)
{
	char line[CHUNK_LINE_MAX], last[LAST_SIZE];

	if (content->len > 0) {
		add(pieces, &count, line, chunk_write_line(line, content->len));
		add_content(pieces, &count, content);
		add(pieces, &count, crlf, 2);
	}
	if (content->end) {
		struct text text = text_over(last, sizeof last);

		chunk_write_end(&text, content->trailers);
		assert(!text.overflow);
		add(pieces, &count, last, text.len);
	}
	return count > 0 ? connection_write(to, pieces, count) : 0;
}

int body_writer_write(
	struct connection *to, enum body_kind out, struct slice head, const struct content *content)
{
	struct iovec pieces[CONTENT_PIECES + FRAMING_PIECES];
	int count = 0;

	if (head.len > 0)
		add(pieces, &count, head.data, head.len);
	if (out == BODY_CHUNKED)
		return write_chunked(to, pieces, count, content);
	add_content(pieces, &count, content);
	return count > 0 ? connection_write(to, pieces, count) : 0;
}

int body_writer_splice(struct connection *to, enum body_kind out, size_t len)
{
	char line[CHUNK_LINE_MAX];
	struct iovec before = { .iov_base = line }, behind = { .iov_base = crlf, .iov_len = 2 };
	bool failed;

	if (out != BODY_CHUNKED)
		return connection_splice_out(to, len);
	before.iov_len = chunk_write_line(line, len);
	failed = connection_write(to, &before, 1) == -1;
	failed |= connection_splice_out(to, len) == -1;
	return failed ? -1 : connection_write(to, &behind, 1);
}
