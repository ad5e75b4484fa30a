/* Tokens are made once, and compared only where a request has been with some proxy before. */
#include "config.h"

#include "loop_token.h"

#include <assert.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/siphash.h"
#include "http/forward_options.h"
#include "upstream/pool.h"

/* Followed by the digits of a hash. */
static const char name[] = "tinylb-";

#define NAME_LEN (sizeof name - 1)

_Static_assert(FORWARD_TOKEN_LEN == sizeof name - 1 + 16, "a token is a name and 16 digits");

#define SAY_EVERY_US UINT64_C(1000000)

/* Any number of listeners may have the same address on port 0: which of these it is. */
static uint64_t ordinal_of(const struct settings *settings, size_t listener)
{
	const struct listener_settings *l = &settings->listeners[listener];
	uint64_t before = 0;

	if (address_port(&l->address) != 0)
		return 0;
	for (size_t i = 0; i < listener; i++)
		before += strcmp(settings->listeners[i].address_text, l->address_text) == 0;
	return before;
}

/* Places in lists may change with a reload, so that none counts. */
static void write_token(char *out, const struct exchange_context *context, size_t listener,
	const struct route_settings *route)
{
	static const char digits[] = "0123456789abcdef";
	char room[2048]; /* longer than an address, a host and a path may be */
	struct text text = text_over(room, sizeof room);
	uint64_t hash;

	text_add_string(&text, context->settings->listeners[listener].address_text);
	text_add_char(&text, '\0');
	text_add_decimal(&text, ordinal_of(context->settings, listener));
	text_add_char(&text, route != NULL ? 'r' : 'p');
	if (route != NULL) {
		text_add_slice(&text, slice_of_string(route->host));
		text_add_char(&text, '\0');
		text_add_slice(&text, slice_of_string(route->path));
	}
	hash = siphash_64(rows_secret(context->upstream->rows), text_slice(&text));
	memcpy(out, name, NAME_LEN);
	for (size_t i = NAME_LEN; i < FORWARD_TOKEN_LEN; i++, hash >>= 4)
		out[i] = digits[hash & 15];
}

static int make_tokens(struct exchange_context *context, size_t listener)
{
	const struct listener_settings *l = &context->settings->listeners[listener];
	char *tokens = mem_zalloc(l->route_count + 1, FORWARD_TOKEN_LEN);

	if (tokens == NULL)
		return -1;
	context->loop_tokens[listener] = tokens;
	write_token(tokens, context, listener, NULL);
	for (size_t i = 0; i < l->route_count; i++)
		write_token(tokens + (i + 1) * FORWARD_TOKEN_LEN, context, listener, &l->routes[i]);
	return 0;
}

int loop_token_init(struct exchange_context *context)
{
	size_t count = context->settings->listener_count;

	if (context->upstream->rows == NULL)
		return 0;
	context->loop_tokens = mem_zalloc(count, sizeof *context->loop_tokens);
	if (context->loop_tokens == NULL)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (make_tokens(context, i) == -1)
			return -1;
	return 0;
}

void loop_token_fini(struct exchange_context *context)
{
	for (size_t i = 0; context->loop_tokens != NULL && i < context->settings->listener_count;
		i++)
		mem_free(context->loop_tokens[i]);
	mem_free(context->loop_tokens);
}

const char *loop_token_of_route(const struct exchange_context *context, uint32_t listener,
	const struct route_settings *route)
{
	const struct listener_settings *l = &context->settings->listeners[listener];
	size_t index = (size_t)(route - l->routes);

	assert(index < l->route_count);
	if (context->loop_tokens == NULL)
		return NULL;
	return context->loop_tokens[listener] + (index + 1) * FORWARD_TOKEN_LEN;
}

bool loop_token_find(const struct fields *fields, const char *token)
{
	if (token == NULL)
		return false;
	for (unsigned i = 0; i < fields->count; i++) {
		const struct field *field = &fields->list[i];

		if ((field->id == FIELD_VIA || field->id == FIELD_CDN_LOOP) &&
			memmem(field->value.data, field->value.len, token, FORWARD_TOKEN_LEN) !=
				NULL)
			return true;
	}
	return false;
}

void loop_token_complain(
	struct exchange_context *context, uint32_t listener, const struct pool *pool)
{
	uint64_t now_us = context->loop->now_us;

	if (context->loop_said_us != 0 && now_us - context->loop_said_us < SAY_EVERY_US)
		return;
	context->loop_said_us = now_us;
	log_warnx("listener %s: a loop: requests for pool %s come back here; where do its backends "
		  "lead to?",
		context->settings->listeners[listener].address_text, pool->settings->name);
}
