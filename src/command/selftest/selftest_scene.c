/*
 * Starting and ending. Whatever is started ends with this process, however that ends: the servers
 * by their lifeline, the balancer by the signal of its parent's death, all of it by the guard.
 */
#include "config.h"

#include "selftest_scene.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "command/demo/demo_process.h"

/* How long the servers seem to work: some answers are quick, and some still under way when workers
 * change. */
static const uint32_t delays_ms[SCENE_SERVERS] = { 2, 20, 80 };
static const int weights[SCENE_SERVERS] = { 2, 2, 1 };

static int make_folder(struct scene *scene)
{
	const char *parent = getenv("TMPDIR");
	int len;

	/* Of another form it would be none that settings can name. */
	if (parent == NULL || *parent != '/' || strpbrk(parent, "\"\\") != NULL)
		parent = "/tmp";
	len = snprintf(scene->folder, sizeof scene->folder, "%s/tinylb-selftest.XXXXXX", parent);
	if (len < 0 || (size_t)len > sizeof scene->folder - 32) {
		errno = ENAMETOOLONG;
	} else if (mkdtemp(scene->folder) != NULL) {
		(void)snprintf(
			scene->file, sizeof scene->file, "%.*s/tinylb.conf", len, scene->folder);
		(void)snprintf(scene->log, sizeof scene->log, "%.*s/log", len, scene->folder);
		return 0;
	}
	log_error("cannot make a folder in %s (TMPDIR names another)", parent);
	scene->folder[0] = '\0';
	return -1;
}

/* The socket of a service manager, which the balancer tells when it is ready. */
static int open_told(struct scene *scene)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int len = snprintf(a.sun_path, sizeof a.sun_path, "%s/notify", scene->folder);

	if (len < 0 || (size_t)len >= sizeof a.sun_path) {
		log_errorx("the path %s is too long for a socket: let TMPDIR name a shorter one",
			scene->folder);
		return -1;
	}
	scene->balancer.told = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (scene->balancer.told != -1 &&
		bind(scene->balancer.told, (struct sockaddr *)&a, sizeof a) == 0)
		return 0;
	log_error("cannot listen to the balancer at %s", a.sun_path);
	return -1;
}

static int start_servers(struct scene *scene)
{
	if (pipe2(scene->lifeline, O_CLOEXEC) == -1) {
		log_error("pipe to the servers");
		return -1;
	}
	for (int i = 0; i < SCENE_SERVERS; i++) {
		struct demo_backend start = { .lifeline = scene->lifeline[0],
			.delay_ms = delays_ms[i] };

		start.listener = demo_process_listen(&scene->ports[i]);
		start.port = scene->ports[i];
		scene->servers[i] = start.listener != -1 ? demo_process_fork(&start) : -1;
		if (scene->servers[i] == -1) {
			log_error("cannot start a server");
			scene->servers[i] = 0;
			fd_close(&start.listener);
			return -1;
		}
		/* With the guard: a signal to the group of the selftest is for this process alone,
		 * which ends the others in their order. */
		(void)setpgid(scene->servers[i], scene->guard.pid);
		fd_close(&start.listener);
	}
	return 0;
}

int selftest_scene_write_settings(const struct scene *scene, int workers)
{
	char path[PATH_MAX + 8];
	FILE *out;
	bool failed;

	assert(workers > 0);
	(void)snprintf(path, sizeof path, "%s.new", scene->file);
	out = fopen(path, "we");
	if (out != NULL) {
		(void)fprintf(out,
			"# Written by tinylb selftest.\n"
			"workers = %d;\n"
			"log = \"stderr\";\n"
			"log_level = \"info\";\n"
			"access_log = \"%s/access.log\";\n"
			"timeouts = { drain = \"%ds\"; };\n"
			"listeners = ( { address = \"127.0.0.1:0\"; pool = \"servers\"; } );\n"
			"pools = ( { name = \"servers\"; backends = (\n",
			workers, scene->folder, SCENE_DRAIN_MS / 1000);
		for (int i = 0; i < SCENE_SERVERS; i++)
			(void)fprintf(out, "  { url = \"http://127.0.0.1:%u\"; weight = %d; }%s\n",
				scene->ports[i], weights[i], i < SCENE_SERVERS - 1 ? "," : "");
		(void)fputs("); } );\n", out);
		failed = ferror(out) != 0;
		failed = fclose(out) != 0 || failed;
		/* Whole or not at all: the balancer may read it at any moment. */
		if (!failed && rename(path, scene->file) == 0)
			return 0;
	}
	log_error("cannot write %s", scene->file);
	return -1;
}

int selftest_scene_start(struct scene *scene, int workers)
{
	*scene = (struct scene){ .lifeline = { -1, -1 }, .balancer.told = -1, .guard.pipe = -1 };
	scene->balancer.folder = scene->folder;
	scene->balancer.file = scene->file;
	scene->balancer.log = scene->log;
	/* Workers that lose their master are to be found and ended. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (make_folder(scene) == -1)
		return -1;
	if (selftest_guard_start(&scene->guard, scene->folder) == -1) {
		log_error("cannot start a process");
		return -1;
	}
	if (open_told(scene) == -1 || start_servers(scene) == -1 ||
		selftest_scene_write_settings(scene, workers) == -1 ||
		selftest_balancer_fork(&scene->balancer, &scene->guard) == -1)
		return -1;
	return selftest_balancer_wait_ready(&scene->balancer);
}

void selftest_scene_end(struct scene *scene, bool keep)
{
	const struct guard_task task = { .keep = keep };

	selftest_balancer_end(&scene->balancer);
	fd_close(&scene->lifeline[0]);
	fd_close(&scene->lifeline[1]);
	for (int i = 0; i < SCENE_SERVERS; i++)
		if (scene->servers[i] > 0)
			(void)kill(scene->servers[i], SIGKILL);
	for (int i = 0; i < SCENE_SERVERS; i++)
		while (scene->servers[i] > 0 && waitpid(scene->servers[i], NULL, 0) == -1 &&
			errno == EINTR)
			continue;
	fd_close(&scene->balancer.told);
	selftest_guard_tell(&scene->guard, &task);
	selftest_guard_end(&scene->guard);
	/* A user may have killed the guard. */
	if (!keep && scene->folder[0] != '\0')
		selftest_guard_sweep(scene->folder);
}
