/* Reads the command line of `tinylb selftest`. */
#include "config.h"

#include "selftest_options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/slice.h"
#include "command/command_line.h"

static const char help[] =
	"Usage: tinylb selftest [OPTION]...\n"
	"Starts a balancer of its own on a free port of 127.0.0.1, with three small servers\n"
	"behind it, and sends requests through it while the balancer is reloaded, resized,\n"
	"upgraded and stopped and while its workers are killed and halted. Then it tells what\n"
	"was lost. Needs no rights, and touches no other tinylb that runs here.\n"
	"\n"
	"  --seconds N       about how long, 5 to 300 (15)\n"
	"  --workers N       of the balancer, 1 to 64 (4)\n"
	"  --connections N   at a time, 2 to 500 (32)\n"
	"  --keep            keep the folder with the log and the settings\n"
	"  --help            this text\n"
	"\n"
	"Exit status: 0 nothing was lost, 1 something was, or it could not be found out, 2 the\n"
	"command line is wrong.\n";

static int parse_number(const char *word, int least, int most, int *number)
{
	uint64_t value;

	if (slice_parse_decimal(slice_of_string(optarg), (uint64_t)most, &value) == -1 ||
		(int)value < least) {
		log_errorx("%s: not a number from %d to %d: %s", word, least, most, optarg);
		return -1;
	}
	*number = (int)value;
	return 0;
}

static int parse_option(int option, const char *word, struct selftest_options *options)
{
	switch (option) {
	case 's':
		return parse_number("--seconds", 5, 300, &options->seconds);
	case 'w':
		return parse_number("--workers", 1, SELFTEST_WORKERS_MAX, &options->workers);
	case 'c':
		return parse_number("--connections", 2, 500, &options->connections);
	case 'k':
		options->keep = true;
		return 0;
	default:
		command_line_refuse_option(option, word);
		return -1;
	}
}

static enum selftest_verdict usage(void)
{
	log_errorx("tinylb selftest --help tells what can be given");
	return SELFTEST_USAGE;
}

enum selftest_verdict selftest_options_parse(
	struct selftest_options *options, int argc, char **argv)
{
	static const struct option words[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "workers", required_argument, NULL, 'w' },
		{ "connections", required_argument, NULL, 'c' },
		{ "keep", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	*options = (struct selftest_options){ .seconds = 15, .workers = 4, .connections = 32 };
	opterr = 0;
	optind = 0; /* from the start: main() may have read options of its own */
	while ((option = getopt_long(argc, argv, ":", words, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help, stdout);
			return SELFTEST_HELP;
		}
		if (parse_option(option, argv[optind - 1], options) == -1)
			return usage();
	}
	if (optind < argc) {
		log_errorx("not an option: %s", argv[optind]);
		return usage();
	}
	return SELFTEST_RUN;
}
