/*
 * Attempts to get a response: which backend a request goes to, and what happens when that one
 * fails. Then it goes to the next address of the backend, to the same one on a fresh connection, to
 * another backend, or it is answered with the failure.
 */
#ifndef TINYLB_EXCHANGE_ATTEMPT_H
#define TINYLB_EXCHANGE_ATTEMPT_H

#include "exchange_parts.h"

/* Finds a backend for the request and sends it the head, and what is held of the content; or has it
 * wait for one that has room; or answers it. The exchange may be over afterwards. */
void attempt_begin(struct exchange *x);

/* The present stream failed before a response: sends the request again if that is allowed, or ends
 * the exchange with this failure. */
void attempt_retry(struct exchange *x, struct failure failure);

/* No connection to the present address: the same, with what `error` (an errno) says. */
void attempt_cannot_connect(struct exchange *x, int error);

/* The connection of the present stream is there. */
void attempt_connected(struct exchange *x);

/* A final response of this status has come, of which the client has got nothing. True: another
 * backend is asked in its place, and the exchange may be over. */
bool attempt_ask_another(struct exchange *x, int status);

/*
 * A final response of this status has come. True: it is a 411 to content of unknown length, and the
 * same backend is asked again, once, with the length, or will be when the rest of the content is
 * here; the exchange may be over. Any method may be repeated so: the backend has refused to act
 * (RFC 9110 15.5.12). The retry budget is not for this: it protects other backends.
 */
bool attempt_repeat_with_length(struct exchange *x, int status);

/* No more content is gathered: sends the request as it is. 0, or -1 when memory is short. */
int attempt_send_gathered(struct exchange *x) __attribute__((warn_unused_result));

/* The present backend is gone and has said nothing. True: another one is asked in its place, and
 * the exchange may be over; else nothing has changed. */
bool attempt_redispatch(struct exchange *x);

/* For requests that wait in a queue. */
extern const struct selection_events attempt_selection_events;

/* For the queue of deadlines: no connection in time. */
void attempt_connect_expired(struct deadline *deadline);

#endif
