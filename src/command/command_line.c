/*
 * Reads the command line. Says what is wrong with it and what was probably meant, and does nothing
 * else.
 */
#include "config.h"

#include "command/command_line.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/slice.h"
#include "settings/suggest.h"

enum { WORD_DAEMON = 256, WORD_PID_FILE, WORD_LISTEN, WORD_DUMP, WORD_OPTIONS, WORD_TRIAL };

static const struct option long_words[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "listen", required_argument, NULL, WORD_LISTEN },
	{ "daemon", no_argument, NULL, WORD_DAEMON },
	{ "pid-file", required_argument, NULL, WORD_PID_FILE },
	{ "test", no_argument, NULL, 't' },
	{ "dump", no_argument, NULL, WORD_DUMP },
	{ "options", no_argument, NULL, WORD_OPTIONS },
	{ "trial", required_argument, NULL, WORD_TRIAL },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* "demo" and "selftest" are here for the suggestions; main runs them before anything is read. */
static const char *const commands[] = { "run", "check", "demo", "selftest", "help", "version",
	NULL };

void command_line_print_help(void)
{
	(void)fputs("tinylb, an HTTP load balancer\n"
		    "\n"
		    "  tinylb [-c FILE] [--daemon] [--pid-file FILE]\n"
		    "      run with the settings in FILE (" DEFAULT_FILE ")\n"
		    "  tinylb --listen ADDRESS [--listen ADDRESS ...] URL ...\n"
		    "      run without a file: tinylb --listen :8080 http://a:8001 http://b:8002\n"
		    "  tinylb check [-c FILE] [--dump]     (also: tinylb -t -c FILE)\n"
		    "      test the settings; --dump shows them with every default\n"
		    "  tinylb check --options\n"
		    "      list every option: name, type, range, default\n"
		    "  tinylb demo\n"
		    "      start three small backends and balance them; tinylb demo --help\n"
		    "  tinylb selftest\n"
		    "      prove that nothing is lost here while it is reloaded, killed, stopped;\n"
		    "      tinylb selftest --help\n"
		    "  tinylb --version, tinylb --help\n"
		    "\n"
		    "Signals: HUP reloads, TERM and INT finish what is in flight and stop, a "
		    "second one\n"
		    "stops at once, USR1 reopens the logs, USR2 upgrades in place.\n"
		    "Exit status: 0 fine, 1 the settings are wrong or it cannot start, 2 the "
		    "command line\n"
		    "is wrong. More in tinylb(8) and tinylb.conf(5).\n",
		stdout);
}

static int refuse(const char *what, const char *word, const char *hint)
{
	(void)fprintf(stderr, "tinylb: %s%s%s%s; see: tinylb --help\n", what, word,
		*hint != '\0' ? ": " : "", hint);
	return -1;
}

static int refuse_near(const char *what, const char *word, const char *dashes, const char *near)
{
	char hint[80] = "";

	if (near != NULL)
		(void)snprintf(hint, sizeof hint, "did you mean %s%s?", dashes, near);
	return refuse(what, word, hint);
}

static bool is_url(const char *word)
{
	return strstr(word, "://") != NULL || strncmp(word, "unix:", 5) == 0;
}

/* Takes the command off the front, if there is one. Returns how many words it took, or -1. */
static int read_command(int argc, char **argv, struct command_line *words)
{
	struct suggest suggest;

	if (argc < 2 || argv[1][0] == '-')
		return 0;
	if (is_url(argv[1]))
		return 0; /* reported where --listen is found to be missing */
	suggest = suggest_begin(argv[1]);
	for (size_t i = 0; commands[i] != NULL; i++)
		suggest_offer(&suggest, commands[i]);
	if (suggest.best == NULL || suggest.distance > 0)
		return refuse_near("there is no command ", argv[1], "", suggest.best);
	if (strcmp(suggest.best, "check") == 0)
		words->command = COMMAND_CHECK;
	else if (strcmp(suggest.best, "help") == 0)
		words->command = COMMAND_HELP;
	else if (strcmp(suggest.best, "version") == 0)
		words->command = COMMAND_VERSION;
	return 1;
}

/* getopt_long tells unknown options, missing arguments and ambiguous beginnings apart only a
 * little. */
