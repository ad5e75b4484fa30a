/*
 * What `tinylb selftest` starts and has to end: a folder, the servers, and the balancer, which is
 * this program once more. Everything runs as the user of the selftest.
 */
#ifndef TINYLB_COMMAND_SELFTEST_SCENE_H
#define TINYLB_COMMAND_SELFTEST_SCENE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "selftest_balancer.h"
#include "selftest_guard.h"

#define SCENE_SERVERS 3

/* How long the balancer may finish what is in flight. */
#define SCENE_DRAIN_MS 5000

struct scene {
	char folder[PATH_MAX];
	char file[PATH_MAX]; /* the settings */
	char log[PATH_MAX];
	struct guard guard;
	int lifeline[2]; /* the servers live until the writing end is closed */
	pid_t servers[SCENE_SERVERS];
	uint16_t ports[SCENE_SERVERS];
	struct balancer balancer;
};

/* Starts all of it and waits until the balancer is ready. 0, or -1 and it was said why; scene_end
 * must be called either way. */
int selftest_scene_start(struct scene *scene, int workers) __attribute__((warn_unused_result));

/* Writes the settings with so many workers; the balancer goes on with the old ones. 0, or -1. */
int selftest_scene_write_settings(const struct scene *scene, int workers)
	__attribute__((warn_unused_result));

/* Ends every process, gently and then by force, and removes the folder unless `keep`. */
void selftest_scene_end(struct scene *scene, bool keep);

#endif
