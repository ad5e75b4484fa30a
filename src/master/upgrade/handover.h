/*
 * What one version of the program hands to the next as text, a record a line, when the running
 * master becomes another program (upgrade.h): plain values, and no struct of one version alone.
 * All later versions must read a text of version 1.
 */
#ifndef TINYLB_SRC_MASTER_UPGRADE_HANDOVER_H
#define TINYLB_SRC_MASTER_UPGRADE_HANDOVER_H

#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

#define HANDOVER_VERSION 1

/* Descriptors and places are -1 where there are none. Texts are borrowed. */
struct handover_self {
	uint32_t pid;
	uint64_t seed;
	uint32_t last_generation;
	uint32_t reload;    /* 1: a HUP waits */
	uint32_t upgrade;   /* 1: another USR2 waits */
	uint32_t daemon;    /* 1: it has left the terminal */
	int board;          /* the board's memory */
	int pid_file;       /* the locked file */
	const char *writer; /* the version that wrote this */
};

struct handover_path {
	const char *path;
};

enum { HANDOVER_CURRENT, HANDOVER_DRAINING, HANDOVER_FAILED };

struct handover_generation {
	uint32_t number;
	uint32_t state; /* HANDOVER_CURRENT ... */
	uint32_t workers;
	uint64_t started;
	int access_log;
	int settings; /* a file with the settings */
};

struct handover_slot {
	uint32_t generation;
	uint32_t slot;
	uint32_t deaths;
	uint32_t respawn;
	uint64_t due;
};

struct handover_inbox { /* of a slot; a generation has them for all, or for none */
	uint32_t generation;
	uint32_t slot;
	int in, out;
};

struct handover_address { /* one of those that a name has */
	uint32_t generation;
	uint32_t pool;
	uint32_t backend;
	struct address address;
};

enum { HANDOVER_READY, HANDOVER_DRAINS, HANDOVER_ENDING, HANDOVER_KILLED };

struct handover_child {
	uint32_t pid;
	uint32_t generation;
	uint32_t slot;
	uint32_t state; /* HANDOVER_READY ... */
	int channel;
	int place; /* its number on the board */
	uint64_t started;
	uint64_t deadline;
};

struct handover_socket {
	int fd;
	uint32_t slot;
	uint32_t generation;
	uint32_t stored; /* 1: the service manager has it too */
	struct address key;
	struct address bound;
	uint64_t path_dev;
	uint64_t path_ino;
	uint32_t shut; /* 1: it lets no client in any more */
	uint64_t shut_at;
	uint64_t close_at;
};

struct handover_list {
	void *items; /* owned */
	size_t count;
};

struct handover {
	struct handover_list self;        /* one */
	struct handover_list program;     /* its path */
	struct handover_list pid_file;    /* its path, if there is one */
	struct handover_list generations; /* one of them current; the others oldest first */
	struct handover_list slots;       /* of the current generation */
	struct handover_list inboxes;
	struct handover_list addresses;
	struct handover_list children;
	struct handover_list sockets;
};

/* Makes a list of `count` zeroed items. Its items; NULL for lack of memory. */
void *handover_make(struct handover_list *list, size_t count, size_t size)
	__attribute__((warn_unused_result));

/* Frees the lists. Descriptors and texts in them stay as they are. */
void handover_fini(struct handover *h);

#endif
