/*
 * Loops: a request that comes back to the listener and route by which it left would go round until
 * its head had outgrown all limits. So each request bears a token by which it is known again (RFC
 * 9110 7.6.3, RFC 8586). The token is a hash of listener and route with the secret of the board,
 * which a reload and an upgrade keep. It does not show what they are. Other instances, listeners
 * and routes have other tokens, so a request may pass them, too. A client that sends a token of
 * ours spoils its own request only.
 */
#ifndef TINYLB_EXCHANGE_LOOP_TOKEN_H
#define TINYLB_EXCHANGE_LOOP_TOKEN_H

#include "exchange/exchange_context.h"
#include "settings/routes.h"

/* Makes the tokens of all listeners and routes; without a board there are none. 0, or -1 when
 * memory is short. Either way loop_token_fini frees what there is. */
int loop_token_init(struct exchange_context *context) __attribute__((warn_unused_result));
void loop_token_fini(struct exchange_context *context);

/* The token of a listener's own pool, and that of one of its routes: FORWARD_TOKEN_LEN characters,
 * as they stand in Via and CDN-Loop. NULL: there are no tokens. */
static inline const char *loop_token_of(const struct exchange_context *context, uint32_t listener)
{
	return context->loop_tokens != NULL ? context->loop_tokens[listener] : NULL;
}
const char *loop_token_of_route(const struct exchange_context *context, uint32_t listener,
	const struct route_settings *route);

/* Whether a request bears this token; NULL is fine. */
bool loop_token_find(const struct fields *fields, const char *token);
static inline bool loop_token_is_in(const struct fields *fields, const char *token)
{
	const uint32_t bearers = FIELD_BIT(FIELD_VIA) | FIELD_BIT(FIELD_CDN_LOOP);

	return (fields->present & bearers) != 0 && loop_token_find(fields, token);
}

/* Logs that requests come back to this listener, at most once a second. */
void loop_token_complain(
	struct exchange_context *context, uint32_t listener, const struct pool *pool);

#endif
