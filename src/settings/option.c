/*
 * The option table, and what can be told about an option without looking at a value. A new option
 * is a row here, a member in settings.h and an entry in tinylb.conf(5).
 */
#include "config.h"

#include "settings/option.h"

#include <assert.h>

#include "base/log.h"
#include "check_option.h"
#include "field_name.h"
#include "key_option.h"
#include "settings/hash_on.h"
#include "settings/settings.h"

#define MEMBER(type, member)                                                                       \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)NULL)->member)

#define SECOND 1000
#define HOUR   (3600 * (int64_t)SECOND)

static const struct option_choice host_choices[] = {
	{ "backend", HOST_BACKEND },
	{ "preserve", HOST_PRESERVE },
	{ NULL, 0 },
};

static const struct option_choice via_choices[] = {
	{ "on", VIA_ON },
	{ "response", VIA_RESPONSE },
	{ "off", VIA_OFF },
	{ NULL, 0 },
};

static const struct option_choice forwarded_choices[] = {
	{ "x-forwarded", FORWARDED_X },
	{ "rfc7239", FORWARDED_RFC7239 },
	{ "both", FORWARDED_X | FORWARDED_RFC7239 },
	{ "off", FORWARDED_OFF },
	{ NULL, 0 },
};

static const struct option_choice level_choices[] = {
	{ "error", LOG_LEVEL_ERROR },
	{ "warn", LOG_LEVEL_WARN },
	{ "notice", LOG_LEVEL_NOTICE },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
	{ NULL, 0 },
};

static const struct option_choice log_choices[] = {
	{ "stderr", 0 },
	{ "syslog", 0 },
	{ NULL, 0 },
};

static const struct option_choice off_choices[] = {
	{ "off", CHOICE_NONE },
	{ NULL, 0 },
};

static const struct option_choice balance_choices[] = {
	{ "random", BALANCE_RANDOM },
	{ "two_choices", BALANCE_TWO_CHOICES },
	{ "round_robin", BALANCE_ROUND_ROBIN },
	{ "least_requests", BALANCE_LEAST_REQUESTS },
	{ "latency", BALANCE_LATENCY },
	{ "hash", BALANCE_HASH },
	{ "sticky", BALANCE_STICKY },
	{ NULL, 0 },
};

static const struct option_choice check_choices[] = {
	{ "off", CHECK_OFF },
	{ "tcp", CHECK_TCP },
	{ "http", CHECK_HTTP },
	{ NULL, 0 },
};

static const struct option_choice method_choices[] = {
	{ "GET", CHECK_GET },
	{ "HEAD", CHECK_HEAD },
	{ "OPTIONS", CHECK_OPTIONS },
	{ NULL, 0 },
};

static const struct option_choice spread_choices[] = {
	{ "first", SPREAD_FIRST },
	{ "each", SPREAD_EACH },
	{ NULL, 0 },
};

