/*
 * Makes requests and judges answers. The backend echoes the request, so that a token and a filler
 * that follows from it tell an answer from that to any other request, and a whole one from a part.
 */
#include "config.h"

#include "selftest_probe.h"

#include <assert.h>
#include <inttypes.h>

#define FILLER_FIELD "X-Selftest-Filler: "

/* What a head, and what a body may carry: some go over the edge of a packet, none over that of what
 * a balancer or a backend must take. */
#define FIELD_FILLER_MAX 2048
#define BODY_FILLER_MAX  12288

/* The filler of a token, in pieces. */
struct filler {
	uint64_t state;
	size_t left;
};

static struct filler filler_of(const struct probe *probe)
{
	return (struct filler){ probe->token * 2 + 1, probe->filler };
}

/* The next byte: a letter of a sequence without a short period (a linear congruential generator,
 * Knuth's MMIX). */
static char filler_next(struct filler *filler)
{
	filler->state =
		filler->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	filler->left--;
	return (char)('a' + (filler->state >> 33) % 26);
}

struct probe selftest_probe_make(uint64_t token, uint64_t random, bool close)
{
	struct probe probe = { .token = token, .close = close, .post = random % 4 == 0 };

	probe.filler = random / 4 % (probe.post ? BODY_FILLER_MAX : FIELD_FILLER_MAX);
	/* A body of nothing would be no body for the backend. */
	probe.filler++;
	return probe;
}

static const char *method_of(const struct probe *probe)
{
	return probe->post ? "POST" : "GET";
}

static void add_filler(struct text *out, const struct probe *probe)
{
	struct filler filler = filler_of(probe);

	while (filler.left > 0)
		text_add_char(out, filler_next(&filler));
}

void selftest_probe_write(struct text *out, const struct probe *probe)
{
	assert(out->len == 0 && probe->filler < PROBE_MAX);
	text_format(out, "%s /selftest/%016" PRIx64 " HTTP/1.1\r\nHost: selftest\r\n",
		method_of(probe), probe->token);
	if (probe->close)
		text_add_string(out, "Connection: close\r\n");
	if (probe->post) {
		text_format(out, "Content-Length: %zu\r\n\r\n", probe->filler);
		add_filler(out, probe);
		return;
	}
	text_add_string(out, FILLER_FIELD);
	add_filler(out, probe);
	text_add_string(out, "\r\n\r\n");
}

/* Takes `word` off the front of *rest. False where something else is there. */
static bool take(struct slice *rest, struct slice word)
{
	if (rest->len < word.len || memcmp(rest->data, word.data, word.len) != 0)
		return false;
	*rest = slice_of(rest->data + word.len, rest->len - word.len);
	return true;
}

/* Goes behind the first `word` in *rest. */
static bool skip_to(struct slice *rest, struct slice word)
{
	const char *at = rest->len > 0 ? memmem(rest->data, rest->len, word.data, word.len) : NULL;

	if (at == NULL)
		return false;
	*rest = slice_of(at, rest->len - (size_t)(at - rest->data));
	return take(rest, word);
}

static bool take_filler(struct slice *rest, const struct probe *probe)
{
	struct filler filler = filler_of(probe);
	size_t len = probe->filler;

	if (rest->len < len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (rest->data[i] != filler_next(&filler))
			return false;
	*rest = slice_of(rest->data + len, rest->len - len);
	return true;
}

/* The body of an answer: the name of the backend, an empty line, and the request as it came. NULL,
 * or what is wrong. */
static const char *judge_body(const struct probe *probe, struct slice body)
{
	char line[80];
	struct text text = text_over(line, sizeof line);
	struct slice rest = body;

	text_format(&text, "\n\n%s /selftest/%016" PRIx64 " HTTP/1.1\n", method_of(probe),
		probe->token);
	if (!take(&rest, slice_of_string("backend ")))
		return "its body is none of a backend";
	if (!skip_to(&rest, text_slice(&text)))
		return "it belongs to another request";
	if (!probe->post && !skip_to(&rest, slice_of_string("\n" FILLER_FIELD)))
		return "the request had lost a field";
	if (probe->post && !skip_to(&rest, slice_of_string("\n\n")))
		return "the request had no end";
	if (!take_filler(&rest, probe) || !take(&rest, slice_of_string("\n")))
		return "some of its bytes are wrong";
	/* What else the head of a GET had may follow. */
	if (probe->post ? rest.len > 0 : rest.len < 1 || rest.data[rest.len - 1] != '\n')
		return "its end is wrong";
	return NULL;
}

static enum verdict wrong(struct judgement *judgement, const char *why)
{
	judgement->why = why;
	return VERDICT_WRONG;
}

enum verdict selftest_probe_judge(const struct probe *probe, struct slice answer,
	struct response *scratch, struct judgement *judgement)
{
	static const struct head_limits limits = { .size = PROBE_MAX, .count = FIELDS_MAX };
	const char *why;

	*judgement = (struct judgement){ 0 };
	if (answer.len == 0)
		return VERDICT_MORE;
	switch (response_parse(scratch, answer.data, answer.len, 0,
		probe->post ? METHOD_POST : METHOD_GET, &limits)) {
	case PARSE_PARTIAL:
		return VERDICT_MORE;
	case PARSE_BAD:
		return wrong(judgement, scratch->why);
	case PARSE_DONE:
		break;
	}
	judgement->status = scratch->status;
	judgement->keep_alive = scratch->keep_alive;
	if (scratch->status != 200)
		return wrong(judgement, "its status is not 200");
	if (scratch->body.kind != BODY_LENGTH)
		return wrong(judgement, "it does not tell its length");
	answer = slice_of(answer.data + scratch->head_len, answer.len - scratch->head_len);
	if (answer.len < scratch->body.length)
		return VERDICT_MORE;
	if (answer.len > scratch->body.length)
		return wrong(judgement, "something follows it");
	why = judge_body(probe, answer);
	return why != NULL ? wrong(judgement, why) : VERDICT_RIGHT;
}
