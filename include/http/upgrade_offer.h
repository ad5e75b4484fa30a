/*
 * What a request offers by Upgrade (RFC 9110 7.8): the protocols of which its backend may choose
 * one. `allowed` is what the settings allow of them, a list as protocol_is_in reads it; NULL data:
 * any. Protocols that hide requests are never offered.
 */
#ifndef TINYLB_HTTP_UPGRADE_OFFER_H
#define TINYLB_HTTP_UPGRADE_OFFER_H

#include "base/text.h"
#include "http/field.h"

/* A request that names more protocols offers none. */
#define UPGRADE_OFFER_MAX 16

/* True for token [ "/" token ]. */
bool upgrade_offer_is_protocol(struct slice s);

/* Whether the Upgrade fields of a request are well-formed, and offer anything. */
bool upgrade_offer_is_valid(const struct fields *fields);

/* For fields of which the above is true: whether any protocol is left to be offered; adds those
 * that are, as one list in their order; whether `protocol` is one of them, but for the case of
 * letters. */
bool upgrade_offer_is_left(const struct fields *fields, struct slice allowed);
void upgrade_offer_write(struct text *out, const struct fields *fields, struct slice allowed);
bool upgrade_offer_has(const struct fields *fields, struct slice allowed, struct slice protocol);

#endif