static int refuse_option(int result, const char *word)
{
	char name[64] = "";
	struct suggest suggest;

	if (result == ':')
		return refuse("an argument is missing after ", word, "");
	if (strncmp(word, "--", 2) != 0) {
		(void)snprintf(name, sizeof name, "-%c", optopt);
		return refuse("there is no option ", name, "");
	}
	(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
	suggest = suggest_begin(name);
	for (const struct option *o = long_words; o->name != NULL; o++) {
		if (optopt != 0 && optopt == o->val)
			return refuse("no argument may follow --", o->name, "");
		suggest_offer(&suggest, o->name);
	}
	return refuse_near("there is no option ", word, "--", suggest.best);
}

static int take_descriptor(const char *text, int *fd)
{
	uint64_t n = 0;

	if (slice_parse_decimal(slice_of_string(text), INT_MAX, &n) == -1)
		return -1;
	*fd = (int)n;
	return 0;
}

static int take_option(int letter, struct command_line *words)
{
	switch (letter) {
	case 'c':
		words->file = optarg;
		words->is_default_file = false;
		return 0;
	case 't':
		words->command = COMMAND_CHECK;
		return 0;
	case 'h':
		words->command = COMMAND_HELP;
		return 0;
	case 'V':
		words->command = COMMAND_VERSION;
		return 0;
	case WORD_DAEMON:
		words->daemon = true;
		return 0;
	case WORD_PID_FILE:
		words->pid_file = optarg;
		return 0;
	case WORD_LISTEN:
		words->listen[words->listen_count++] = optarg;
		return 0;
	case WORD_DUMP:
		words->dump = true;
		return 0;
	case WORD_OPTIONS:
		words->options = true;
		return 0;
	case WORD_TRIAL:
		return take_descriptor(optarg, &words->trial);
	default:
		return -1;
	}
}

static int check_together(const struct command_line *words)
{
	if (words->command == COMMAND_HELP || words->command == COMMAND_VERSION)
		return 0;
	if (words->listen_count > 0 && !words->is_default_file)
		return refuse("--listen and -c FILE cannot be used together", "", "");
	if (words->listen_count > 0 && words->url_count == 0)
		return refuse("--listen needs backends", "", "tinylb --listen :8080 http://a:8001");
	if (words->listen_count == 0 && words->url_count > 0) {
		if (is_url(words->urls[0]))
			return refuse("backends need an address to listen on", "",
				"tinylb --listen :8080 http://a:8001");
		return refuse("there is no use for the word ", words->urls[0],
			words->command == COMMAND_CHECK ? "a file comes after -c" : "");
	}
	if (words->command != COMMAND_CHECK && (words->dump || words->options))
		return refuse(words->dump ? "--dump" : "--options", " belongs to a check",
			words->dump ? "tinylb check --dump" : "tinylb check --options");
	if (words->command == COMMAND_CHECK && words->trial != -1)
		return refuse("--trial has nothing to do with a check", "", "");
	if (words->command == COMMAND_CHECK && words->daemon)
		return refuse("--daemon has nothing to do with a check", "", "");
	return 0;
}

int command_line_read(int argc, char **argv, struct command_line *words)
{
	int taken;
	int letter;

	*words =
		(struct command_line){ .file = DEFAULT_FILE, .is_default_file = true, .trial = -1 };
	taken = read_command(argc, argv, words);
	if (taken == -1)
		return -1;
	words->listen = mem_zalloc((size_t)argc, sizeof *words->listen);
	if (words->listen == NULL)
		return refuse("out of memory", "", "");
	opterr = 0;
	optind = 1;
	argc -= taken;
	argv += taken;
	while ((letter = getopt_long(argc, argv, ":c:thV", long_words, NULL)) != -1)
		if (take_option(letter, words) == -1)
			return refuse_option(letter, argv[optind - 1]);
	words->urls = (const char *const *)(argv + optind);
	words->url_count = (size_t)(argc - optind);
	return check_together(words);
}

void command_line_free(struct command_line *words)
{
	mem_free(words->listen);
	words->listen = NULL;
}

void command_line_refuse_option(int option, const char *word)
{
	if (option == ':')
		log_errorx("%s needs a value", word);
	else
		log_errorx("unknown option: %s", word);
}
