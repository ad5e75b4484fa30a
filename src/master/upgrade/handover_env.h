/* The part of a hand-over that is in the environment, from one program to the other. */
#ifndef TINYLB_SRC_MASTER_UPGRADE_HANDOVER_ENV_H
#define TINYLB_SRC_MASTER_UPGRADE_HANDOVER_ENV_H

#include <stdbool.h>

struct handover_env {
	int state;         /* a file with the state */
	int former;        /* the program that wrote it; -1: there is no way back */
	char refused[512]; /* why this program was called back; empty: it is new */
};

/* True in a program that something is handed over to. */
bool handover_env_is_set(void);

/* `former` -1 and `refused` NULL: there is none. The descriptors stay open in the next program. */
void handover_env_set(int state, int former, const char *refused);

/* Reads it and clears it, so that no child sees it. 0, or -1: it makes no sense. */
int handover_env_take(struct handover_env *env) __attribute__((warn_unused_result));
void handover_env_clear(void);

#endif
