/* The writing half of HTTP/1 towards clients. */
#ifndef TINYLB_DOWNSTREAM_HTTP1_RESPOND_H
#define TINYLB_DOWNSTREAM_HTTP1_RESPOND_H

#include "client.h"
#include "exchange/downstream.h"
#include "exchange/record.h"

/* What exchanges ask; the context of each is its struct client. */
extern const struct downstream_ops http1_respond_ops;

/* Answers a request that never became an exchange, writes its record and ends the connection.
 * `request` is what was parsed of it. */
void http1_respond_refuse(struct client *client, const struct request *request, int status,
	enum reason reason, const char *detail);

/* The same of a request of which too little is here for a line in the log. */
void http1_respond_refuse_unread(
	struct client *client, int status, enum reason reason, const char *detail);

#endif
