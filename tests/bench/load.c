/* A load generator that believes nothing: every answer is held against what the origin sends, byte
   for byte. One thread; prints its figures as one line of JSON. */

#include "config.h"

#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const char *const modes[] = { "get", "connect", "post", "upload", "socket" };

static const char *const failures[FAILURES] = { "refused", "reset", "early", "status", "framing",
	"length", "bytes", "late", "other" };

static const char usage_text[] =
	"usage: load [options] HOST:PORT    (or PORT, of 127.0.0.1)\n"
	"  --mode get          GET on connections that are kept\n"
	"         connect      GET, one on each connection; the other side closes\n"
	"         post         chunked POST, chunked answer\n"
	"         upload       POST with Content-Length\n"
	"         socket       messages through a WebSocket, one at a time\n"
	"  --connections N     1\n"
	"  --size N            bytes of an answer, body or message; 128\n"
	"  --seconds S         how long to measure; 5\n"
	"  --warmup S          how long not to, before that; 0.3\n"
	"  --rate R            open loop: R requests a second fall due, by a Poisson process,\n"
	"                      and latency counts from then\n"
	"  --requests N        as many, all counted, instead of --seconds\n"
	"  --hold              one answer on each connection; prints \"held N\" and holds them\n"
	"                      until its input ends\n"
	"Exit status: 0, 1 some requests failed, 2 it could not begin.\n";

static void usage(const char *wrong)
{
	if (wrong)
		fprintf(stderr, "load: %s\n", wrong);
	fputs(usage_text, stderr);
	exit(2);
}

static double decimal_parse(const char *text, const char *what, double max)
{
	char *end = NULL;
	double value = strtod(text, &end);

	errno = 0;
	if (end == text || *end || !(value >= 0 && value <= max))
		die("%s is a number from 0 to %g, not \"%s\"", what, max, text);
	return value;
}

static enum mode mode_parse(const char *text)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (strcmp(modes[i], text) == 0)
			return i;
	usage("--mode is get, connect, post, upload or socket");
	return MODE_GET;
}

static void option_set(struct options *options, int option)
{
	switch (option) {
	case 'm':
		options->mode = mode_parse(optarg);
		break;
	case 'c':
		options->connections = number_parse(optarg, "--connections", 1000000);
		break;
	case 's':
		options->size = number_parse(optarg, "--size", 1 << 30);
		break;
	case 't':
		options->seconds = decimal_parse(optarg, "--seconds", 3600);
		break;
	case 'w':
		options->warmup = decimal_parse(optarg, "--warmup", 3600);
		break;
	case 'r':
		options->rate = decimal_parse(optarg, "--rate", 1e8);
		break;
	case 'n':
		options->requests = number_parse(optarg, "--requests", INT64_MAX);
		break;
	case 'h':
		options->hold = true;
		break;
	default:
		usage(NULL);
	}
}

static void options_check(struct options *options)
{
	if (!options->connections)
		usage("--connections is at least 1");
	if (options->seconds <= 0)
		usage("--seconds is more than 0");
	if (options->mode == MODE_SOCKET && !options->size)
		usage("--mode socket needs a --size of at least 1");
	if (options->hold && (options->mode == MODE_CONNECT || options->rate > 0))
		usage("--hold goes with neither --mode connect nor --rate");
	if (options->hold)
		options->requests = options->connections;
}

