/*
 * The new program gets the words that this one was started with and one more, --trial: a program
 * that does not know that word, because it is too old or not tinylb, says so and is refused. What
 * it says goes into a file in memory, so that the master need not read along.
 */
#include "config.h"

#include "trial.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "export.h"
#include "master/children/spawn.h"
#include "master/signals.h"

#define WORDS_MAX  16384 /* bytes that it may say */
#define LINES_TOLD 20

static size_t count_words(char *const *words)
{
	size_t n = 0;

	while (words[n] != NULL)
		n++;
	return n;
}

/* The words of this program with --trial in front of the others. NULL: no memory. */
static char **make_words(const struct master *m, char *option)
{
	char *const *old = m->options->arguments;
	size_t n = count_words(old), first = n > 1 && strcmp(old[1], "run") == 0 ? 2 : 1;
	char **words = mem_zalloc(n + 3, sizeof *words);

	if (words == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		words[i < first ? i : i + 1] = old[i];
	words[n < first ? n : first] = option;
	return words;
}

/* Becomes the new program, in the child. */
static void run(const struct master *m, int state)
{
	const struct rlimit limit = { WORDS_MAX, WORDS_MAX };
	int keep[2] = { state, m->upgrade.words };
	char option[32];
	char **words;

	fd_close_except(keep, 2);
	signals_unblock();
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_DFL);
	(void)snprintf(option, sizeof option, "--trial=%d", state);
	words = make_words(m, option);
	/* The trial has nothing to tell the service manager. */
	unsetenv("NOTIFY_SOCKET");
	if (words == NULL || fd_set_cloexec(state, 0) == -1 ||
		dup2(m->upgrade.words, STDOUT_FILENO) == -1 ||
		dup2(m->upgrade.words, STDERR_FILENO) == -1 ||
		setrlimit(RLIMIT_FSIZE, &limit) == -1)
		_exit(1);
	execve(m->upgrade.program, words, environ);
	dprintf(STDERR_FILENO, "cannot be started: %s\n", strerror(errno));
	_exit(1);
}

static int start_child(struct master *m, int state)
{
	struct child *c = child_add(&m->children, CHILD_TRIAL, m->current, 0);

	if (c == NULL)
		return -1;
	c->pid = spawn_fork();
	if (c->pid == 0)
		run(m, state);
	if (c->pid == -1) {
		child_remove(c, m->board);
		return -1;
	}
	c->deadline = c->started + CHILD_START_TIMEOUT_MS;
	return 0;
}

int trial_start(struct master *m)
{
	struct handover h;
	int state, result = -1;

	assert(m->upgrade.words == -1 && m->upgrade.program != NULL);
	if (export_state(m, &h) == -1)
		return -1;
	state = export_file(&h);
	handover_fini(&h);
	m->upgrade.words = memfd_create("words", MFD_CLOEXEC);
	if (state != -1 && m->upgrade.words != -1)
		result = start_child(m, state);
	fd_close(&state);
	if (result == -1)
		fd_close(&m->upgrade.words);
	return result;
}

bool trial_end(struct master *m, int status)
{
	char text[WORDS_MAX + 1];
	ssize_t n = pread(m->upgrade.words, text, WORDS_MAX, 0);
	char *rest = text, *line;
	bool passed;

	assert(m->upgrade.words != -1);
	fd_close(&m->upgrade.words);
	text[n > 0 ? n : 0] = '\0';
	/* Many programs end with 0 whatever they are told: tinylb also says that it has passed. */
	passed = WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
		 strstr(text, MASTER_TRIAL_PASSED "\n") != NULL;
	for (int i = 0; i < LINES_TOLD && (line = strsep(&rest, "\n")) != NULL; i++) {
		if (*line == '\0')
			continue;
		if (passed)
			log_info("the new program says: %s", line);
		else
			log_errorx("the new program says: %s", line);
	}
	return passed;
}