/* clang-format off */
const struct option option_table[] = {
	/* top level */
	{ OPTION_TOP, "workers", OPTION_INTEGER, .min = 0, .max = SETTINGS_WORKERS_MAX,
	  .def = "0",
	  MEMBER(settings, workers),
	  .help = "processes that carry traffic; 0: one per processor" },
	{ OPTION_TOP, "seed", OPTION_INTEGER, .min = 0, .max = INT64_MAX, .def = "0",
	  MEMBER(settings, seed),
	  .help = "what random choice begins with; 0: from the kernel" },
	{ OPTION_TOP, "user", OPTION_USER, .def_text = "none",
	  MEMBER(settings, user),
	  .help = "the user that workers become" },
	{ OPTION_TOP, "group", OPTION_GROUP, .def_text = "the user's",
	  MEMBER(settings, group),
	  .help = "the group that workers become" },
	{ OPTION_TOP, "sandbox", OPTION_BOOLEAN, .def = "true",
	  MEMBER(settings, sandbox),
	  .help = "workers give up files, other programs and all else they do not need" },
	{ OPTION_TOP, "host", OPTION_CHOICE, .choices = host_choices, .def = "backend",
	  MEMBER(settings, host),
	  .help = "the Host that a backend gets: its own, or the client's" },
	{ OPTION_TOP, "via", OPTION_CHOICE, .choices = via_choices, .def = "response",
	  MEMBER(settings, via),
	  .help = "the messages that get a Via field: all, responses, none" },
	{ OPTION_TOP, "trusted", OPTION_NETWORKS, .def_text = "none",
	  MEMBER(settings, trusted),
	  .help = "proxies whose X-Forwarded-* fields are kept" },
	{ OPTION_TOP, "forwarded", OPTION_CHOICE, .choices = forwarded_choices,
	  .def = "x-forwarded",
	  MEMBER(settings, forwarded),
	  .help = "the fields that tell backends of the client" },
	{ OPTION_TOP, "half_close", OPTION_BOOLEAN, .def = "false",
	  MEMBER(settings, half_close),
	  .help = "finish the answer for a client that closed its sending side" },
	{ OPTION_TOP, "log", OPTION_PATH, .choices = log_choices, .def = "stderr",
	  MEMBER(settings, log),
	  .help = "where messages go" },
	{ OPTION_TOP, "log_level", OPTION_CHOICE, .choices = level_choices, .def = "info",
	  MEMBER(settings, log_level),
	  .help = "the least important message that is written" },
	{ OPTION_TOP, "access_log", OPTION_PATH, .choices = off_choices, .def = "off",
	  MEMBER(settings, access_log),
	  .help = "where a line for each request goes" },
	{ OPTION_TOP, "pid_file", OPTION_PATH, .def_text = "none",
	  MEMBER(settings, pid_file),
	  .help = "where the process id of the master goes" },
	{ OPTION_TOP, "timeouts", OPTION_SECTION, .inner = OPTION_TIMEOUTS,
	  MEMBER(settings, timeouts),
	  .help = "how long to wait" },
	{ OPTION_TOP, "limits", OPTION_SECTION, .inner = OPTION_LIMITS,
	  MEMBER(settings, limits),
	  .help = "how much to take" },
	{ OPTION_TOP, "reload", OPTION_SECTION, .inner = OPTION_RELOAD,
	  MEMBER(settings, reload),
	  .help = "how a reload goes about" },
	{ OPTION_TOP, "listeners", OPTION_LIST, .inner = OPTION_LISTENER, .required = true,
	  MEMBER(settings, listeners), .item_size = sizeof(struct listener_settings),
	  .count_offset = offsetof(struct settings, listener_count),
	  .help = "where clients connect to" },
	{ OPTION_TOP, "pools", OPTION_LIST, .inner = OPTION_POOL, .required = true,
	  MEMBER(settings, pools), .item_size = sizeof(struct pool_settings),
	  .count_offset = offsetof(struct settings, pool_count),
	  .help = "the backends, in groups that serve the same" },

	/* timeouts */
	{ OPTION_TIMEOUTS, "connect", OPTION_DURATION, .min = 1, .max = HOUR, .def = "5s",
	  MEMBER(timeout_settings, connect),
	  .help = "to connect to a backend" },
	{ OPTION_TIMEOUTS, "request_header", OPTION_DURATION, .min = 1, .max = HOUR, .def = "10s",
	  MEMBER(timeout_settings, request_header),
	  .help = "from the first byte of a request to the end of its head" },
	{ OPTION_TIMEOUTS, "response", OPTION_DURATION, .min = 1, .max = 24 * HOUR, .def = "1m",
	  MEMBER(timeout_settings, response),
	  .help = "between two bytes of a request or a response under way" },
	{ OPTION_TIMEOUTS, "idle_client", OPTION_DURATION, .min = 1, .max = 24 * HOUR, .def = "1m",
	  MEMBER(timeout_settings, idle_client),
	  .help = "for the next request on a client's connection" },
	{ OPTION_TIMEOUTS, "idle_backend", OPTION_DURATION, .min = 1, .max = 24 * HOUR, .def = "30s",
	  MEMBER(timeout_settings, idle_backend),
	  .help = "how long an unused connection to a backend is kept" },
	{ OPTION_TIMEOUTS, "lifetime_backend", OPTION_DURATION, .min = 1, .max = 720 * HOUR,
	  .def = "1h",
	  MEMBER(timeout_settings, lifetime_backend),
	  .help = "how long a connection to a backend is used again" },
	{ OPTION_TIMEOUTS, "tunnel", OPTION_DURATION, .min = 1, .max = 720 * HOUR, .def = "1h",
	  MEMBER(timeout_settings, tunnel),
	  .help = "between two bytes of an upgraded connection (WebSocket)" },
	{ OPTION_TIMEOUTS, "drain", OPTION_DURATION, .min = 0, .max = 24 * HOUR, .def = "30s",
	  MEMBER(timeout_settings, drain),
	  .help = "for requests in flight when workers stop" },
	{ OPTION_TIMEOUTS, "queue", OPTION_DURATION, .min = 1, .max = HOUR, .def = "5s",
	  MEMBER(timeout_settings, queue),
	  .help = "for a request, while every backend is full" },
	{ OPTION_TIMEOUTS, "hang", OPTION_DURATION, .min = 0, .max = 24 * HOUR, .def = "10s",
	  MEMBER(timeout_settings, hang),
	  .help = "how long a worker may hang before it is ended; 0: for ever" },
	{ OPTION_TIMEOUTS, "lame_duck", OPTION_DURATION, .min = 0, .max = 600 * SECOND,
	  .def = "0s",
	  MEMBER(timeout_settings, lame_duck),
	  .help = "to go on accepting after TERM, while others learn of it" },

	/* limits */
	{ OPTION_LIMITS, "header_size", OPTION_SIZE, .min = 1024, .max = 65536, .def = "32k",
	  MEMBER(limit_settings, header_size),
	  .help = "bytes of a whole request or response head" },
	{ OPTION_LIMITS, "header_count", OPTION_INTEGER, .min = 1, .max = 256, .def = "100",
	  MEMBER(limit_settings, header_count),
	  .help = "header fields of a request" },
	{ OPTION_LIMITS, "body_rate", OPTION_SIZE, .min = 0, .max = 1048576, .def = "100",
	  MEMBER(limit_settings, body_rate),
	  .help = "bytes a second at which a request's body must come; 0: any" },
	{ OPTION_LIMITS, "buffers", OPTION_SIZE, .min = 1048576, .max = INT64_C(1) << 40,
	  .def = "64M",
	  MEMBER(limit_settings, buffers),
	  .help = "bytes per worker that wait for peers to take them" },
	{ OPTION_LIMITS, "connections", OPTION_INTEGER, .min = 0, .max = 1000000, .def = "0",
	  MEMBER(limit_settings, connections),
	  .help = "clients per worker; 0: as many as descriptors allow" },
	{ OPTION_LIMITS, "connections_per_client", OPTION_INTEGER, .min = 0, .max = 1000000,
	  .def = "0",
	  MEMBER(limit_settings, connections_per_client),
	  .help = "of one client address, per worker; 0: any number" },

	/* reload */
	{ OPTION_RELOAD, "canary", OPTION_INTEGER, .min = 0, .max = SETTINGS_WORKERS_MAX,
	  .def = "0",
	  MEMBER(reload_settings, canary),
	  .help = "workers that try new settings before the others; 0: none" },
	{ OPTION_RELOAD, "watch", OPTION_DURATION, .min = 1000, .max = HOUR, .def = "10s",
	  MEMBER(reload_settings, watch),
	  .help = "how long they are compared with the old ones" },

	/* listeners */
	{ OPTION_LISTENER, "address", OPTION_ADDRESS, .required = true,
	  MEMBER(listener_settings, address_text),
	  .help = "where to listen: *:8080, 127.0.0.1:8080, [::1]:8080, unix:/path" },
	{ OPTION_LISTENER, "pool", OPTION_STRING, .def_text = "the only pool; with routes, none",
	  MEMBER(listener_settings, pool_name),
	  .help = "the name of the pool that serves its requests" },
	{ OPTION_LISTENER, "routes", OPTION_LIST, .inner = OPTION_ROUTE, .def_text = "none",
	  MEMBER(listener_settings, routes), .item_size = sizeof(struct route_settings),
	  .count_offset = offsetof(struct listener_settings, route_count),
	  .help = "requests that go elsewhere, by host and path" },

	/* routes */
	{ OPTION_ROUTE, "host", OPTION_STRING, .max = 253, .def_text = "any",
	  MEMBER(route_settings, host),
	  .help = "a name, an address, or *.name for all names below it" },
	{ OPTION_ROUTE, "path", OPTION_STRING, .max = 1000, .def_text = "any",
	  MEMBER(route_settings, path),
	  .help = "how the path begins, by whole segments" },
	{ OPTION_ROUTE, "pool", OPTION_STRING, .def_text = "none",
	  MEMBER(route_settings, pool_name),
	  .help = "the pool that serves these requests" },
	{ OPTION_ROUTE, "redirect", OPTION_STRING, .max = 2000, .def_text = "none",
	  MEMBER(route_settings, redirect),
	  .help = "the URL they are sent to; {host}, {path} and {query} are the request's" },
	{ OPTION_ROUTE, "status", OPTION_INTEGER, .min = 301, .max = 308, .def_text = "302",
	  MEMBER(route_settings, status),
	  .help = "of the redirect: 301, 302, 303, 307 or 308" },
	{ OPTION_ROUTE, "answer", OPTION_SECTION, .inner = OPTION_ANSWER, .optional = true,
	  MEMBER(route_settings, answer),
	  .help = "how they are answered without a backend" },

	/* answers */
	{ OPTION_ANSWER, "status", OPTION_INTEGER, .min = 200, .max = 599, .def = "200",
	  MEMBER(answer_settings, status),
	  .help = "any but 3xx" },
	{ OPTION_ANSWER, "type", OPTION_STRING, .max = 200, .def = "text/plain",
	  MEMBER(answer_settings, type),
	  .help = "the Content-Type of the body" },
	{ OPTION_ANSWER, "body", OPTION_STRING, .max = ANSWER_BODY_MAX, .def_text = "none",
	  MEMBER(answer_settings, body),
	  .help = "its text" },

	/* pools */
	{ OPTION_POOL, "name", OPTION_STRING, .required = true,
	  MEMBER(pool_settings, name),
	  .help = "what listeners call it" },
	{ OPTION_POOL, "balance", OPTION_CHOICE, .choices = balance_choices, .def = "random",
	  MEMBER(pool_settings, balance),
	  .help = "how a backend is chosen for each request" },
	{ OPTION_POOL, "hash_on", OPTION_STRING, .def = "client", .check = hash_on_check,
	  MEMBER(pool_settings, hash_on),
	  .help = "for hash, what goes to the same backend: client, path, header:NAME, cookie:NAME" },
	{ OPTION_POOL, "hash_key", OPTION_STRING, .def_text = "none", .check = key_option_check,
	  MEMBER(pool_settings, hash_key),
	  .help = "for hash, a secret that hides what goes to which backend" },
	{ OPTION_POOL, "sticky", OPTION_SECTION, .inner = OPTION_STICKY,
	  MEMBER(pool_settings, sticky),
	  .help = "for sticky, how clients are known again" },
	{ OPTION_POOL, "host", OPTION_CHOICE, .choices = host_choices, .def_text = "the top level's",
	  MEMBER(pool_settings, host),
	  .help = "as at the top level, for this pool" },
	{ OPTION_POOL, "upgrade", OPTION_PROTOCOLS, .def_text = "any",
	  MEMBER(pool_settings, upgrade),
	  .help = "protocols that clients may switch to by Upgrade; []: none" },
	{ OPTION_POOL, "via", OPTION_CHOICE, .choices = via_choices, .def_text = "the top level's",
	  MEMBER(pool_settings, via),
	  .help = "as at the top level, for this pool" },
	{ OPTION_POOL, "panic", OPTION_INTEGER, .min = 0, .max = 100, .def = "50",
	  MEMBER(pool_settings, panic),
	  .help = "percent of a group that must be well, or others are taken; 0: any" },
	{ OPTION_POOL, "check", OPTION_SECTION, .inner = OPTION_CHECK,
	  MEMBER(pool_settings, check),
	  .help = "how backends are asked whether they are well" },
	{ OPTION_POOL, "eject", OPTION_SECTION, .inner = OPTION_EJECT,
	  MEMBER(pool_settings, eject),
	  .help = "when a backend that fails requests gets none for a while" },
	{ OPTION_POOL, "slow_start", OPTION_DURATION, .min = 0, .max = HOUR, .def = "10s",
	  MEMBER(pool_settings, slow_start),
	  .help = "in which a backend that is back, or new, gets its full share; 0s: at once" },
	{ OPTION_POOL, "resolve", OPTION_DURATION, .min = 0, .max = 24 * HOUR, .def = "30s",
	  MEMBER(pool_settings, resolve),
	  .help = "how often names are looked up again; 0s: never" },
	{ OPTION_POOL, "retry", OPTION_SECTION, .inner = OPTION_RETRY,
	  MEMBER(pool_settings, retry),
	  .help = "when a request is sent again" },
	{ OPTION_POOL, "queue", OPTION_INTEGER, .min = 0, .max = 1000000, .def = "128",
	  MEMBER(pool_settings, queue),
	  .help = "requests that may wait while every backend is full; 0: none" },
	{ OPTION_POOL, "backends", OPTION_LIST, .inner = OPTION_BACKEND, .required = true,
	  MEMBER(pool_settings, backends), .item_size = sizeof(struct backend_settings),
	  .count_offset = offsetof(struct pool_settings, backend_count),
	  .help = "the servers that requests go to" },

	/* checks of backends */
	{ OPTION_CHECK, "type", OPTION_CHOICE, .choices = check_choices, .def = "off",
	  MEMBER(check_settings, type),
	  .help = "a connection, or a request" },
	{ OPTION_CHECK, "method", OPTION_CHOICE, .choices = method_choices, .def = "GET",
	  MEMBER(check_settings, method),
	  .help = "the method of the request" },
	{ OPTION_CHECK, "path", OPTION_STRING, .max = 1000, .fault = check_option_path_fault,
	  .def = "/",
	  MEMBER(check_settings, path),
	  .help = "its path, behind that of the backend's URL" },
	{ OPTION_CHECK, "host", OPTION_STRING, .max = 261, .fault = check_option_host_fault,
	  .def_text = "the backend's",
	  MEMBER(check_settings, host),
	  .help = "its Host" },
	{ OPTION_CHECK, "status", OPTION_STRING, .fault = check_option_status_fault, .def = "200-399",
	  MEMBER(check_settings, status),
	  .help = "the status, or the first and the last, that are good" },
	{ OPTION_CHECK, "body", OPTION_STRING, .def_text = "any",
	  MEMBER(check_settings, body),
	  .help = "a text that must be in the first 64 KiB of the body" },
	{ OPTION_CHECK, "interval", OPTION_DURATION, .min = 10, .max = HOUR, .def = "2s",
	  MEMBER(check_settings, interval),
	  .help = "from one check of a backend to the next" },
	{ OPTION_CHECK, "fast_interval", OPTION_DURATION, .min = 10, .max = HOUR, .def = "500ms",
	  MEMBER(check_settings, fast_interval),
	  .help = "the same while results differ from its state" },
	{ OPTION_CHECK, "timeout", OPTION_DURATION, .min = 1, .max = HOUR, .def = "1s",
	  MEMBER(check_settings, timeout),
	  .help = "for one check" },
	{ OPTION_CHECK, "rise", OPTION_INTEGER, .min = 1, .max = 100, .def = "2",
	  MEMBER(check_settings, rise),
	  .help = "checks passed in a row that bring a backend back" },
	{ OPTION_CHECK, "fall", OPTION_INTEGER, .min = 1, .max = 100, .def = "3",
	  MEMBER(check_settings, fall),
	  .help = "checks failed in a row that take it out" },

	/* failures of requests */
	{ OPTION_EJECT, "failures", OPTION_INTEGER, .min = 0, .max = 10000, .def = "5",
	  MEMBER(eject_settings, failures),
	  .help = "in a row, over all workers, that eject a backend; 0: none do" },
	{ OPTION_EJECT, "on_5xx", OPTION_BOOLEAN, .def = "false",
	  MEMBER(eject_settings, on_5xx),
	  .help = "answers of 500 and more are failures too" },
	{ OPTION_EJECT, "time", OPTION_DURATION, .min = 100, .max = 24 * HOUR, .def = "10s",
	  MEMBER(eject_settings, time),
	  .help = "for how long at first; doubles each time" },
	{ OPTION_EJECT, "time_max", OPTION_DURATION, .min = 100, .max = 24 * HOUR, .def = "5m",
	  MEMBER(eject_settings, time_max),
	  .help = "for how long at the most" },
	{ OPTION_EJECT, "most", OPTION_INTEGER, .min = 0, .max = 100, .def = "50",
	  MEMBER(eject_settings, most),
	  .help = "percent of a pool that may be ejected at one time" },
	/* retries */
	{ OPTION_RETRY, "attempts", OPTION_INTEGER, .min = 1, .max = RETRY_ATTEMPTS_MAX, .def = "3",
	  MEMBER(retry_settings, attempts),
	  .help = "backends that a request is tried on in all" },
	{ OPTION_RETRY, "on_status", OPTION_STATUSES, .def_text = "none",
	  MEMBER(retry_settings, on_status),
	  .help = "answers after which another backend is asked" },
	{ OPTION_RETRY, "budget", OPTION_INTEGER, .min = 0, .max = 100, .def = "20",
	  MEMBER(retry_settings, budget),
	  .help = "percent of the requests that may be retries" },
	{ OPTION_RETRY, "budget_rate", OPTION_INTEGER, .min = 0, .max = 1000000, .def = "10",
	  MEMBER(retry_settings, budget_rate),
	  .help = "retries a second that are allowed besides" },
	/* sticky */
	{ OPTION_STICKY, "cookie", OPTION_STRING, .def = "tinylb", .check = field_name_check_cookie,
	  MEMBER(sticky_settings, cookie),
	  .help = "the name of the cookie" },
	{ OPTION_STICKY, "key", OPTION_STRING, .def_text = "made at start",
	  .check = key_option_check,
	  MEMBER(sticky_settings, key),
	  .help = "what cookies are signed with" },

	/* backends */
	{ OPTION_BACKEND, "url", OPTION_URL, .required = true,
	  MEMBER(backend_settings, url_text),
	  .help = "http://host[:port][/path] or unix:/path" },
	{ OPTION_BACKEND, "weight", OPTION_INTEGER, .min = 0, .max = 256, .def = "1",
	  MEMBER(backend_settings, weight),
	  .help = "its share of the requests beside the others; 0: none" },
	{ OPTION_BACKEND, "priority", OPTION_INTEGER, .min = 0, .max = SETTINGS_PRIORITY_MAX,
	  .def = "0",
	  MEMBER(backend_settings, priority),
	  .help = "lower ones serve first, higher ones when too few of them are well" },
	{ OPTION_BACKEND, "backup", OPTION_BOOLEAN, .def = "false",
	  MEMBER(backend_settings, backup),
	  .help = "serves when too few of all others are well" },
	{ OPTION_BACKEND, "drain", OPTION_BOOLEAN, .def = "false",
	  MEMBER(backend_settings, drain),
	  .help = "gets no new requests" },
	{ OPTION_BACKEND, "addresses", OPTION_CHOICE, .choices = spread_choices, .def = "first",
	  MEMBER(backend_settings, spread),
	  .help = "of a name: tried in turn, or each a backend of its own" },
	{ OPTION_BACKEND, "max_requests", OPTION_INTEGER, .min = 0, .max = 1000000, .def = "0",
	  MEMBER(backend_settings, max_requests),
	  .help = "that it has at a time, of all workers; 0: any number" },
	{ OPTION_BACKEND, "max_connections", OPTION_INTEGER, .min = 0, .max = 1000000,
	  .def = "0",
	  MEMBER(backend_settings, max_connections),
	  .help = "to it, idle ones too, of all workers; 0: any number" },
};
/* clang-format on */

