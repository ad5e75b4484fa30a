/* Tokens are made at start. They are looked for only in requests that another proxy has sent. */
#include "config.h"

#include "loop_token.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/siphash.h"
#include "http/forward_options.h"
#include "upstream/pool.h"

#define SAY_EVERY_US UINT64_C(1000000)

/* Several listeners may have the same address if its port is 0: how many of these stand before this
 * one in the settings. */
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

/* The token is made of what the settings say of the listener and the route. Their places in the
 * lists may change with a reload, so a place counts only where nothing else tells listeners apart.
 */
static void write_token(char *out, const struct exchange_context *context, size_t listener,
	const struct route_settings *route)
{
	char room[2048]; /* longer than an address, a host and a path may be */
	struct text text = text_over(room, sizeof room);
	char token[FORWARD_TOKEN_LEN + 1];
	int len;

	text_add_string(&text, context->settings->listeners[listener].address_text);
	text_add_char(&text, '\0');
	text_add_decimal(&text, ordinal_of(context->settings, listener));
	text_add_char(&text, route != NULL ? 'r' : 'p');
	if (route != NULL) {
		text_add_slice(&text, slice_of_string(route->host));
		text_add_char(&text, '\0');
		text_add_slice(&text, slice_of_string(route->path));
	}
	len = snprintf(token, sizeof token, "tinylb-%016jx",
		(uintmax_t)siphash_64(rows_secret(context->upstream->rows), text_slice(&text)));
	assert(len == FORWARD_TOKEN_LEN);
	memcpy(out, token, (size_t)len);
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
	log_warnx("listener %s: a loop: requests for pool %s come back here: one of its backends "
		  "leads to this listener",
		context->settings->listeners[listener].address_text, pool->settings->name);
}
