/* Which names are due, what was found for them, and whether that is news. Names are looked up
 * together where they are due at about the same time, each once however many backends share it. */
#include "config.h"

#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "resolver.h"
#include "watch.h"

/* For all names of one look-up; those that are left come first the next time. */
#define LOOKUP_MOST_US UINT64_C(30000000)

/* A name without any address is looked up that often, where it is not more often anyhow. */
#define EMPTY_EVERY_US UINT64_C(2000000)

/* Who is due so soon is looked up with others. */
#define TOGETHER_US UINT64_C(1000000)

struct name {
	const struct backend_settings **heads; /* borrowed */
	size_t head_count;
	uint64_t interval_us;
	uint64_t due_us;
	bool asked; /* in the present look-up, and no answer yet */
	bool fails;
};

static uint64_t now_us(const struct names *names)
{
	return names->monitor->loop.now_us;
}

static const char *host_of(const struct name *name)
{
	return name->heads[0]->url.host;
}

static bool is_empty(const struct name *name)
{
	const struct backend_settings *head = name->heads[0];

	for (unsigned i = 0; i < lookup_places(head); i++)
		if (addresses_count(head[i].addresses) > 0)
			return false;
	return true;
}

static void plan(struct names *names, struct name *name)
{
	uint64_t pause = name->interval_us;

	if (is_empty(name) && pause > EMPTY_EVERY_US)
		pause = EMPTY_EVERY_US;
	name->due_us = now_us(names) + pause - pause / 10 +
		       rng_next(&names->monitor->rng) % (pause / 5 + 1);
}

static void set_timer(struct names *names, uint64_t due_us)
{
	uint64_t now = now_us(names), left = due_us > now ? due_us - now : 0;
	struct timeval timeout = { (time_t)(left / 1000000), (suseconds_t)(left % 1000000) };

	names->due_us = due_us;
	if (event_add(&names->timer, &timeout) == -1)
		log_warnx("no memory for a timer: names are not looked up any more");
	monitor_note_due(names->monitor, due_us);
}

static void wait_for_next(struct names *names)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < names->count; i++)
		if (names->list[i].due_us < due)
			due = names->list[i].due_us;
	set_timer(names, due);
}

static void fail(struct name *name, const char *why)
{
	if (!name->fails)
		log_warnx("the name %s cannot be looked up: %s%s", host_of(name), why,
			is_empty(name) ? "" : "; its addresses stay in use");
	name->fails = true;
}

static void apply(
	struct names *names, const struct name *name, const struct resolver_answer *answer)
{
	for (size_t i = 0; i < name->head_count; i++) {
		const struct backend_settings *head = name->heads[i];

		lookup_apply(head, answer->list, (uint32_t)answer->count);
		for (unsigned k = 0; k < lookup_places(head); k++) {
			struct target *w = monitor_target(names->monitor, head[k].row);

			if (w != NULL)
				target_look_up(w);
		}
	}
}

static void take(struct names *names, const struct resolver_answer *answer)
{
	struct name *name = &names->list[answer->number];

	name->asked = false;
	names->first = (answer->number + 1) % names->count;
	if (answer->count == -1) {
		fail(name, answer->why);
		return;
	}
	if (name->fails)
		log_notice("the name %s can be looked up again", host_of(name));
	name->fails = false;
	apply(names, name, answer);
}

/* The present look-up is over, for everybody or not. */
static void end(struct names *names, const char *why)
{
	event_del(&names->readable);
	fd_close(&names->pipe);
	resolver_end(names->pid);
	names->pid = 0;
	names->len = 0;
	for (size_t i = 0; i < names->count; i++) {
		struct name *name = &names->list[i];

		if (name->asked)
			fail(name, why);
		if (name->asked || name->due_us == 0)
			plan(names, name);
		name->asked = false;
	}
	wait_for_next(names);
}

static void readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct names *names = arg;
	ssize_t n;

	(void)what;
	loop_begin(&names->monitor->loop, PULSE_ANSWER, fd);
	n = read(fd, (char *)names->answer + names->len, sizeof *names->answer - names->len);
	if (n > 0)
		names->len += (size_t)n;
	if (names->len == sizeof *names->answer) {
		names->len = 0;
		if (resolver_is_sound(names->answer, names->count))
			take(names, names->answer);
		else
			n = 0;
	}
	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		end(names, "the process that looks it up has failed");
}

/* Writes who is due, and how many they are. */
static size_t collect(struct names *names, const char **hosts, uint32_t *numbers)
{
	uint64_t soon = now_us(names) + TOGETHER_US;
	size_t n = 0;

	for (size_t i = 0; i < names->count; i++) {
		size_t number = (names->first + i) % names->count;
		struct name *name = &names->list[number];

		if (name->due_us > soon)
			continue;
		name->asked = true;
		name->due_us = 0;
		hosts[n] = host_of(name);
		numbers[n++] = (uint32_t)number;
	}
	return n;
}

