/*
 * Requests that wait for a backend that has been found gone meanwhile. HAProxy calls it a
 * redispatch when a request goes to another backend than the one it was meant for.
 */
#ifndef TINYLB_PROXY_REDISPATCH_H
#define TINYLB_PROXY_REDISPATCH_H

#include "context.h"

/* For the queue of looks. */
void redispatch_look(struct deadline *deadline);

/* A request was sent: a look is due REDISPATCH_MS from now, where none is yet. */
static inline void redispatch_soon(struct proxy *proxy)
{
	if (!deadline_is_running(&proxy->redispatch))
		deadline_start(&proxy->redispatch, &proxy->wait_redispatch, proxy->loop);
}

#endif
