/* How far an upgrade in place has come; upgrade.h has what is done about it. */
#ifndef TINYLB_SRC_MASTER_UPGRADE_UPGRADE_PHASE_H
#define TINYLB_SRC_MASTER_UPGRADE_UPGRADE_PHASE_H

#include <stdbool.h>

enum upgrade_phase {
	UPGRADE_NONE,
	UPGRADE_TRYING,  /* the program at the path tests settings and state, in a child */
	UPGRADE_TRIED,   /* the test was passed: it can take over */
	UPGRADE_PROVING, /* this is the new program, and its first generation is not ready yet */
	UPGRADE_FAILED,  /* this is the new program, and has to give way to the former one */
};

struct upgrade {
	enum upgrade_phase phase;
	bool wanted;      /* USR2 came and has to wait */
	char *program;    /* owned: the path of the program, where newer versions are looked for */
	int words;        /* owned: a file with what the trial said; -1: none */
	int former;       /* owned: the program that handed over, until this one is proved; or -1 */
	char version[32]; /* of the former one */
	char why[512];    /* it FAILED */
};

#endif
