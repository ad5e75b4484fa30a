/*
 * Logins that hold for a connection, and not for a request: those of the schemes NTLM (MS-NTHT),
 * Negotiate (RFC 4559) and Nego2 (MS-N2HT). From then on the backend serves every request on that
 * connection under the login.
 */
#ifndef TINYLB_HTTP_LOGIN_H
#define TINYLB_HTTP_LOGIN_H

#include "http/field.h"

/* Whether the Authorization of a request tries such a login. */
bool login_find_credentials(const struct fields *fields);
static inline bool login_is_tried(const struct fields *fields)
{
	return (fields->present & FIELD_BIT(FIELD_AUTHORIZATION)) != 0 &&
	       login_find_credentials(fields);
}

/* Whether the WWW-Authenticate of a response, which may have several challenges (RFC 9110 11.6.1),
 * offers such a login, or is a step of one. */
bool login_find_challenge(const struct fields *fields);
static inline bool login_is_offered(const struct fields *fields)
{
	return (fields->present & FIELD_BIT(FIELD_WWW_AUTHENTICATE)) != 0 &&
	       login_find_challenge(fields);
}

#endif
