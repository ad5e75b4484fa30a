/*
 * The master: reads settings, forks workers, keeps their listening sockets, replaces the dead,
 * reloads, stops. No libevent, no HTTP: it never reads a byte that a peer sent.
 */
#ifndef TINYLB_MASTER_MASTER_H
#define TINYLB_MASTER_MASTER_H

#include <stdbool.h>

#include "master/master_options.h"

/* Runs until it was told to stop. Returns the exit code: 0 stopped as asked, 1 could not start. A
 * program that takes over from a running one goes on in its place. */
int master_run(const struct master_options *options);

/* True in a program that is to take over from a running one. */
bool master_is_taking_over(void);

/* Tries whether this program could take over what is in the open file `state`: 0, or -1 and
 * standard error says why. Changes nothing. */
int master_trial(int state) __attribute__((warn_unused_result));

#endif
