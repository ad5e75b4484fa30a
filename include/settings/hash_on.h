/* What a pool that balances by "hash" takes as the key of a request. */
#ifndef TINYLB_SETTINGS_HASH_ON_H
#define TINYLB_SETTINGS_HASH_ON_H

#include "base/slice.h"
#include "base/text.h"

enum hash_source {
	HASH_CLIENT, /* the address that it came from, without the port */
	HASH_PATH,   /* of its target, without the query */
	HASH_HEADER, /* the value of a field */
	HASH_COOKIE, /* the value of a cookie */
};

struct hash_on {
	enum hash_source source;
	struct slice name; /* of the field or cookie; points into the text */
};

/* Reads "client", "path", "header:NAME" or "cookie:NAME". 0, or -1 with what would be right. */
int hash_on_parse(const char *text, struct hash_on *on, struct text *why)
	__attribute__((warn_unused_result));

/* Whether `text` can be read so; for option.check. 0, or -1 with what would be right. */
int hash_on_check(const char *text, struct text *why);

#endif
