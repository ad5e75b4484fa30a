/*
 * The protocols that a request offers by Upgrade (RFC 9110 7.8): its backend may choose one. A
 * protocol is offered to the backend if it hides no requests (base/protocol.h), and if `allowed`,
 * the list of the settings as protocol_is_in reads it, has it. NULL data: any is allowed.
 */
#ifndef TINYLB_HTTP_UPGRADE_OFFER_H
#define TINYLB_HTTP_UPGRADE_OFFER_H

#include "base/text.h"
#include "http/field.h"

/* The most protocols that a request may name; one that names more offers none. */
#define UPGRADE_OFFER_MAX 16

/* True for token [ "/" token ] (RFC 9110 7.8). */
bool upgrade_offer_is_protocol(struct slice s);

/* Whether the Upgrade fields of a request are well-formed, and name a protocol that could be
 * offered. The functions below are for such fields. */
bool upgrade_offer_is_valid(const struct fields *fields);

/* Whether any protocol is offered. */
bool upgrade_offer_is_left(const struct fields *fields, struct slice allowed);

/* Adds the protocols that are offered, as one list in their order. */
void upgrade_offer_write(struct text *out, const struct fields *fields, struct slice allowed);

/* Whether this one is offered. Case is ignored. */
bool upgrade_offer_has(const struct fields *fields, struct slice allowed, struct slice protocol);

#endif
