/* Settings that are refused, or warned of: every mistake is told, with its place and what to
 * change. */
#include "config.h"

#include "settings_file.h"

#include <string.h>

#include "settings/settings_words.h"

#define NINETY                                                                                     \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aa"
#define HUNDRED NINETY "aaaaaaaaaa"

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
	{ LISTENERS
		"pools = ( { name = \"a\"; balance = \"hash\";\nhash_key = \"fifteen letters\";\n"
		"backends = ( { url = \"http://a\"; } ); } );\n",
		"a.conf:3: pools.hash_key = \"fifteen letters\": must have 16 to 256 characters, "
		"at "
		"random: try openssl rand -hex 16\n" },
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
		    "retry = { on_status = [ 502, 399, 1000 ]; }; }, { name = \"b\"; backends = (\n"
		    "{ url = \"http://b\"; } ); retry = { on_status = ( 502, \"503\", 502 );\n"
		    "attempts = 0; budget = 101; }; } );\n",
		"a.conf:3: pools.retry.on_status = 399: must be statuses, 400 to 999: [ 502, 503 "
		"]\n"
		"a.conf:3: pools.retry.on_status = 1000: must be statuses, 400 to 999: [ 502, 503 "
		"]\n"
		"a.conf:4: pools.retry.on_status = \"503\": must be statuses, 400 to 999: [ 502, "
		"503 "
		"]\n"
		"a.conf:4: pools.retry.on_status = 502: is there already\n"
		"a.conf:5: pools.retry.attempts = 0: must be 1 to 8\n"
		"a.conf:5: pools.retry.budget = 101: must be 0 to 100\n"
		"a.conf:1: with more than one pool a listener has to name its own: pool = "
		"\"...\"\n" },
	{ LISTENERS "pools = ( { name = \"a\"; backends = ( { url = \"http://a\"; } );\n"
		    "upgrade = [ \"tcp\", \"a b\", \"\", \"a/\", \"a/b/c\", \"TCP/1\" ];\n"
		    "}, { name = \"b\"; backends = ( { url = \"http://b\"; } );\n"
		    "upgrade = ( 5, \"h2c\", \"HTTP/2.0\" ); } );\n",
		"a.conf:3: pools.upgrade = \"a b\": must be protocols in quotes: [ \"websocket\", "
		"\"SPDY/3.1\" ]\n"
		"a.conf:3: pools.upgrade = \"\": must be protocols in quotes: [ \"websocket\", "
		"\"SPDY/3.1\" ]\n"
		"a.conf:3: pools.upgrade = \"a/\": must be protocols in quotes: [ \"websocket\", "
		"\"SPDY/3.1\" ]\n"
		"a.conf:3: pools.upgrade = \"a/b/c\": must be protocols in quotes: [ "
		"\"websocket\", \"SPDY/3.1\" ]\n"
		"a.conf:3: pools.upgrade = \"TCP/1\": is there already\n"
		"a.conf:5: pools.upgrade = 5: must be protocols in quotes: [ \"websocket\", "
		"\"SPDY/3.1\" ]\n"
		"a.conf:5: pools.upgrade = \"h2c\": is never offered: requests would go through "
		"it unseen\n"
		"a.conf:5: pools.upgrade = \"HTTP/2.0\": is never offered: requests would go "
		"through it unseen\n"
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
						 "hash_key = \"sixteen letters.\";\n"
						 "sticky = { key = \"0123456789abcdef\"; };\n"
						 "backends = ( { url = \"http://a\"; } ); } );\n");

	(void)state;
	assert_string_equal(s->pools[0].hash_on, "path");
	assert_string_equal(s->pools[0].sticky.cookie, "tinylb");
	assert_string_equal(s->pools[0].sticky.key, "0123456789abcdef");
	assert_string_equal(s->pools[0].hash_key, "sixteen letters.");
	settings_free(s);
	assert_int_equal(warnings, 3);
	assert_string_equal(report,
		"a.conf:2: warning: hash_on has no effect without balance = \"hash\"\n"
		"a.conf:2: warning: hash_key has no effect without balance = \"hash\"\n"
		"a.conf:2: warning: sticky has no effect without balance = \"sticky\"\n");
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

static void test_bad_words(void **state)
{
	static const char *const listen[] = { "8080" };
	static const char *const urls[] = { "https://a", "b" };
	struct settings_errors errors = { .out = NULL };
	size_t size;

	(void)state;
	free(report);
	errors.out = open_memstream(&report, &size);
	assert_null(settings_words_load(listen, 1, urls, 2, &errors));
	assert_null(settings_words_load(listen, 0, urls, 0, &errors));
	assert_int_equal(fclose(errors.out), 0);
	assert_int_equal(errors.count, 5);
	assert_memory_equal(report, "the command line: \"8080\": the port is missing", 45);
	assert_non_null(strstr(report, "\"https://a\": this version speaks only http"));
	assert_non_null(strstr(report, "\"b\": a backend's URL begins with"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_bad_routes),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_warnings_of_balance),
		cmocka_unit_test(test_shared_cookies),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_bad_words),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
