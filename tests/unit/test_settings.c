/* Whole settings: loaded from files and from words, dumped, looked up, refused with every mistake.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "settings/load.h"
#include "settings/lookup.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NINETY                                                                                     \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aa"
#define HUNDRED   NINETY "aaaaaaaaaa"
#define LISTENERS "listeners = ( { address = \"*:8080\"; } );\n"
#define POOLS     "pools = ( { name = \"app\"; backends = ( { url = \"http://127.0.0.1:1\"; } ); } );\n"

/* What the last load wrote. */
static char *report;
static int mistakes;
static int warnings;

static int enter_folder(void **state)
{
	static char folder[] = "/tmp/tinylb-settings-XXXXXX";

	*state = folder;
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	static const char *const names[] = { "a.conf", "b.conf", "sub/c.conf", "sub/d.conf" };

	free(report);
	report = NULL;
	for (size_t i = 0; i < COUNT(names); i++)
		(void)unlink(names[i]);
	(void)rmdir("sub");
	return chdir("/") == 0 ? rmdir(*state) : -1;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static struct settings *load_file(const char *name)
{
	size_t size;
	struct settings_errors errors = { .out = NULL };
	struct settings *settings;

	free(report);
	errors.out = open_memstream(&report, &size);
	assert_non_null(errors.out);
	settings = settings_load(name, &errors);
	assert_int_equal(fclose(errors.out), 0);
	mistakes = errors.count;
	warnings = errors.warnings;
	assert_true((settings == NULL) == (mistakes > 0));
	return settings;
}

static struct settings *load(const char *text)
{
	write_file("a.conf", text);
	return load_file("a.conf");
}

/* Loads what must be right. */
static struct settings *load_fine(const char *text)
{
	struct settings *settings = load(text);

	if (settings == NULL)
		fail_msg("%s", report);
	return settings;
}

static void test_smallest(void **state)
{
	struct settings *s = load_fine(LISTENERS POOLS);

	(void)state;
	assert_string_equal(report, "");
	assert_int_equal(s->listener_count, 1);
	assert_int_equal(s->listeners[0].pool, 0);
	assert_string_equal(s->listeners[0].pool_name, "app");
	assert_int_equal(s->pool_count, 1);
	assert_int_equal(s->pools[0].host, HOST_BACKEND);
	assert_int_equal(s->pools[0].backends[0].weight, 1);
	assert_int_equal(addresses_count(s->pools[0].backends[0].addresses), 1);
	assert_string_equal(s->file, "a.conf");
	assert_false(settings_need_lookup(s));
	settings_free(s);
}

static const char everything[] =
	"# a comment with a number: 99999999999 \"\n"
	"workers = 3; seed = 12345678901; user = \"root\"; group = \"root\";\n"
	"host = \"preserve\"; half_close = true; log = \"syslog\"; log_level = \"warn\";\n"
	"access_log = \"/var/log/a \\\"b\\\" \\\\ \\x01\"; pid_file = \"run/pid\";\n"
	"timeouts = { connect = \"1s\"; request_header = \"2s\"; response = \"3s\";\n"
	"  idle_client = \"4s\"; idle_backend = \"5s\"; tunnel = \"6m\"; drain = \"7h\"; hang = "
	"\"0s\"; lame_duck = \"8s\"; queue = \"9s\"; };\n"
	"limits = { header_size = 0x2000; header_count = 50; connections = 1000; };\n"
	"listeners = ( { address = \"*:8080\"; pool = \"b\"; },\n"
	"  { address = \"unix:/run/t.sock\"; pool = \"a\"; }, { address = \"[::1]:0\"; pool = "
	"\"a\"; },\n"
	"  { address = \"[::1]:0\"; pool = \"a\"; } );\n"
	"pools = ( { name = \"a\"; balance = \"sticky\"; queue = 7; retry = { attempts = 1;\n"
	"on_status = [ 599, 400, 503 ]; budget = 0; budget_rate = 7; };\n"
	"sticky = { cookie = \"s\"; key = \"0123456789abcdef\"; }; backends = (\n"
	"    { url = \"http://localhost:8001/x/\"; weight = 0; max_requests = 5; max_connections = "
	"6; }, { url = \"unix:/run/b\"; weight "
	"= 256; } ); },\n"
	"  { name = \"b\"; host = \"backend\"; backends = ( { url = \"http://[::1]\"; } ); } );\n";

#define ROUTES(text)                                                                               \
	"listeners = ( { address = \":1\"; pool = \"app\"; routes = (\n" text " ); } );\n" POOLS

static const char routes[] =
	ROUTES("{ host = \"A.Example.COM.\"; path = \"/a//%62/../c/\"; pool = \"app\"; },\n"
	       "{ host = \"*.Example.com\"; path = \"/\"; redirect = "
	       "\"https://{host}{path}{query}\"; status = 308; },\n"
	       "{ host = \"[0:0::1]\"; redirect = \"/x\"; },\n"
	       "{ path = \"/\xc3\xa4 b\"; answer = { }; },\n"
	       "{ answer = { status = 503; type = \"text/html\"; body = \"a \\\"b\\\"\\r\\n\"; }; "
	       "}");

/* Hosts and paths are spelled in one way, whatever the file has. */
static void test_routes(void **state)
{
	struct settings *s = load_fine(routes);
	const struct route_settings *r = s->listeners[0].routes;

	(void)state;
	assert_string_equal(report, "");
	assert_int_equal(s->listeners[0].route_count, 5);
	assert_string_equal(r[0].host, "a.example.com");
	assert_string_equal(r[0].path, "/a/c/");
	assert_int_equal(r[0].pool, 0);
	assert_null(r[0].answer.place.file);
	assert_string_equal(r[1].host, "*.example.com");
	assert_null(r[1].path);
	assert_int_equal(r[1].status, 308);
	assert_string_equal(r[2].host, "[::1]");
	assert_int_equal(r[2].status, 302);
	assert_string_equal(r[3].path, "/%C3%A4%20b");
	assert_int_equal(r[3].answer.status, 200);
	assert_string_equal(r[3].answer.type, "text/plain");
	assert_null(r[3].answer.body);
	assert_int_equal(r[4].answer.status, 503);
	assert_string_equal(r[4].answer.body, "a \"b\"\r\n");
	assert_int_equal(r[4].answer.place.line, 6);
	settings_free(s);
}

/* With routes a listener needs no pool; that of a route is in use. */
static void test_routes_without_pool(void **state)
{
	struct settings *s = load_fine("listeners = ( { address = \":1\"; routes = (\n"
				       "{ path = \"/a\"; pool = \"app\"; } ); } );\n" POOLS);

	(void)state;
	assert_string_equal(report, "");
	assert_true(s->listeners[0].pool == LISTENER_NO_POOL);
	assert_null(s->listeners[0].pool_name);
	settings_free(s);
}

static void test_everything(void **state)
{
	struct settings *s = load_fine(everything);
	char expected[256];

	assert_int_equal(warnings, 0);
	assert_int_equal(s->workers, 3);
	assert_true(s->seed == INT64_C(12345678901));
	assert_int_equal(s->host, HOST_PRESERVE);
	assert_string_equal(s->access_log, "/var/log/a \"b\" \\ \x01");
	(void)snprintf(expected, sizeof expected, "%s/run/pid", (char *)*state);
	assert_string_equal(s->pid_file, expected);
	assert_int_equal(s->timeouts.drain, 7 * 3600 * 1000);
	assert_int_equal(s->timeouts.hang, 0);
	assert_int_equal(s->timeouts.lame_duck, 8000);
	assert_int_equal(s->timeouts.queue, 9000);
	assert_int_equal(s->pools[0].queue, 7);
	assert_int_equal(s->pools[1].queue, 128);
	assert_int_equal(s->pools[0].backends[0].max_requests, 5);
	assert_int_equal(s->pools[0].backends[0].max_connections, 6);
	assert_int_equal(s->pools[0].backends[1].max_requests, 0);
	assert_int_equal(s->pools[0].backends[1].max_connections, 0);
	assert_int_equal(s->limits.header_size, 8192);
	assert_int_equal(s->listeners[0].pool, 1);
	assert_int_equal(s->listeners[1].pool, 0);
	assert_int_equal(s->pools[0].host, HOST_PRESERVE);
	assert_int_equal(s->pools[1].host, HOST_BACKEND);
	assert_int_equal(s->pools[0].retry.attempts, 1);
	assert_int_equal(s->pools[0].retry.budget, 0);
	assert_int_equal(s->pools[0].retry.budget_rate, 7);
	assert_int_equal(s->pools[1].retry.attempts, 3);
	for (int status = 0; status < 1000; status++) {
		assert_int_equal(statuses_have(&s->pools[0].retry.on_status, status),
			status == 400 || status == 503 || status == 599);
		assert_false(statuses_have(&s->pools[1].retry.on_status, status));
	}
	assert_string_equal(s->pools[0].backends[0].url_text, "http://localhost:8001/x");
	assert_string_equal(s->pools[0].backends[0].url.path, "/x/");
	assert_int_equal(s->pools[0].backends[1].place.line, 14);
	assert_string_equal(s->pools[0].backends[1].place.file, "a.conf");
	assert_true(settings_need_lookup(s));
	settings_free(s);
}

static char *dump(const struct settings *settings)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	settings_dump(settings, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void check_round_trip(const char *text)
{
	struct settings *s = load_fine(text);
	char *first = dump(s);
	char *second;

	settings_free(s);
	s = load_fine(first);
	second = dump(s);
	settings_free(s);
	assert_string_equal(first, second);
	free(first);
	free(second);
}

static void test_dump_loads_again(void **state)
{
	(void)state;
	check_round_trip(LISTENERS POOLS);
	check_round_trip(everything);
	check_round_trip(routes);
}

/* A file and what its report must say, line by line. */
struct bad {
	const char *text;
	const char *report;
};

#define ITSELF "@include \"a.conf\"\n"

static const struct bad bad_files[] = {
	{ "", "a.conf: listeners is missing: where clients connect to\n"
	      "a.conf: pools is missing: the backends, in groups that serve the same\n" },
	{ LISTENERS POOLS "worker = 1;\nconnect = \"1s\";\nlimits = { zzz = 1; };\n",
		"a.conf:3: there is no option worker; did you mean \"workers\"?\n"
		"a.conf:4: there is no option connect; did you mean timeouts.connect?\n"
		"a.conf:5: there is no option limits.zzz; here may stand: header_size, "
		"header_count, body_rate, buffers, connections, connections_per_client\n" },
	{ LISTENERS POOLS "timeouts = 5;\nlimits = ( 1 );\nlog_level = { };\n",
		"a.conf:3: timeouts = 5: must be a group: { ... }\n"
		"a.conf:4: limits = ( ... ): must be a group: { ... }\n"
		"a.conf:5: log_level = { ... }: must be one of these words, in quotes: error, "
		"warn, notice, info, debug\n" },
	{ "listeners = { address = \":1\"; };\npools = [ \"a\" ];\n",
		"a.conf:1: listeners = { ... }: must be a list of groups: ( { ... }, { ... } )\n"
		"a.conf:2: pools = [ ... ]: must be a list of groups: ( { ... }, { ... } )\n" },
	{ "listeners = ( \":1\" );\npools = ( );\n",
		"a.conf:1: listeners = \":1\": each item of this list must be a group: { ... }\n"
		"a.conf:2: pools = ( ... ): must not be empty\n" },
	{ LISTENERS "pools = ( { backends = ( ); },\n { name = \"b\"; backends = (\n"
		    "{ weight = 1; } ); } );\n",
		"a.conf:2: pools.backends = ( ... ): must not be empty\n"
		"a.conf:2: pools.name is missing: what listeners call it\n"
		"a.conf:4: pools.backends.url is missing: http://host[:port][/path] or "
		"unix:/path\n"
		"a.conf:1: with more than one pool a listener has to name its own: pool = "
		"\"...\"\n" },
	{ LISTENERS "pools = ( { name = \"a\"; balance = \"hash\";\nhash_on = \"heder:X\";\n"
		    "sticky = { cokie = \"x\";\nkey = \"short\";\ncookie = \"a b\"; };\n"
		    "backends = ( { url = \"http://a\"; } ); } );\n",
		"a.conf:3: pools.hash_on = \"heder:X\": must be client, path, header:NAME or "
		"cookie:NAME; did you mean \"header:X\"?\n"
		"a.conf:4: there is no option pools.sticky.cokie; did you mean \"cookie\"?\n"
		"a.conf:5: pools.sticky.key = \"short\": must have 16 to 256 characters, at "
		"random: "
		"try openssl rand -hex 16\n"
		"a.conf:6: pools.sticky.cookie = \"a b\": the name of a cookie has 1 to 64 "
		"letters, "
		"digits and dashes, no blanks and no colon\n" },
	{ "listeners = ( { address = \":1\"; pool = \"ap\"; },\n"
	  "{ address = \":2\"; pool = \"other\"; } );\n" POOLS,
		"a.conf:1: listeners.pool = \"ap\": there is no such pool; did you mean \"app\"?\n"
		"a.conf:2: listeners.pool = \"other\": there is no such pool; add it to pools, or "
		"name one of those there\n" },
	{ "listeners = ( { address = \":1\"; },\n { address = \"127.0.0.1:1\"; },\n"
	  "{ address = \"*:1\"; } );\n" POOLS,
		"a.conf:3: the listener \"*:1\" is there already: a.conf:1\n" },
	{ "listeners = ( { address = \":1\"; pool = \"a\"; } );\n"
	  "pools = ( { name = \"a\"; backends = ( { url = \"http://a\"; } ); },\n"
	  "{ name = \"a\"; backends = ( { url = \"http://a\"; } ); } );\n",
		"a.conf:3: the pool \"a\" is there already: a.conf:2\n" },
	{ LISTENERS POOLS "seed = 99999999999;\nworkers = 0x1ffffffff;\nseed2 = 1e9999999999;\n"
			  "seed3 = 99999999999999999999;\n",
		"a.conf:6: the number 99999999999999999999 is too large\n"
		"a.conf:4: workers = 8589934591: must be 0 to 256\n"
		"a.conf:5: there is no option seed2; did you mean \"seed\"?\n"
		"a.conf:6: there is no option seed3; did you mean \"seed\"?\n" },
	{ LISTENERS "pools = ( { name = \"app\"; backends = ( { url = \"http://a\"; } );\n"
		    "retry = { on_status = [ 502, 399, 600 ]; }; }, { name = \"b\"; backends = (\n"
		    "{ url = \"http://b\"; } ); retry = { on_status = ( 502, \"503\", 502 );\n"
		    "attempts = 0; budget = 101; }; } );\n",
		"a.conf:3: pools.retry.on_status = 399: must be statuses, 400 to 599: [ 502, 503 "
		"]\n"
		"a.conf:3: pools.retry.on_status = 600: must be statuses, 400 to 599: [ 502, 503 "
		"]\n"
		"a.conf:4: pools.retry.on_status = \"503\": must be statuses, 400 to 599: [ 502, "
		"503 "
		"]\n"
		"a.conf:4: pools.retry.on_status = 502: is there already\n"
		"a.conf:5: pools.retry.attempts = 0: must be 1 to 8\n"
		"a.conf:5: pools.retry.budget = 101: must be 0 to 100\n"
		"a.conf:1: with more than one pool a listener has to name its own: pool = "
		"\"...\"\n" },
	{ LISTENERS "pools = ( { name = \"a\"; queue = -1; backends = ( { url = \"http://a\";\n"
		    "max_requests = 1000001;\nmax_connections = \"many\"; } ); } );\n"
		    "timeouts = { queue = \"0s\"; };\n",
		"a.conf:2: pools.queue = -1: must be 0 to 1000000\n"
		"a.conf:3: pools.backends.max_requests = 1000001: must be 0 to 1000000\n"
		"a.conf:4: pools.backends.max_connections = \"many\": must be an integer, 0 to "
		"1000000\n"
		"a.conf:5: timeouts.queue = \"0s\": must be 1ms to 1h\n" },
	/* What has room in a check's request, and what an answer may have. */
	{ LISTENERS "pools = ( { name = \"a\"; backends = ( { url = \"http://a\"; } );\n"
		    "check = { type = \"http\";\n"
		    "path = \"/aaaaaaaaa" NINETY HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
			    HUNDRED HUNDRED HUNDRED "a\";\n"
		    "host = \"" HUNDRED HUNDRED HUNDRED "\"; }; } );\n",
		"a.conf:4: pools.check.path = \"/aaaaaaaaa" NINETY
		"...\": must be up to 1000 bytes\n"
		"a.conf:5: pools.check.host = \"" HUNDRED "...\": must be up to 261 bytes\n" },
	{ LISTENERS "pools = ( { name = \"a\"; backends = ( { url = \"http://a\"; } );\n"
		    "check = { type = \"http\"; method = \"HEAD\"; body = \"up\"; }; } );\n",
		"a.conf:2: check.body cannot be found with check.method = \"HEAD\": its answers "
		"have "
		"no body\n" },
	{ "workers = 1\n\n}\n",
		"a.conf:3: syntax error: look here and on the line before for a missing quote or "
		"bracket, or a comma before a closing bracket\n" },
	{ "workers = 1;\nworkers = 2;\n", "a.conf:2: duplicate setting name\n" },
	{ "a = 1;\n@include \"none.conf\"\n@include \"/etc/hosts\"\n",
		"a.conf:2: cannot include \"none.conf\": No such file or directory\n"
		"a.conf:3: cannot include \"/etc/hosts\": write the path as seen from the folder "
		"of the settings file, without a slash before it\n" },
	{ ITSELF, "a.conf:1: include file nesting too deep\n" },
	/* Read so often as it is included, it would take for ever. */
	{ ITSELF ITSELF ITSELF ITSELF ITSELF ITSELF ITSELF ITSELF,
		"a.conf:1: include file nesting too deep\n" },
	{ LISTENERS POOLS "access_log = \"\\\"\xc3\xa4\";\nseed = 1.5;\nhalf_close = \"yes\";\n"
			  "log = \"a\nb\";\nhost = \"\x1b[31m\";\n",
		"a.conf:4: seed = 1.5: must be an integer, 0 to 2^63-1\n"
		"a.conf:5: half_close = \"yes\": must be true or false, without quotes\n"
		"a.conf:8: host = \"\\x1b[31m\": must be one of backend, preserve\n" },
};

static void test_bad_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_files); i++) {
		assert_null(load(bad_files[i].text));
		assert_string_equal(report, bad_files[i].report);
	}
}

