/* `tinylb`: hands the master what it needs to load settings, now and at every reload, and runs it.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/title.h"
#include "command/command.h"
#include "master/master.h"

struct run {
	struct command_line words;
	bool is_started; /* the first load is over: from now on mistakes go to the log */
};

void command_hint_first_steps(void)
{
	(void)fputs("To see it work:             tinylb demo\n"
		    "To run without a file:      tinylb --listen :8080 http://localhost:8001\n"
		    "To use another file:        tinylb -c FILE\n"
		    "Everything else:            tinylb --help\n",
		stderr);
}

/* A daemon has no standard error: what would go there goes to the system's logger. */
static void keep_messages(struct settings *settings)
{
	char *log;

	if (strcmp(settings->log, "stderr") != 0)
		return;
	log = mem_strdup("syslog");
	if (log == NULL)
		return;
	mem_free(settings->log);
	settings->log = log;
}

static struct settings *load(void *context)
{
	struct run *run = context;
	struct settings_errors errors = { .out = run->is_started ? NULL : stderr };
	struct settings *settings = command_load(&run->words, &errors);

	run->is_started = true;
	if (settings != NULL && run->words.daemon)
		keep_messages(settings);
	return settings;
}

/* A path that still leads there when the process has changed its folder; to be freed. */
static char *absolute(const char *path)
{
	char folder[PATH_MAX];
	char *joined = NULL;

	if (*path == '/' || getcwd(folder, sizeof folder) == NULL)
		return mem_strdup(path);
	if (asprintf(&joined, "%s/%s", folder, path) == -1)
		return NULL;
	return joined;
}

/* Nothing is known yet about this user: more help than a failed open gives. */
static bool has_settings(const struct command_line *words)
{
	if (!words->is_default_file || words->listen_count > 0)
		return true;
	if (access(words->file, F_OK) == 0 || errno != ENOENT)
		return true;
	(void)fprintf(stderr, "tinylb: there are no settings: %s does not exist\n", words->file);
	command_hint_first_steps();
	return false;
}

int command_run(const struct command_line *words)
{
	struct run run = { .words = *words, .is_started = master_is_taking_over() };
	struct master_options options = { .load = load,
		.context = &run,
		.daemon = words->daemon,
		.arguments = title_arguments() };
	char *file;
	char *pid_file = NULL;
	int code = EXIT_SETTINGS;

	if (!run.is_started && !has_settings(words))
		return EXIT_SETTINGS;
	file = absolute(words->file);
	if (words->pid_file != NULL)
		pid_file = absolute(words->pid_file);
	if (file != NULL && (words->pid_file == NULL || pid_file != NULL)) {
		run.words.file = file;
		options.file = words->listen_count == 0 ? file : NULL;
		options.pid_file = pid_file;
		code = master_run(&options);
	}
	mem_free(file);
	mem_free(pid_file);
	return code;
}

int command_trial(const struct command_line *words)
{
	struct settings_errors errors = { .out = stderr };
	struct settings *settings;

	if (!has_settings(words))
		return EXIT_SETTINGS;
	settings = command_load(words, &errors);
	if (settings == NULL || master_trial(words->trial) == -1) {
		settings_free(settings);
		return EXIT_SETTINGS;
	}
	settings_free(settings);
	(void)printf("tinylb %s " MASTER_TRIAL_PASSED "\n", PACKAGE_VERSION);
	return EXIT_FINE;
}
