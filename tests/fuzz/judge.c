/*
 * Reads what was said on one connection. Where the program spoke, what it said must be well-formed
 * to the last byte that came; where the fuzzer did, reading ends at the first mistake.
 */
#include "config.h"

#include "judge.h"

#include <stdlib.h>

#include "http/response.h"

/* What the program adds to a head can make it larger than it takes one itself. */
static const struct head_limits wide = { 128 * 1024, FIELDS_MAX };

static struct request request;
static struct response response;
static struct fields trailers;

void journal_add(struct journal *j, const char *data, size_t len)
{
	if (len > j->cap - j->len) {
		j->cap = 2 * (j->len + len);
		j->bytes = realloc(j->bytes, j->cap);
		FUZZ_CLAIM(j->bytes != NULL);
	}
	memcpy(j->bytes + j->len, data, len);
	j->len += len;
}

void talk_init(struct talk *t, struct head_limits limits)
{
	struct journal requests = t->requests;
	struct journal responses = t->responses;

	*t = (struct talk){ .requests = requests, .responses = responses, .limits = limits };
	t->requests.len = 0;
	t->responses.len = 0;
	t->last_token = -1;
}

/* The framing of a body that begins where the reader is. */
static void begin_body(struct reader *r, struct body body, int token)
{
	r->token = token;
	r->content = 0;
	r->left = body.length;
	r->chunks = (struct chunk_decoder){ 0 };
	switch (body.kind) {
	case BODY_CHUNKED:
		r->place = PLACE_CHUNKS;
		break;
	case BODY_UNTIL_CLOSE:
		r->place = PLACE_UNTIL_CLOSE;
		break;
	case BODY_LENGTH:
	case BODY_NONE:
		r->place = PLACE_LENGTH;
		break;
	}
}

static void end_message(struct reader *r)
{
	r->place = PLACE_HEAD;
	r->seen = 0;
	r->whole++;
}

/* The content of a message that names a token is what was said as this. */
static void judge_content(struct talk *t, struct reader *r, const char *data, size_t len)
{
	bool answer = r == &t->answering;

	if (r->token != -1 && (answer ? t->strict_responses : t->strict_requests))
		FUZZ_CLAIM(token_is_said(r->token, answer, r->content, data, len));
	else if (r->token != -1)
		token_note_said(r->token, answer, r->content, data, len);
	r->content += len;
}

static void read_length(struct talk *t, struct reader *r, const struct journal *j)
{
	size_t n = j->len - r->at;

	if (n > r->left)
		n = (size_t)r->left;
	judge_content(t, r, j->bytes + r->at, n);
	r->at += n;
	r->left -= n;
	if (r->left == 0)
		end_message(r);
}

static void read_chunks(struct talk *t, struct reader *r, const struct journal *j)
{
	enum chunk_result result;

	do {
		struct slice content;
		size_t used = 0;

		result =
			chunk_decode(&r->chunks, j->bytes + r->at, j->len - r->at, &used, &content);
		r->at += used;
		if (result == CHUNK_DATA)
			judge_content(t, r, content.data, content.len);
	} while (result == CHUNK_DATA);
	if (result == CHUNK_TRAILER)
		r->place = PLACE_TRAILERS;
	if (result == CHUNK_BAD)
		r->place = PLACE_BAD;
}

static void read_trailers(struct reader *r, const struct journal *j)
{
	const char *why;
	size_t used = 0;

	switch (trailers_parse(&trailers, j->bytes + r->at, j->len - r->at, &used, &why)) {
	case PARSE_BAD:
		r->place = PLACE_BAD;
		break;
	case PARSE_PARTIAL:
		break;
	case PARSE_DONE:
		r->at += used;
		end_message(r);
		break;
	}
}

static void remember_request(struct talk *t)
{
	struct asked *asked = &t->asked[t->asked_count];
	size_t at;

	t->too_much |= t->asked_count == ASKED_MAX;
	if (t->too_much)
		return;
	t->asked_count++;
	*asked = (struct asked){
		.begin = t->asking.at,
		.method = request.method,
		.minor = request.minor,
		.upgrade = request.upgrade,
		.chunked = request.body.kind == BODY_CHUNKED,
		.token = token_find(request.target, &at),
		.owner = -1,
		.login = talk_has_login(&request.fields, "Authorization"),
	};
}

static void read_request_head(struct talk *t)
{
	struct reader *r = &t->asking;
	const struct journal *j = &t->requests;
	size_t at;

	switch (request_parse(&request, j->bytes + r->at, j->len - r->at, r->seen,
		t->strict_requests ? &wide : &t->limits)) {
	case PARSE_BAD:
		r->place = PLACE_BAD;
		break;
	case PARSE_PARTIAL:
		r->seen = j->len - r->at;
		break;
	case PARSE_DONE:
		remember_request(t);
		r->at += request.head_len;
		r->heads++;
		begin_body(r, request.body, token_find(request.target, &at));
		break;
	}
}

