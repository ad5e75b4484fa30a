/* The look at a head that arrives in pieces. Private to this folder. */
#ifndef TINYLB_HTTP_HEAD_RIPE_H
#define TINYLB_HTTP_HEAD_RIPE_H

#include "http/field.h"

/*
 * True when a parse of the head from its beginning can say more than the last one, which was given
 * `seen` bytes, at least one, and wanted more: the head ends in the new bytes, something in them is
 * wrong, or a limit was passed. Looks only at the new bytes and at the line they belong to, so that
 * a head in many pieces costs linear time. It only says when to parse: the parser alone decides.
 */
bool head_is_ripe(const char *data, size_t len, size_t seen, const struct head_limits *limits)
	__attribute__((warn_unused_result));

#endif
