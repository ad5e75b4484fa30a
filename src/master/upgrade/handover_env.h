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

/* Notes these for the next program, in which the descriptors stay open. `former` -1, `refused`
 * NULL: there is none. */
void handover_env_set(int state, int former, const char *refused);

/* Reads and clears the variables, so that no child sees them. 0, or -1: no state is handed over. */
int handover_env_take(struct handover_env *env) __attribute__((warn_unused_result));
void handover_env_clear(void);

#endif