#define ANSWER "answer = { };"

static const struct bad bad_routes[] = {
	{ "{ }", "a route needs a target: pool = \"...\", redirect = \"...\" or answer = { ... }" },
	{ "{ pool = \"app\"; " ANSWER " }", "a route needs one target and no other: pool = "
					    "\"...\", redirect = \"...\" or answer "
					    "= { ... }" },
	{ "{ pool = \"ap\"; }",
		"listeners.routes.pool = \"ap\": there is no such pool; did you mean "
		"\"app\"?" },
	{ "{ pool = \"app\"; status = 301; }", "listeners.routes.status is that of a redirect; "
					       "that of an answer stands in it: answer "
					       "= { status = ...; }" },
	{ "{ redirect = \"https://a/\"; status = 304; }",
		"listeners.routes.status = 304: must be 301, 302, 303, 307 or 308" },
	{ "{ redirect = \"https://a/\"; status = 200; }",
		"listeners.routes.status = 200: must be 301 to 308" },
	{ "{ redirect = \"{path}\"; }", "listeners.routes.redirect = \"{path}\": must begin with "
					"http://, https:// or a slash" },
	{ "{ answer = { status = 302; }; }",
		"listeners.routes.answer.status = 302: must not be 3xx; for a redirect there is "
		"redirect = \"https://...\"" },
	{ "{ answer = { status = 100; }; }",
		"listeners.routes.answer.status = 100: must be 200 to 599" },
	{ "{ answer = { status = 204; body = \"b\"; }; }",
		"listeners.routes.answer.body: an answer with status 204 has none" },
	{ "{ answer = { type = \"a\\r\\nX: y\"; }; }",
		"listeners.routes.answer.type = \"a\\x0d\\x0aX: y\": must be printable ASCII: "
		"\"text/html; charset=utf-8\"" },
	{ "{ answer = { text = \"b\"; }; }",
		"there is no option listeners.routes.answer.text; here may stand: "
		"status, type, body" },
	{ "{ host = \"a:80\"; " ANSWER " }",
		"listeners.routes.host = \"a:80\": must be without a port (it is for any), and an "
		"IPv6 address in brackets" },
	{ "{ host = \"*\"; " ANSWER " }",
		"listeners.routes.host = \"*\": for any host, leave it out" },
	{ "{ host = \"a.*\"; " ANSWER " }",
		"listeners.routes.host = \"a.*\": * may only stand for labels at the front: "
		"*.example.com" },
	{ "{ host = \"*a.b\"; " ANSWER " }",
		"listeners.routes.host = \"*a.b\": * may only stand for labels at the front: "
		"*.example.com" },
	{ "{ host = \"*.\"; " ANSWER " }", "listeners.routes.host = \"*.\": has an empty label" },
	{ "{ host = \"a..b\"; " ANSWER " }",
		"listeners.routes.host = \"a..b\": has an empty label" },
	{ "{ host = \"[::1]:80\"; " ANSWER " }",
		"listeners.routes.host = \"[::1]:80\": in brackets stands an IPv6 address: [::1]" },
	{ "{ host = \"[1.2.3.4]\"; " ANSWER " }", "listeners.routes.host = \"[1.2.3.4]\": in "
						  "brackets stands an IPv6 address: [::1]" },
	{ "{ host = \"\xc3\xa4\"; " ANSWER " }",
		"listeners.routes.host = \"\\xc3\\xa4\": must be written as in DNS: xn--..." },
	{ "{ host = \"a b\"; " ANSWER " }",
		"listeners.routes.host = \"a b\": must be a name, an address, or *. and a name" },
	{ "{ path = \"a\"; " ANSWER " }",
		"listeners.routes.path = \"a\": must begin with a slash" },
	{ "{ path = \"/a?b\"; " ANSWER " }", "listeners.routes.path = \"/a?b\": a query plays no "
					     "part in it: end it before the ? "
					     "or #" },
	{ "{ path = \"/a%2Fb\"; " ANSWER " }",
		"listeners.routes.path = \"/a%2Fb\": servers disagree about encoded slashes, "
		"backslashes, NULs and semicolons: end it before that" },
	{ "{ path = \"/a\\n\"; " ANSWER " }",
		"listeners.routes.path = \"/a\\x0a\": has a control character" },
	{ "{ host = \"a.b\"; path = \"/x\"; " ANSWER
	  " }, { host = \"A.b.\"; path = \"//%78\"; " ANSWER " }",
		"the route for host a.b and path /x is there already: a.conf:2" },
	{ "{ path = \"/\"; " ANSWER " }, { pool = \"app\"; }",
		"the route for host any and path any is there already: a.conf:2" },
};

