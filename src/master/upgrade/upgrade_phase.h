/* How far an upgrade in place has come, and what a reload has to know of it; upgrade.h has its
 * steps. */
#ifndef TINYLB_SRC_MASTER_UPGRADE_UPGRADE_PHASE_H
#define TINYLB_SRC_MASTER_UPGRADE_UPGRADE_PHASE_H

#include <stdbool.h>

/*
 *   NONE -> TRYING -> TRIED      the running program; a step that fails leads back to NONE
 *   NONE -> PROVING -> FAILED    the new program; when it is proved, or could not go back, to NONE
 */
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

/* The only place that changes the phase. */
void upgrade_phase_set(struct upgrade *u, enum upgrade_phase phase);

/* True while no reload may begin. */
bool upgrade_phase_is_busy(const struct upgrade *u);

/* The first generation of this program is the current one. Does nothing where the phase is not
 * PROVING. */
void upgrade_phase_prove(struct upgrade *u);

/* A generation did not come to life. True where it was the first of a new program, which then has
 * FAILED for this reason. */
bool upgrade_phase_fail(struct upgrade *u, const char *why);

#endif
