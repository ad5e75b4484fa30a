/* Paths that are being written, segment by segment. Private to this folder. */
#ifndef TINYLB_NET_PATH_H
#define TINYLB_NET_PATH_H

#include <stddef.h>

/* The length of a path without its last segment and the slash before that; 0: it had one only. */
static inline size_t path_parent(const char *path, size_t len)
{
	while (len > 0 && path[--len] != '/')
		;
	return len;
}

#endif
