/*
 * A tunnel: after a 101 both sides carry bytes that are none of our business, until both have
 * ended.
 */
#ifndef TINYLB_EXCHANGE_TUNNEL_H
#define TINYLB_EXCHANGE_TUNNEL_H

#include "exchange_parts.h"

/* The 101 went to the client: the tunnel begins. */
void tunnel_open(struct exchange *x);

/* Content from either side. False: the exchange is over. */
bool tunnel_from_client(struct exchange *x, const struct content *content);
bool tunnel_from_backend(struct exchange *x, const struct content *content);

/* `len` bytes from either side that are in the pipe of the loop. */
void tunnel_spliced_from_client(struct exchange *x, size_t len, bool end);
bool tunnel_spliced_from_backend(struct exchange *x, size_t len);

/* A side has taken some of what was sent; a side ended (error 0), or failed. */
void tunnel_client_drained(struct exchange *x);
void tunnel_backend_drained(struct exchange *x);
void tunnel_client_ended(struct exchange *x, int error);
void tunnel_backend_ended(struct exchange *x, int error);

/* For the queue of deadlines: nothing moved for too long. */
void tunnel_expired(struct deadline *deadline);

#endif