static void test_bad_routes(void **state)
{
	char text[1024];
	char line[512];

	(void)state;
	for (size_t i = 0; i < COUNT(bad_routes); i++) {
		(void)snprintf(text, sizeof text, ROUTES("%s"), bad_routes[i].text);
		(void)snprintf(line, sizeof line, "a.conf:2: %s\n", bad_routes[i].report);
		assert_null(load(text));
		assert_string_equal(report, line);
	}
}

/* Thousands of routes are not compared pair by pair, nor are they too long for a dump. */
static void test_many_routes(void **state)
{
	FILE *f = fopen("a.conf", "w");
	struct settings *s;

	(void)state;
	assert_non_null(f);
	(void)fprintf(f, "listeners = ( { address = \":1\"; routes = (\n");
	for (int i = 0; i < 10000; i++)
		(void)fprintf(f, "%s{ host = \"h%d.example\"; path = \"/p%d\"; pool = \"app\"; }",
			i > 0 ? ",\n" : "", i % 100, i / 100);
	(void)fprintf(f, ",\n{ answer = { body = \"");
	for (int i = 0; i < ANSWER_BODY_MAX; i++)
		(void)fputs("\\x01", f);
	(void)fprintf(f, "\"; }; } ); } );\n" POOLS);
	assert_int_equal(fclose(f), 0);
	s = load_file("a.conf");
	assert_non_null(s);
	assert_int_equal(s->listeners[0].route_count, 10001);
	assert_int_equal(strlen(s->listeners[0].routes[10000].answer.body), ANSWER_BODY_MAX);
	f = fopen("b.conf", "w");
	assert_non_null(f);
	settings_dump(s, f);
	assert_int_equal(fclose(f), 0);
	settings_free(s);
	s = load_file("b.conf");
	assert_non_null(s);
	assert_int_equal(s->listeners[0].route_count, 10001);
	settings_free(s);
}

