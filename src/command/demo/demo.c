/*
 * `tinylb demo`: forks three small backends and runs the ordinary master in front of them. The
 * backends are no children that the master knows of: they end with this process, not at its
 * command.
 */
#include "config.h"

#include "command/demo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "demo_options.h"
#include "demo_process.h"
#include "master/master.h"
#include "net/listener.h"
#include "settings/settings_words.h"

#define URL_TEXT_SIZE 32

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

struct demo {
	struct demo_options options;
	int listeners[DEMO_BACKENDS_MAX];  /* of the backends, until they are forked */
	pid_t children[DEMO_BACKENDS_MAX]; /* 0: not forked */
	int lifeline[2];                   /* the backends live until the writing end is closed */
	bool had_terminal;
};

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

/* Which port the kernel chose. 0, or -1. */
static int learn_port(int fd, uint16_t *port)
{
	struct address a = { .len = sizeof a.u };

	if (getsockname(fd, &a.u.sa, &a.len) == -1)
		return -1;
	*port = address_port(&a);
	return 0;
}

/* "localhost" may be ::1 first: a program that listens there would get requests for a backend. */
static bool is_taken_on_ipv6(uint16_t port)
{
	struct address a = { .len = sizeof a.u.in6 };

	a.u.in6.sin6_family = AF_INET6;
	a.u.in6.sin6_port = htons(port);
	a.u.in6.sin6_addr = in6addr_loopback;
	return listener_probe(&a) == -1 && errno == EADDRINUSE;
}

/* Without SO_REUSEPORT: a port that is taken must show. */
static int listen_backend(uint16_t *port)
{
	int fd = demo_process_listen(port);

	if (fd != -1 && is_taken_on_ipv6(*port)) {
		fd_close(&fd);
		errno = EADDRINUSE;
	}
	return fd;
}

static int listen_backends(struct demo *demo)
{
	struct demo_options *options = &demo->options;

	for (int i = 0; i < options->backend_count; i++) {
		demo->listeners[i] = listen_backend(&options->backends[i]);
		if (demo->listeners[i] == -1) {
			log_error(
				"backend on port %u of localhost (--backends chooses other ports)",
				options->backends[i]);
			return -1;
		}
	}
	return 0;
}

/* The master would find a taken port as well; here it is known which option to change. */
static int check_balancer_port(struct demo *demo)
{
	struct demo_options *options = &demo->options;
	struct address a;
	const char *why;
	int fd;

	if (address_parse_listen("*:0", &a, &why) == -1)
		return -1;
	a.u.in6.sin6_port = htons(options->port);
	if (options->port != 0) {
		if (listener_probe(&a) == 0)
			return 0;
		log_error("load balancer on port %u (--port chooses another)", options->port);
		return -1;
	}
	fd = listener_bind(&a);
	if (fd == -1 || learn_port(fd, &options->port) == -1) {
		log_error("no free port for the load balancer");
		fd_close(&fd);
		return -1;
	}
	fd_close(&fd);
	return 0;
}

static int fork_backends(struct demo *demo)
{
	if (pipe2(demo->lifeline, O_CLOEXEC) == -1) {
		log_error("pipe to the backends");
		return -1;
	}
	for (int i = 0; i < demo->options.backend_count; i++) {
		const struct demo_backend start = {
			.listener = demo->listeners[i],
			.lifeline = demo->lifeline[0],
			.port = demo->options.backends[i],
			.delay_ms = demo->options.delay_ms,
		};
		pid_t pid = demo_process_fork(&start);

		if (pid == -1) {
			log_error("process for backend %u", demo->options.backends[i]);
			return -1;
		}
		demo->children[i] = pid;
		log_notice("Backend on http://localhost:%u", demo->options.backends[i]);
	}
	return 0;
}

static void close_listeners(struct demo *demo)
{
	for (int i = 0; i < DEMO_BACKENDS_MAX; i++)
		fd_close(&demo->listeners[i]);
}

/* Lets the backends go and waits for them, so that their ports are free when the prompt is back.
 * One that died before was reaped by the master, whose children these are too. */
static void end_backends(struct demo *demo)
{
	close_listeners(demo);
	fd_close(&demo->lifeline[0]);
	fd_close(&demo->lifeline[1]);
	for (int i = 0; i < DEMO_BACKENDS_MAX; i++)
		while (demo->children[i] != 0 && waitpid(demo->children[i], NULL, 0) == -1 &&
			errno == EINTR)
			continue;
}

/* Settings as for `tinylb --listen *:8080 http://localhost:8001 ...`, but that one sees each
 * request. */
static struct settings *load_settings(void *context)
{
	struct demo *demo = context;
	struct settings_errors errors = { 0 };
	char listen[URL_TEXT_SIZE];
	char urls[DEMO_BACKENDS_MAX][URL_TEXT_SIZE];
	const char *listens[] = { listen };
	const char *words[DEMO_BACKENDS_MAX];
	struct settings *settings;

	/* When the terminal is closed, nothing else would end the demo. */
	if (demo->had_terminal && !has_terminal())
		kill(getpid(), SIGTERM);
	snprintf(listen, sizeof listen, "*:%u", demo->options.port);
	for (int i = 0; i < demo->options.backend_count; i++) {
		snprintf(urls[i], sizeof urls[i], "http://localhost:%u", demo->options.backends[i]);
		words[i] = urls[i];
	}
	settings = settings_words_load(
		listens, 1, words, (size_t)demo->options.backend_count, &errors);
	if (settings != NULL) {
		settings->log_level = LOG_LEVEL_NOTICE;
		settings->log_picks = true;
	}
	return settings;
}

static void ready(void *context)
{
	struct demo *demo = context;

	log_notice("Starting load balancer on port %u", demo->options.port);
	log_notice("Try: curl http://localhost:%u/ (Ctrl-C ends the demo)", demo->options.port);
}

static int run_demo(struct demo *demo)
{
	const struct master_options master = {
		.load = load_settings,
		.context = demo,
		.ready = ready,
	};
	int code = EXIT_FAILED;

	if (listen_backends(demo) == 0 && check_balancer_port(demo) == 0 &&
		fork_backends(demo) == 0) {
		close_listeners(demo);
		code = master_run(&master);
	}
	end_backends(demo);
	return code;
}

int command_demo(int argc, char **argv)
{
	struct demo demo = { .lifeline = { -1, -1 }, .had_terminal = has_terminal() };

	for (int i = 0; i < DEMO_BACKENDS_MAX; i++)
		demo.listeners[i] = -1;
	log_set_form(LOG_FORM_PLAIN);
	switch (demo_options_parse(&demo.options, argc, argv)) {
	case DEMO_RUN:
		return run_demo(&demo);
	case DEMO_HELP:
		return EXIT_OK;
	case DEMO_USAGE:
		break;
	}
	return EXIT_USAGE;
}
