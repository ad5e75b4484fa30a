/*
 * Cookies (RFC 6265): finding one in a request, leaving one out of it, setting one in a response.
 * Every Cookie field can be read: a part that is no cookie is passed over, because no name matches
 * it.
 */
#ifndef TINYLB_HTTP_COOKIE_H
#define TINYLB_HTTP_COOKIE_H

#include <stdbool.h>

#include "base/slice.h"
#include "base/text.h"
#include "http/field.h"

/* A walk over the cookies of all Cookie fields. */
struct cookies {
	const struct fields *fields; /* borrowed */
	unsigned next;               /* field */
	struct slice rest;           /* of the present one */
};

struct cookie {
	struct slice name; /* empty where there is no "=" */
	struct slice value;
};

static inline struct cookies cookies_of(const struct fields *fields)
{
	return (struct cookies){ .fields = fields };
}

/* The next cookie, or false. Slices point into the fields. */
bool cookies_next(struct cookies *cookies, struct cookie *cookie);

/* The value of the first cookie with this name; empty: none, or nothing in it. The case of names
 * counts. */
struct slice cookie_find(const struct fields *fields, struct slice name);

/* Writes the Cookie fields without the cookies of this name. A field with no other cookies is left
 * out, and so is a dropped one. A field with none of that name is written as it is. */
void cookie_write_without(struct text *out, const struct fields *fields, struct slice name);

/* The cookie by which a session is kept, as a response to the client treats it. */
struct set_cookie {
	struct slice name;  /* backends do not set it; empty: they may set any */
	struct slice value; /* what it is set to; empty: it is not set */
	bool secure;        /* only for TLS */
};

/* Marks as dropped the Set-Cookie fields of a response that set the cookie with this name. */
void cookie_drop_set(struct fields *fields, struct slice name);

/*
 * Writes the fields that set a session cookie: for the whole site, hidden from scripts, not sent
 * with what other sites embed, and where `secure` only over TLS; and that no shared cache may keep
 * it for others. At most COOKIE_SET_EXTRA bytes and the lengths of both.
 */
void cookie_write_set(struct text *out, struct slice name, struct slice value, bool secure);

#define COOKIE_SET_EXTRA 128

#endif