static void test_warnings(void **state)
{
	struct settings *s = load_fine(
		"listeners = ( { address = \":1\"; pool = \"a\"; } );\n"
		"pools = ( { name = \"a\"; backends = ( { url = \"http://a\"; weight = 0; } ); },\n"
		"{ name = \"b\"; backends = ( { url = \"http://b\"; },\n"
		"{ url = \"http://b/\"; } ); } );\n");

	(void)state;
	settings_free(s);
	assert_int_equal(warnings, 3);
	assert_string_equal(report,
		"a.conf:2: warning: every backend of this pool has weight 0: its requests will be "
		"answered with 503; give one a weight of 1 or more\n"
		"a.conf:4: warning: backend \"http://b\" is there already and gets the sum of the "
		"weights: a.conf:3\n"
		"a.conf:3: warning: no listener uses the pool \"b\"\n");
}

static void test_warnings_of_balance(void **state)
{
	struct settings *s = load_fine(LISTENERS "pools = ( { name = \"a\"; hash_on = \"path\";\n"
						 "sticky = { key = \"0123456789abcdef\"; };\n"
						 "backends = ( { url = \"http://a\"; } ); } );\n");

	(void)state;
	assert_string_equal(s->pools[0].hash_on, "path");
	assert_string_equal(s->pools[0].sticky.cookie, "tinylb");
	assert_string_equal(s->pools[0].sticky.key, "0123456789abcdef");
	settings_free(s);
	assert_int_equal(warnings, 2);
	assert_string_equal(report,
		"a.conf:2: warning: hash_on says nothing without balance = \"hash\"\n"
		"a.conf:2: warning: sticky says nothing without balance = \"sticky\"\n");
}

