/* What libevent keeps for each descriptor, packed. */
#ifndef TINYLB_NET_EVENT_MEMORY_H
#define TINYLB_NET_EVENT_MEMORY_H

/* To be called before libevent allocates anything. */
void event_memory_init(void);

#endif