const size_t option_count = sizeof option_table / sizeof option_table[0];

const struct option *option_find(enum option_scope scope, const char *name)
{
	assert(name != NULL);
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].scope == scope && strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	return NULL;
}

const char *option_scope_path(enum option_scope scope)
{
	static const char *const paths[OPTION_SCOPES] = {
		[OPTION_TOP] = "",
		[OPTION_TIMEOUTS] = "timeouts.",
		[OPTION_LIMITS] = "limits.",
		[OPTION_RELOAD] = "reload.",
		[OPTION_LISTENER] = "listeners.",
		[OPTION_ROUTE] = "listeners.routes.",
		[OPTION_ANSWER] = "listeners.routes.answer.",
		[OPTION_POOL] = "pools.",
		[OPTION_CHECK] = "pools.check.",
		[OPTION_EJECT] = "pools.eject.",
		[OPTION_RETRY] = "pools.retry.",
		[OPTION_STICKY] = "pools.sticky.",
		[OPTION_BACKEND] = "pools.backends.",
	};

	assert(scope < OPTION_SCOPES);
	return paths[scope];
}

bool option_is_array(enum option_type type)
{
	return type == OPTION_NETWORKS || type == OPTION_STATUSES || type == OPTION_PROTOCOLS;
}

const char *option_type_name(enum option_type type)
{
	static const char *const names[] = {
		[OPTION_INTEGER] = "integer",
		[OPTION_BOOLEAN] = "boolean",
		[OPTION_STRING] = "string",
		[OPTION_CHOICE] = "choice",
		[OPTION_DURATION] = "duration",
		[OPTION_SIZE] = "size",
		[OPTION_PATH] = "path",
		[OPTION_USER] = "user",
		[OPTION_GROUP] = "group",
		[OPTION_ADDRESS] = "address",
		[OPTION_URL] = "url",
		[OPTION_NETWORKS] = "networks",
		[OPTION_STATUSES] = "statuses",
		[OPTION_PROTOCOLS] = "protocols",
		[OPTION_SECTION] = "section",
		[OPTION_LIST] = "list",
	};

	assert(type <= OPTION_LIST);
	return names[type];
}

const char *option_default_text(const struct option *option)
{
	if (option->def != NULL)
		return option->def;
	if (option->required)
		return "required";
	return option->def_text != NULL ? option->def_text : "-";
}