static void test_shared_cookies(void **state)
{
	struct settings *s = load_fine(
		"listeners = ( { address = \":1\"; pool = \"a\"; }, { address = \":2\"; pool = "
		"\"b\"; },\n"
		"{ address = \":3\"; pool = \"c\"; }, { address = \":4\"; pool = \"d\"; } );\n"
		"pools = ( { name = \"a\"; balance = \"sticky\"; backends = ( { url = "
		"\"http://a\"; } ); },\n"
		"{ name = \"b\"; backends = ( { url = \"http://b\"; } ); },\n"
		"{ name = \"c\"; balance = \"sticky\"; sticky = { cookie = \"c\"; };\n"
		"backends = ( { url = \"http://a\"; } ); },\n"
		"{ name = \"d\"; balance = \"sticky\"; backends = ( { url = \"http://a\"; } ); } "
		");\n");

	(void)state;
	settings_free(s);
	assert_int_equal(warnings, 1);
	assert_string_equal(report,
		"a.conf:7: warning: the pools \"a\" and \"d\" set the same cookie: where a browser "
		"comes to both, set sticky.cookie to a name of its own\n");
}

/* Included from the folder of the first file, wherever the file that includes stands. */
static void test_include(void **state)
{
	struct settings *s;

	(void)state;
	assert_int_equal(mkdir("sub", 0700), 0);
	write_file("sub/c.conf", "# /* not a comment\n" LISTENERS "  @include \"sub/d.conf\"\n");
	write_file("sub/d.conf", "workers = 2;");
	s = load_fine("@include \"sub/c.conf\"\n/* @include \"none\"\n */ log = \"\n@include "
		      "\";\n" POOLS);
	assert_int_equal(s->workers, 2);
	assert_string_equal(s->listeners[0].place.file, "sub/c.conf");
	assert_int_equal(s->listeners[0].place.line, 2);
	settings_free(s);
	write_file("sub/d.conf", "workers = 2;\nworker = 3;\nseed = 9999999999;\n");
	assert_null(load("@include \"sub/c.conf\"\n" POOLS));
	assert_string_equal(report,
		"sub/d.conf:3: the number 9999999999 is larger than 2147483647 and needs an L at "
		"its end: 9999999999L\n"
		"sub/d.conf:2: there is no option worker; did you mean \"workers\"?\n");
	write_file("sub/d.conf", "x = ;");
	assert_null(load("@include \"sub/c.conf\"\n" POOLS));
	assert_memory_equal(report, "sub/d.conf:1: syntax error", 26);
	assert_null(load("@include \"sub\"\n"));
	assert_string_equal(report, "a.conf:1: cannot include \"sub\": Is a directory\n");
}

