/* The resolver's process: when it is started, what it answers, and when it is given up. */
#include "config.h"

#include "names.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "resolver.h"
#include "settings/lookup.h"

/* The time for all names of one look-up. Names without an answer come first the next time. */
#define LOOKUP_MOST_US UINT64_C(30000000)

/* Without memory a look-up is tried again so much later. */
#define MEMORY_PAUSE_US UINT64_C(1000000)

static uint64_t now_us(const struct names *names)
{
	return names->watch->loop.now_us;
}

static void set_timer(struct names *names, uint64_t due_us)
{
	struct timeval timeout = watch_timeout(names->watch, due_us);

	names->due_us = due_us;
	if (event_add(&names->timer, &timeout) == -1)
		log_warnx("no memory for a timer: names are not looked up any more");
	watch_note_due(names->watch, due_us);
}

/* Writes addresses where all processes see them, and tells the targets that have them. */
static void apply(
	struct names *names, const struct name *name, const struct resolver_answer *answer)
{
	for (size_t i = 0; i < name->head_count; i++) {
		const struct backend_settings *head = name->heads[i];

		lookup_apply(head, answer->list, (uint32_t)answer->count);
		for (unsigned k = 0; k < lookup_places(head); k++) {
			struct target *t = targets_find(names->targets, head[k].row);

			if (t != NULL)
				target_look_up(t);
		}
	}
}

static void take(struct names *names, const struct resolver_answer *answer)
{
	bool is_found = answer->count != -1;

	name_list_take(&names->list, answer->number, is_found ? NULL : answer->why);
	if (is_found)
		apply(names, &names->list.names[answer->number], answer);
}

/* The look-up under way is over, whether all names have an answer or not. */
static void end(struct names *names, const char *why)
{
	assert(names->pid != 0);
	event_del(&names->readable);
	fd_close(&names->pipe);
	resolver_end(names->pid);
	names->pid = 0;
	names->len = 0;
	name_list_end(&names->list, why, &names->watch->rng, now_us(names));
	set_timer(names, name_list_due(&names->list));
}

static void readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct names *names = arg;
	ssize_t n;

	(void)what;
	loop_begin(&names->watch->loop, PULSE_RESPONSE, fd);
	n = read(fd, (char *)names->answer + names->len, sizeof *names->answer - names->len);
	if (n > 0)
		names->len += (size_t)n;
	if (names->len == sizeof *names->answer) {
		names->len = 0;
		if (resolver_is_sound(names->answer, names->list.count))
			take(names, names->answer);
		else
			n = 0;
	}
	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		end(names, "the process that looks it up has failed");
}

static void start_resolver(struct names *names, const char **hosts, uint32_t *numbers)
{
	size_t n = name_list_ask(&names->list, now_us(names), hosts, numbers);
	pid_t pid = resolver_start(names->settings, hosts, numbers, n, &names->pipe);

	if (pid == -1)
		log_warn("cannot look up names");
	else if (event_assign(&names->readable, names->watch->loop.base, names->pipe,
			 EV_READ | EV_PERSIST, readable_cb, names) == 0)
		(void)event_add(&names->readable, NULL);
	names->pid = pid == -1 ? 0 : pid;
}

static void look_up(struct names *names)
{
	size_t count = names->list.count;
	const char **hosts = mem_zalloc(count, sizeof(char *));
	uint32_t *numbers = mem_zalloc(count, sizeof *numbers);

	assert(names->pid == 0);
	if (hosts == NULL || numbers == NULL) {
		set_timer(names, now_us(names) + MEMORY_PAUSE_US);
	} else {
		start_resolver(names, hosts, numbers);
		set_timer(names, now_us(names) + LOOKUP_MOST_US);
	}
	mem_free(hosts);
	mem_free(numbers);
}

static void timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct names *names = arg;

	(void)what;
	loop_begin(&names->watch->loop, PULSE_DEADLINES, fd);
	if (names->pid != 0)
		end(names, "no answer in time");
	else
		name_list_ask_again(&names->list, now_us(names));
	/* A timer may come a little early. */
	if (names->due_us <= now_us(names))
		look_up(names);
	else
		set_timer(names, names->due_us);
}

int names_init(struct names *names, struct watch *watch, const struct settings *settings,
	const struct targets *targets)
{
	*names = (struct names){
		.watch = watch, .settings = settings, .targets = targets, .pipe = -1
	};
	if (name_list_init(&names->list, settings) == -1 ||
		evtimer_assign(&names->timer, watch->loop.base, timer_cb, names) == -1)
		return -1;
	if (names->list.count == 0)
		return 0;
	names->answer = mem_zalloc(1, sizeof *names->answer);
	if (names->answer == NULL)
		return -1;
	name_list_begin(&names->list, &watch->rng, now_us(names));
	set_timer(names, name_list_due(&names->list));
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
	name_list_fini(&names->list);
	mem_free(names->answer);
}
