/* What the backend's side tells an exchange. */
#ifndef TINYLB_EXCHANGE_UPSTREAM_EVENTS_H
#define TINYLB_EXCHANGE_UPSTREAM_EVENTS_H

#include "upstream/backend_stream.h"

/* The owner of a stream is a struct exchange. */
extern const struct upstream_events exchange_upstream_events;

#endif