static void test_unreadable(void **state)
{
	FILE *f;

	(void)state;
	assert_null(load_file("none.conf"));
	assert_string_equal(
		report, "none.conf: cannot read the settings: No such file or directory\n");
	assert_null(load_file("/"));
	assert_string_equal(report, "/: cannot read the settings: Is a directory\n");
	f = fopen("a.conf", "w");
	assert_non_null(f);
	assert_int_equal(fwrite("a = 1;\0", 1, 7, f), 7);
	assert_int_equal(fclose(f), 0);
	assert_null(load_file("a.conf"));
	assert_string_equal(report, "a.conf: has a NUL byte: not a text file\n");
}

static void check_without_memory(const char *text)
{
	long allowed = 0;
	struct settings *s;

	write_file("a.conf", text);
	do {
		mem_fail_after(allowed++);
		s = load_file("a.conf");
		mem_fail_after(-1);
		assert_true(allowed < 1000);
	} while (s == NULL || report[0] != '\0');
	assert_true(allowed > 20);
	settings_free(s);
}

/* Memory that runs out at any point is one more mistake, and nothing is lost or freed twice. */
static void test_without_memory(void **state)
{
	(void)state;
	check_without_memory(everything);
	check_without_memory(routes);
}

static void test_words(void **state)
{
	static const char *const listen[] = { ":8080", "127.0.0.1:81" };
	static const char *const urls[] = { "http://a:8001", "http://127.0.0.1:8002/" };
	struct settings_errors errors = { .out = stderr };
	struct settings *s = settings_from_words(listen, 2, urls, 2, &errors);
	char *text;

	(void)state;
	assert_non_null(s);
	assert_null(s->file);
	assert_int_equal(s->listener_count, 2);
	assert_string_equal(s->listeners[1].pool_name, "backends");
	assert_string_equal(s->pools[0].name, "backends");
	assert_string_equal(s->pools[0].backends[1].url_text, "http://127.0.0.1:8002");
	assert_int_equal(s->timeouts.connect, 5000);
	text = dump(s);
	settings_free(s);
	s = load_fine(text);
	settings_free(s);
	free(text);
}