static void look_up(struct names *names)
{
	const char **hosts = mem_zalloc(names->count, sizeof(char *));
	uint32_t *numbers = mem_zalloc(names->count, sizeof *numbers);
	size_t n;

	if (hosts == NULL || numbers == NULL) {
		set_timer(names, now_us(names) + TOGETHER_US);
	} else {
		n = collect(names, hosts, numbers);
		names->pid = resolver_start(
			names->monitor->start->settings, hosts, numbers, n, &names->pipe);
		if (names->pid != -1 &&
			event_assign(&names->readable, names->monitor->loop.base, names->pipe,
				EV_READ | EV_PERSIST, readable_cb, names) == 0)
			(void)event_add(&names->readable, NULL);
		if (names->pid == -1)
			log_warn("cannot look up names");
		names->pid = names->pid == -1 ? 0 : names->pid;
		set_timer(names, now_us(names) + LOOKUP_MOST_US);
	}
	mem_free(hosts);
	mem_free(numbers);
}

static void timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct names *names = arg;
	bool is_late = false;

	(void)what;
	loop_begin(&names->monitor->loop, PULSE_DEADLINES, fd);
	for (size_t i = 0; i < names->count; i++)
		is_late |= names->list[i].due_us == 0;
	if (names->pid != 0)
		end(names, "no answer in time");
	else if (is_late) /* it could not be started */
		for (size_t i = 0; i < names->count; i++)
			names->list[i].due_us = now_us(names);
	if (names->pid == 0 && names->due_us <= now_us(names))
		look_up(names);
	else if (names->pid == 0)
		set_timer(names, names->due_us); /* it came a little early */
}

static bool is_wanted(const struct pool_settings *pool, const struct backend_settings *head)
{
	struct address ignored;

	return pool->resolve > 0 && head->ordinal == 0 && url_address(&head->url, &ignored) == -1 &&
	       /* What that means never changes (RFC 6761 6.3). */
	       strcasecmp(head->url.host, "localhost") != 0;
}

/* Names with the interval of their pool. Returns how many; `out` may be NULL. */
static size_t collect_all(const struct settings *settings, struct name *out)
{
	size_t n = 0;

	for (size_t p = 0; p < settings->pool_count; p++) {
		const struct pool_settings *pool = &settings->pools[p];

		for (size_t b = 0; b < pool->backend_count; b++) {
			if (!is_wanted(pool, &pool->backends[b]))
				continue;
			if (out != NULL) {
				*out[n].heads = &pool->backends[b];
				out[n].head_count = 1;
				out[n].interval_us = pool->resolve * 1000;
			}
			n++;
		}
	}
	return n;
}

static int compare(const void *a, const void *b)
{
	return strcmp(host_of(a), host_of(b));
}

/* Makes one of all with the same host. Their heads lie behind each other afterwards. */
static size_t join(struct name *list, size_t count, const struct backend_settings **heads)
{
	size_t names = 0;

	for (size_t i = 0; i < count; i++) {
		const struct backend_settings *head = *list[i].heads;

		heads[i] = head;
		if (names > 0 && strcmp(host_of(&list[names - 1]), head->url.host) == 0) {
			struct name *same = &list[names - 1];

			same->head_count++;
			if (list[i].interval_us < same->interval_us)
				same->interval_us = list[i].interval_us;
			continue;
		}
		list[names] = list[i];
		list[names++].heads = &heads[i];
	}
	return names;
}

static int make_list(struct names *names)
{
	const struct settings *settings = names->monitor->start->settings;
	size_t count = collect_all(settings, NULL);
	const struct backend_settings **found = mem_zalloc(count + 1, sizeof(void *));

	names->list = mem_zalloc(count + 1, sizeof *names->list);
	names->heads = mem_zalloc(count + 1, sizeof(void *));
	names->answer = count > 0 ? mem_zalloc(1, sizeof *names->answer) : NULL;
	if (found == NULL || names->list == NULL || names->heads == NULL ||
		(count > 0 && names->answer == NULL)) {
		mem_free(found);
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		names->list[i].heads = &found[i];
	(void)collect_all(settings, names->list);
	if (count > 1)
		qsort(names->list, count, sizeof *names->list, compare);
	names->count = join(names->list, count, names->heads);
	mem_free(found);
	return 0;
}

int names_init(struct names *names, struct monitor *monitor)
{
	*names = (struct names){ .monitor = monitor, .pipe = -1 };
	if (make_list(names) == -1 ||
		evtimer_assign(&names->timer, monitor->loop.base, timer_cb, names) == -1)
		return -1;
	for (size_t i = 0; i < names->count; i++) {
		names->list[i].fails = is_empty(&names->list[i]);
		plan(names, &names->list[i]);
	}
	if (names->count > 0)
		wait_for_next(names);
	return 0;
}

uint64_t names_due(const struct names *names)
{
	return names->due_us;
}

void names_fini(struct names *names)
{
	if (names->pid != 0) {
		event_del(&names->readable);
		fd_close(&names->pipe);
		resolver_end(names->pid);
	}
	event_del(&names->timer);
	mem_free(names->list);
	mem_free(names->heads);
	mem_free(names->answer);
}
