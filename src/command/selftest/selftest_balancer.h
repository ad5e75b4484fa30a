/* The balancer that `tinylb selftest` starts: its process group and what it tells. */
#ifndef TINYLB_COMMAND_SELFTEST_BALANCER_H
#define TINYLB_COMMAND_SELFTEST_BALANCER_H

#include "selftest_scene.h"

/* Starts it with the settings of the scene. 0, or -1 and it was said why. */
int balancer_fork(struct scene *scene) __attribute__((warn_unused_result));

/* Waits until it is ready and its port is known. 0, or -1 and it was said why. */
int balancer_wait_ready(struct scene *scene) __attribute__((warn_unused_result));

/* Takes in what it has told since. */
void balancer_listen(struct scene *scene);

/* Sends a signal to the master. */
void balancer_signal(const struct scene *scene, int number);

/* True when the master has ended; *code and *status are as in siginfo_t. It is not reaped yet, so
 * that its number stays its own. */
bool balancer_has_ended(const struct scene *scene, int *code, int *status);

/* True when none of its processes is left. Reaps the master. */
bool balancer_is_gone(const struct scene *scene);

/* Ends all of its processes, gently and then by force. */
void balancer_end(struct scene *scene);

#endif