static void test_bad_words(void **state)
{
	static const char *const listen[] = { "8080" };
	static const char *const urls[] = { "https://a", "b" };
	struct settings_errors errors = { .out = NULL };
	size_t size;

	(void)state;
	free(report);
	errors.out = open_memstream(&report, &size);
	assert_null(settings_from_words(listen, 1, urls, 2, &errors));
	assert_null(settings_from_words(listen, 0, urls, 0, &errors));
	assert_int_equal(fclose(errors.out), 0);
	assert_int_equal(errors.count, 5);
	assert_memory_equal(report, "the command line: \"8080\": the port is missing", 45);
	assert_non_null(strstr(report, "\"https://a\": this version speaks only http"));
	assert_non_null(strstr(report, "\"b\": a backend's URL begins with"));
}

/* One process finds the addresses, another sees them. */
static void test_lookup_is_shared(void **state)
{
	struct settings *s = load_fine(LISTENERS
		"pools = ( { name = \"a\"; backends = ( { url = \"http://localhost:8001\"; },\n"
		"{ url = \"http://localhost:8002\"; }, { url = \"unix:/run/x\"; } ); } );\n");
	struct backend_settings *b = s->pools[0].backends;
	int status;
	pid_t pid;
	char text[ADDRESS_TEXT_SIZE];
	struct address address;

	(void)state;
	assert_true(settings_need_lookup(s));
	assert_int_equal(addresses_count(b[0].addresses), 0);
	pid = fork();
	if (pid == 0) {
		int missing = settings_lookup(s, NULL);

		settings_free(s);
		_exit(missing);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(addresses_count(b[0].addresses) >= 1);
	assert_int_equal(addresses_count(b[0].addresses), addresses_count(b[1].addresses));
	for (int i = 0; i < 2; i++) {
		const char *port;

		assert_true(addresses_get(b[i].addresses, 0, &address));
		port = strrchr(address_format(&address, text), ':');

		assert_string_equal(port, i == 0 ? ":8001" : ":8002");
	}
	assert_true(addresses_get(b[2].addresses, 0, &address));
	assert_string_equal(address_format(&address, text), "unix:/run/x");
	settings_free(s);
}

/* What a name had is kept for the same port, where it cannot be looked up any more. */
static void test_lookup_keeps_what_was(void **state)
{
	static const char text[] = LISTENERS
		"pools = ( { name = \"a\"; backends = (\n"
		"{ url = \"http://no.invalid:8001\"; }, { url = \"http://no.invalid:8002\"; },\n"
		"{ url = \"http://nor.invalid:8001\"; } ); } );\n";
	struct settings *old = load_fine(text), *s = load_fine(text);
	struct address former;
	struct backend_settings *b = s->pools[0].backends;

	(void)state;
	assert_int_equal(address_parse_ip("192.0.2.1", &former), 0);
	address_set_port(&former, 8002);
	settings_add_address(old, 0, 1, &former);
	assert_int_equal(settings_lookup(s, old), 2);
	assert_int_equal(addresses_count(b[0].addresses), 0);
	assert_int_equal(addresses_count(b[1].addresses), 1);
	assert_true(addresses_have(b[1].addresses, &former));
	assert_int_equal(addresses_count(b[2].addresses), 0);
	settings_free(old);
	settings_free(s);
}

/* Ten thousand backends take little time and little memory; nothing is compared pair by pair. */
static void test_ten_thousand(void **state)
{
	FILE *f = fopen("a.conf", "w");
	struct settings *s;

	(void)state;
	assert_non_null(f);
	(void)fprintf(f, LISTENERS "pools = ( { name = \"a\"; backends = (\n");
	for (int i = 0; i < 10000; i++)
		(void)fprintf(f, "%s{ url = \"http://10.0.%d.%d:8080\"; }", i > 0 ? ",\n" : "",
			i >> 8, i & 255);
	(void)fprintf(f, " ); } );\n");
	assert_int_equal(fclose(f), 0);
	s = load_file("a.conf");
	assert_non_null(s);
	assert_int_equal(s->pools[0].backend_count, 10000);
	assert_int_equal(addresses_count(s->pools[0].backends[9999].addresses), 1);
	assert_true(s->addresses_size < 10000 * 200);
	settings_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smallest),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_routes_without_pool),
		cmocka_unit_test(test_bad_routes),
		cmocka_unit_test(test_many_routes),
		cmocka_unit_test(test_dump_loads_again),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_warnings_of_balance),
		cmocka_unit_test(test_shared_cookies),
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_without_memory),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_bad_words),
		cmocka_unit_test(test_lookup_is_shared),
		cmocka_unit_test(test_lookup_keeps_what_was),
		cmocka_unit_test(test_ten_thousand),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
