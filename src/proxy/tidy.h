/* Gives memory back when a rush is over. */
#ifndef TINYLB_PROXY_TIDY_H
#define TINYLB_PROXY_TIDY_H

#include "context.h"

/* So many spare exchanges are nothing to look at. */
#define TIDY_SPARE 16

/* For the queue of looks. */
void tidy_look(struct deadline *deadline);

/* A look is due a second from now, where none is yet. */
static inline void tidy_soon(struct proxy *proxy)
{
	if (!deadline_is_running(&proxy->tidy))
		deadline_start(&proxy->tidy, &proxy->wait_tidy, proxy->loop);
}

#endif
