/*
 * The table behind octet.h: one entry an octet, from the grammars of RFC 9110 5.5 and 5.6.2, RFC
 * 9112 3.2 and RFC 3986 3.2.2. What is not listed may stand nowhere.
 */
#include "config.h"

#include "octet.h"

enum {
	VALUE_ONLY = OCTET_VALUE,
	VISIBLE = OCTET_VALUE | OCTET_TARGET,
	LABEL_ONLY = VISIBLE | OCTET_LABEL,
	TOKEN_ONLY = VISIBLE | OCTET_TOKEN,
	HASH = OCTET_VALUE | OCTET_TOKEN,
	MARK = VISIBLE | OCTET_TOKEN | OCTET_LABEL,
	ALL = VISIBLE | OCTET_TOKEN | OCTET_NAME | OCTET_LABEL,
};

const uint8_t octet_classes[256] = {
	['\t'] = VALUE_ONLY,
	[' '] = VALUE_ONLY,
	['!'] = MARK,
	['"'] = VISIBLE,
	['#'] = HASH,
	['$'] = MARK,
	['%'] = TOKEN_ONLY,
	['&' ... '\''] = MARK,
	['(' ... ')'] = LABEL_ONLY,
	['*' ... '+'] = MARK,
	[','] = VISIBLE,
	['-'] = ALL,
	['.'] = TOKEN_ONLY,
	['/'] = VISIBLE,
	['0' ... '9'] = ALL,
	[':'] = VISIBLE,
	[';'] = LABEL_ONLY,
	['<'] = VISIBLE,
	['='] = LABEL_ONLY,
	['>' ... '@'] = VISIBLE,
	['A' ... 'Z'] = ALL,
	['[' ... ']'] = VISIBLE,
	['^'] = TOKEN_ONLY,
	['_'] = MARK,
	['`'] = TOKEN_ONLY,
	['a' ... 'z'] = ALL,
	['{'] = VISIBLE,
	['|'] = TOKEN_ONLY,
	['}'] = VISIBLE,
	['~'] = MARK,
	[0x80 ... 0xff] = VALUE_ONLY,
};
