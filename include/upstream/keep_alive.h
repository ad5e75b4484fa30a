/*
 * For how long a backend keeps an idle connection, as far as one can see. A request that it must
 * not get twice goes only onto one that is in no danger of being closed just now.
 */
#ifndef TINYLB_UPSTREAM_KEEP_ALIVE_H
#define TINYLB_UPSTREAM_KEEP_ALIVE_H

#include <stdint.h>

struct keep_alive {
	uint64_t closed_us;  /* the backend closes those that are idle for so long; 0: unknown */
	uint64_t alive_us;   /* so long one was idle and open, the backend has shown */
	uint64_t seen_us;    /* when it last closed one at closed_us */
	uint64_t witness_us; /* since when the last one was idle that lived longer */
	unsigned seen;       /* how often it closed one, less those that lived longer */
};

/* The backend has closed a connection that was idle for so long. */
void keep_alive_closed(struct keep_alive *limit, uint64_t idle_us, uint64_t now_us);

/* One that is idle for so long is still open. */
void keep_alive_alive(struct keep_alive *limit, uint64_t idle_us, uint64_t now_us);

/* A connection can be used while it is idle for less than this: with a request that could be sent
 * again on a fresh one; and with one that must not be. */
uint64_t keep_alive_usual(const struct keep_alive *limit);
uint64_t keep_alive_once(const struct keep_alive *limit);

/* The most for one that must not be sent again, whatever the backend says. */
#define KEEP_ALIVE_ONCE_US UINT64_C(1000000)

#endif