static void options_read(struct options *options, int argc, char **argv)
{
	static const struct option names[] = { { "mode", required_argument, NULL, 'm' },
		{ "connections", required_argument, NULL, 'c' },
		{ "size", required_argument, NULL, 's' },
		{ "seconds", required_argument, NULL, 't' },
		{ "warmup", required_argument, NULL, 'w' },
		{ "rate", required_argument, NULL, 'r' },
		{ "requests", required_argument, NULL, 'n' }, { "hold", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	bool timed = false;
	int option;

	*options = (struct options){ .connections = 1, .size = 128, .seconds = 5, .warmup = 0.3 };
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		option_set(options, option);
		timed |= option == 't';
	}
	if (optind != argc - 1)
		usage(optind == argc ? "HOST:PORT is missing" : "one HOST:PORT only");
	options->target = address_parse(argv[optind]);
	options_check(options);
	/* A number of requests is bounded all the same. */
	if (options->requests && !timed)
		options->seconds = 120;
}

/* The request is the same for all: rendered once. */
static void requests_render(struct load *load)
{
	static char head[256], handshake[256], sink[24];
	const struct options *options = &load->options;
	char host[32], address[INET_ADDRSTRLEN];
	uint64_t size = options->size;
	int length = 0;

	inet_ntop(AF_INET, &options->target.sin_addr, address, sizeof(address));
	snprintf(host, sizeof(host), "%s:%d", address, ntohs(options->target.sin_port));
	load->want = size;
	switch (options->mode) {
	case MODE_GET:
	case MODE_CONNECT:
		length = snprintf(head, sizeof(head),
			"GET /%" PRIu64 " HTTP/1.1\r\nHost: %s\r\n%s\r\n", size, host,
			options->mode == MODE_CONNECT ? "Connection: close\r\n" : "");
		break;
	case MODE_POST:
		length = snprintf(head, sizeof(head),
			"POST /echo HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n",
			host);
		if (size)
			length += snprintf(
				head + length, sizeof(head) - length, "%" PRIx64 "\r\n", size);
		load->request.tail = size ? "\r\n0\r\n\r\n" : "0\r\n\r\n";
		load->request.tail_length = strlen(load->request.tail);
		break;
	case MODE_UPLOAD:
		length = snprintf(head, sizeof(head),
			"POST /sink HTTP/1.1\r\nHost: %s\r\nContent-Length: %" PRIu64 "\r\n\r\n",
			host, size);
		load->want = snprintf(sink, sizeof(sink), "%" PRIu64 "\n", size);
		load->text = sink;
		break;
	case MODE_SOCKET:
		load->handshake.head = handshake;
		load->handshake.head_length = snprintf(handshake, sizeof(handshake),
			"GET /socket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
			"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
			"Sec-WebSocket-Key: " WEBSOCKET_KEY "\r\n\r\n",
			host);
		break;
	}
	load->request.head = head;
	load->request.head_length = length;
	if (options->mode != MODE_GET && options->mode != MODE_CONNECT)
		load->request.body = size;
}

static double cpu_seconds(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return used.ru_utime.tv_sec + used.ru_stime.tv_sec +
	       (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void report(const struct load *load)
{
	static const struct {
		const char *name;
		double part;
	} parts[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 } };
	const struct options *options = &load->options;
	double seconds = options->seconds;

	if (options->requests)
		seconds = (load->finished - load->begin) / 1e9;
	printf("{\"mode\": \"%s\", \"connections\": %" PRIu64 ", \"size\": %" PRIu64
	       ", \"answers\": %" PRIu64 ", \"total\": %" PRIu64 ", \"failed\": {",
		modes[options->mode], options->connections, options->size, load->answers,
		load->total);
	for (int i = 0; i < FAILURES; i++)
		printf("%s\"%s\": %" PRIu64, i ? ", " : "", failures[i], load->failed[i]);
	printf("}, \"closed\": %" PRIu64
	       ", \"seconds\": %.3f, \"rate\": %.1f, \"cpu_seconds\": %.3f",
		load->closed, seconds, seconds > 0 ? load->answers / seconds : 0, cpu_seconds());
	printf(", \"latency_us\": {");
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		printf("\"%s\": %.1f, ", parts[i].name,
			histogram_at(&load->latency, parts[i].part) / 1e3);
	printf("\"max\": %.1f}}\n", load->latency.max / 1e3);
	fflush(stdout);
}

static void hold(const struct load *load)
{
	uint64_t held = 0;
	char ignored[256];

	for (uint64_t i = 0; i < load->options.connections; i++)
		held += load->connections[i].fd != -1;
	printf("held %" PRIu64 "\n", held);
	fflush(stdout);
	while (read(STDIN_FILENO, ignored, sizeof(ignored)) > 0)
		;
}

int main(int argc, char **argv)
{
	static struct load load;

	options_read(&load.options, argc, argv);
	process_prepare();
	pattern_init();
	requests_render(&load);
	/* Due times are kept to the microsecond, not to the 50 that timers may be late otherwise.
	 */
	prctl(PR_SET_TIMERSLACK, 1);
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load.epoll == -1)
		die("epoll_create1");
	schedule_run(&load);
	if (load.options.hold)
		hold(&load);
	report(&load);
	return load.failures ? 1 : 0;
}
