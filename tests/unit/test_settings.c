/* Whole settings: loaded from files and from words, dumped, looked up. */
#include "config.h"

#include "settings_file.h"

#include <string.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "settings/lookup.h"
#include "settings/settings_dump.h"
#include "settings/settings_words.h"

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
	assert_null(s->pools[0].upgrade);
	assert_int_equal(s->pools[0].backends[0].weight, 1);
	assert_int_equal(addresses_count(s->pools[0].backends[0].addresses), 1);
	assert_string_equal(s->file, "a.conf");
	assert_false(lookup_is_needed(s));
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
	"pools = ( { name = \"a\"; balance = \"sticky\"; queue = 7; upgrade = [ \"tcp\", "
	"\"SPDY/3.1\" ];\n"
	"retry = { attempts = 1;"
	"on_status = [ 999, 400, 503 ]; budget = 0; budget_rate = 7; };\n"
	"sticky = { cookie = \"s\"; key = \"0123456789abcdef\"; }; backends = (\n"
	"    { url = \"http://localhost:8001/x/\"; weight = 0; max_requests = 5; max_connections = "
	"6; }, { url = \"unix:/run/b\"; weight "
	"= 256; } ); },\n"
	"  { name = \"b\"; host = \"backend\"; upgrade = [ ]; backends = ( { url = "
	"\"http://[::1]\"; } ); } );\n";

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
	assert_string_equal(s->pools[0].upgrade, "tcp,SPDY/3.1");
	assert_string_equal(s->pools[1].upgrade, "");
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
			status == 400 || status == 503 || status == 999);
		assert_false(statuses_have(&s->pools[1].retry.on_status, status));
	}
	assert_string_equal(s->pools[0].backends[0].url_text, "http://localhost:8001/x");
	assert_string_equal(s->pools[0].backends[0].url.path, "/x/");
	assert_int_equal(s->pools[0].backends[1].place.line, 14);
	assert_string_equal(s->pools[0].backends[1].place.file, "a.conf");
	assert_true(lookup_is_needed(s));
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
	struct settings *s = settings_words_load(listen, 2, urls, 2, &errors);
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
	assert_true(lookup_is_needed(s));
	assert_int_equal(addresses_count(b[0].addresses), 0);
	pid = fork();
	if (pid == 0) {
		int missing = lookup_run(s, NULL);

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
	lookup_add_address(old, 0, 1, &former);
	assert_int_equal(lookup_run(s, old), 2);
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
		cmocka_unit_test(test_many_routes),
		cmocka_unit_test(test_dump_loads_again),
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_without_memory),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_lookup_is_shared),
		cmocka_unit_test(test_lookup_keeps_what_was),
		cmocka_unit_test(test_ten_thousand),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
