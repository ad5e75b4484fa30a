/*
 * Reads the command line of `tinylb demo`. Whether a port is free is found out elsewhere; here only
 * what can be wrong in the words themselves.
 */
#include "config.h"

#include "demo_options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/slice.h"
#include "command/command_line.h"
#include "settings/number.h"

#define DELAY_MAX_MS (60 * 1000)

static const char help[] =
	"Usage: tinylb demo [OPTION]...\n"
	"Starts three small backends and balances them, to see tinylb work.\n"
	"\n"
	"  --port PORT             of the load balancer (8080)\n"
	"  --backends PORT,PORT... of the backends, up to 16 (8001,8002,8003)\n"
	"  --delay TIME            how long a backend seems to work on a request,\n"
	"                          a quarter more or less: 0, 20ms, 1s (20ms)\n"
	"  --help                  this text\n"
	"\n"
	"Where a port is 0 the kernel chooses. Try: curl http://localhost:8080/\n";

static int parse_port(struct slice text, uint16_t *port)
{
	uint64_t value;

	if (slice_parse_decimal(text, UINT16_MAX, &value) == -1) {
		log_errorx("not a port, 0 to 65535: %.*s", SLICE_ARGS(text));
		return -1;
	}
	*port = (uint16_t)value;
	return 0;
}

static int parse_ports(const char *text, struct demo_options *options)
{
	struct slice rest = slice_of_string(text);
	struct slice word;

	options->backend_count = 0;
	while (slice_next_element(&rest, &word)) {
		if (options->backend_count == DEMO_BACKENDS_MAX) {
			log_errorx("more than %d backends: %s", DEMO_BACKENDS_MAX, text);
			return -1;
		}
		if (parse_port(word, &options->backends[options->backend_count++]) == -1)
			return -1;
	}
	if (options->backend_count == 0) {
		log_errorx("no backends: give their ports, as in --backends 9001,9002");
		return -1;
	}
	return 0;
}

static int parse_delay(const char *text, uint32_t *delay_ms)
{
	int64_t ms = 0;

	if (strcmp(text, "0") != 0 &&
		(number_parse_duration(text, &ms) == -1 || ms > DELAY_MAX_MS)) {
		log_errorx("not a time from 0 to %ds, with its unit (20ms): %s",
			DELAY_MAX_MS / 1000, text);
		return -1;
	}
	*delay_ms = (uint32_t)ms;
	return 0;
}

/* A port twice would look as if somebody else had taken it. */
static int check_ports(const struct demo_options *options)
{
	for (int i = 0; i < options->backend_count; i++) {
		uint16_t port = options->backends[i];
		bool twice = port == options->port;

		for (int j = 0; j < i; j++)
			twice = twice || port == options->backends[j];
		if (twice && port != 0) {
			log_errorx("port %u is wanted twice", port);
			return -1;
		}
	}
	return 0;
}

static int parse_option(int option, const char *word, struct demo_options *options)
{
	switch (option) {
	case 'p':
		return parse_port(slice_of_string(optarg), &options->port);
	case 'b':
		return parse_ports(optarg, options);
	case 'd':
		return parse_delay(optarg, &options->delay_ms);
	default:
		command_line_refuse_option(option, word);
		return -1;
	}
}

static enum demo_verdict usage(void)
{
	log_errorx("tinylb demo --help tells what can be given");
	return DEMO_USAGE;
}

enum demo_verdict demo_options_parse(struct demo_options *options, int argc, char **argv)
{
	static const struct option words[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "backends", required_argument, NULL, 'b' },
		{ "delay", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	*options = (struct demo_options){ 8080, { 8001, 8002, 8003 }, 3, 20 };
	optind = 0; /* from the start: main() may have read options of its own */
	while ((option = getopt_long(argc, argv, ":", words, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return DEMO_HELP;
		}
		if (parse_option(option, argv[optind - 1], options) == -1)
			return usage();
	}
	if (optind < argc) {
		log_errorx("not an option: %s", argv[optind]);
		return usage();
	}
	return check_ports(options) == -1 ? usage() : DEMO_RUN;
}