static const struct asked nothing = { .method = METHOD_GET, .minor = 1, .token = -1 };

/* What is being answered. The last answer of the program may be to what was never a whole request.
 * What a backend says before it was asked waits: NULL. */
static const struct asked *asked_now(const struct talk *t)
{
	unsigned n = t->answering.heads;

	if (n < t->asked_count)
		return &t->asked[n];
	if (!t->strict_responses)
		return NULL;
	FUZZ_CLAIM(n == t->asked_count && t->asking.at < t->requests.len);
	return &nothing;
}

/* The token that the answer names; -1: none. */
static int token_of_response(void)
{
	size_t at;

	for (unsigned i = 0; i < response.fields.count; i++) {
		const struct field *f = &response.fields.list[i];

		if (slice_equals_nocase(f->name, slice_of_string("X-Token")))
			return token_find(f->value, &at);
	}
	return -1;
}

/* An answer with a token is that to the request with this token, and there is only one. */
static void claim_token(struct talk *t, const struct asked *asked)
{
	int token = token_of_response();

	if (token == -1 || t->crossed)
		return;
	FUZZ_CLAIM(token == asked->token);
	FUZZ_CLAIM(response.status < 200 || token > t->last_token);
	if (response.status >= 200)
		t->last_token = token;
}

static void claim_response(struct talk *t, const struct asked *asked)
{
	if (!t->strict_responses)
		return;
	FUZZ_CLAIM(response.minor == 1);
	FUZZ_CLAIM(
		asked->minor > 0 || (response.status >= 200 && response.body.kind != BODY_CHUNKED));
	FUZZ_CLAIM(response.status != 101 || asked->upgrade);
	FUZZ_CLAIM(asked->minor == 0 || response.body.kind != BODY_UNTIL_CLOSE);
	claim_token(t, asked);
}

/* What the present response means for requests that may follow. */
static void note_answer(struct asked *asked)
{
	asked->refused = asked->chunked && response.status == 411;
	asked->login |= talk_has_login(&response.fields, "WWW-Authenticate");
}

static void take_response(struct talk *t, const struct asked *asked)
{
	struct reader *r = &t->answering;

	claim_response(t, asked);
	r->at += response.head_len;
	r->seen = 0;
	if (response.status == 101 && asked->upgrade) {
		r->place = t->asking.place = PLACE_TUNNEL;
		return;
	}
	r->last |= !response.keep_alive;
	if (response.status < 200) {
		t->interim++;
		return;
	}
	t->interim = 0;
	if (r->heads < t->asked_count)
		note_answer(&t->asked[r->heads]);
	r->heads++;
	begin_body(r, response.body, token_of_response());
}

static void read_response_head(struct talk *t)
{
	struct reader *r = &t->answering;
	const struct journal *j = &t->responses;
	const struct asked *asked = asked_now(t);
	struct head_limits limits = { .size = t->limits.size, .count = FIELDS_MAX };

	if (asked == NULL)
		return;
	if (t->strict_responses)
		FUZZ_CLAIM(!r->last);
	switch (response_parse(&response, j->bytes + r->at, j->len - r->at, r->seen, asked->method,
		t->strict_responses ? &wide : &limits)) {
	case PARSE_BAD:
		r->place = PLACE_BAD;
		break;
	case PARSE_PARTIAL:
		r->seen = j->len - r->at;
		break;
	case PARSE_DONE:
		take_response(t, asked);
		break;
	}
}

static void read_one(struct talk *t, struct reader *r, const struct journal *j)
{
	switch (r->place) {
	case PLACE_HEAD:
		if (r == &t->asking)
			read_request_head(t);
		else
			read_response_head(t);
		break;
	case PLACE_LENGTH:
		read_length(t, r, j);
		break;
	case PLACE_CHUNKS:
		read_chunks(t, r, j);
		break;
	case PLACE_TRAILERS:
		read_trailers(r, j);
		break;
	case PLACE_UNTIL_CLOSE:
		judge_content(t, r, j->bytes + r->at, j->len - r->at);
		r->at = j->len;
		break;
	case PLACE_TUNNEL:
		r->at = j->len;
		break;
	case PLACE_BAD:
		break;
	}
}

static void read_on(struct talk *t, struct reader *r, const struct journal *j)
{
	size_t at;
	enum place place;

	do {
		at = r->at;
		place = r->place;
		if (place == PLACE_LENGTH ? r->left > 0 && at == j->len : at == j->len)
			break;
		read_one(t, r, j);
	} while (!t->too_much && (r->at != at || r->place != place));
}

void talk_read(struct talk *t)
{
	if (t->too_much)
		return;
	read_on(t, &t->asking, &t->requests);
	read_on(t, &t->answering, &t->responses);
	if (t->too_much)
		return;
	FUZZ_CLAIM(!t->strict_requests || t->asking.place != PLACE_BAD);
	FUZZ_CLAIM(!t->strict_responses || t->answering.place != PLACE_BAD);
}
