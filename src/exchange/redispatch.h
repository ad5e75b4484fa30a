/*
 * Requests that wait for a backend that has been found gone meanwhile. HAProxy calls it a
 * redispatch when a request goes to another backend than the one it was meant for.
 */
#ifndef TINYLB_EXCHANGE_REDISPATCH_H
#define TINYLB_EXCHANGE_REDISPATCH_H

#include "exchange/exchange_context.h"

/* For the queue of looks. */
void redispatch_look(struct deadline *deadline);

#endif
