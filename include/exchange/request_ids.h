/* Random bytes for request ids (request_id.h), which are fetched from the kernel in advance. */
#ifndef TINYLB_EXCHANGE_REQUEST_IDS_H
#define TINYLB_EXCHANGE_REQUEST_IDS_H

#include <stddef.h>

/* Zeroed, there are none. Belongs to one process. */
struct request_ids {
	size_t left;
	unsigned char bytes[1024];
};

#endif
