/*
 * Logins that hold for a connection, and not for a request: of the schemes NTLM (MS-NTHT),
 * Negotiate (RFC 4559) and Nego2 (MS-N2HT). Who has logged in is known by the connection from then
 * on, so no request of anybody else may go on it.
 */
#ifndef TINYLB_HTTP_LOGIN_H
#define TINYLB_HTTP_LOGIN_H

#include "http/field.h"

/* Whether a request tries such a login: Authorization. */
bool login_find_credentials(const struct fields *fields);
static inline bool login_is_tried(const struct fields *fields)
{
	return (fields->present & FIELD_BIT(FIELD_AUTHORIZATION)) != 0 &&
	       login_find_credentials(fields);
}

/* Whether a response offers one, or is a step of one: WWW-Authenticate, with any number of
 * challenges (RFC 9110 11.6.1). */
bool login_find_challenge(const struct fields *fields);
static inline bool login_is_offered(const struct fields *fields)
{
	return (fields->present & FIELD_BIT(FIELD_WWW_AUTHENTICATE)) != 0 &&
	       login_find_challenge(fields);
}

#endif
