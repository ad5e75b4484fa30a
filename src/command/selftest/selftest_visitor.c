/*
 * One visitor: how it goes from request to request, and what it tells when one is over. What an
 * outcome is called is decided in selftest_tally.c, what an answer must be in selftest_probe.c.
 */
#include "config.h"

#include "selftest_visitor.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/address.h"

/* The longest that an answer may take. */
#define PATIENCE_US UINT64_C(10000000)

/* On one connection of a client that keeps it. */
#define REQUESTS_MAX 12

/* Between two requests of a client, at the most. */
#define PAUSE_US 4000

/* After one that was lost: what refuses connections must not be asked in a busy loop. */
#define PAUSE_LOST_US 50000

/* How long the balancer may take to close a connection that it was to close. */
#define CLOSE_US UINT64_C(2000000)

static void rest(struct visitor *v, uint32_t us)
{
	const struct timeval pause = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 };

	event_add(v->pause, &pause);
}

static void hang_up(struct visitor *v)
{
	if (v->bev != NULL)
		bufferevent_free(v->bev);
	v->bev = NULL;
	v->state = VISITOR_RESTS;
}

static void tell(const struct visitor *v, enum outcome outcome, const struct judgement *judgement)
{
	char buffer[256];
	struct text text = text_over(buffer, sizeof buffer);

	text_format(&text, "%s /selftest/%016" PRIx64 " on a %s connection (port %u) %s",
		v->probe.post ? "POST" : "GET", v->probe.token, v->keeps ? "kept" : "new", v->port,
		selftest_tally_text(outcome));
	if (judgement != NULL && judgement->status != 0)
		text_format(&text, ", status %d", judgement->status);
	if (judgement != NULL)
		text_format(&text, ": %s", judgement->why);
	text_format(&text, ", after %" PRIu64 " ms", (clock_us() - v->since_us) / 1000);
	v->shared->lost(v->shared->context, text_string(&text));
}

/* The request under way is over. */
static enum outcome conclude(
	struct visitor *v, const struct fate *fate, const struct judgement *judgement)
{
	enum outcome outcome = selftest_tally_outcome(fate);

	assert(v->tally != NULL);
	selftest_tally_add(v->tally, outcome, clock_us() - v->since_us);
	if (outcome != OUTCOME_RIGHT && outcome != OUTCOME_KILLED && outcome != OUTCOME_AWAY)
		tell(v, outcome, judgement);
	return outcome;
}

/* The request under way has no right answer: its connection is of no use any more. */
static void lose(struct visitor *v, enum ending how, const struct judgement *judgement)
{
	const struct fate fate = {
		.how = how,
		.began = evbuffer_get_length(bufferevent_get_input(v->bev)) > 0,
		.was_killed = v->was_killed,
		.was_warned = v->was_warned,
	};
	enum outcome outcome = conclude(v, &fate, judgement);

	hang_up(v);
	if (outcome == OUTCOME_AWAY)
		v->state = VISITOR_DONE;
	else
		rest(v, PAUSE_LOST_US);
}

static void be_answered(struct visitor *v, const struct judgement *judgement)
{
	const struct fate fate = { .how = ENDING_ANSWERED, .right = true };
	struct evbuffer *input = bufferevent_get_input(v->bev);

	assert(v->state == VISITOR_ASKS);
	(void)conclude(v, &fate, NULL);
	evbuffer_drain(input, evbuffer_get_length(input));
	v->since_us = clock_us();
	v->was_warned = false;
	if (v->probe.close || !judgement->keep_alive) {
		v->state = VISITOR_ENDS;
		return;
	}
	v->state = VISITOR_IDLE;
	rest(v, rng_below(&v->shared->rng, PAUSE_US));
}

static void read_cb(struct bufferevent *bev, void *arg)
{
	struct visitor *v = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(input);
	struct judgement judgement = { .why = "something follows an answer" };
	enum verdict verdict = VERDICT_WRONG;

	if (v->state == VISITOR_ASKS)
		verdict = selftest_probe_judge(&v->probe,
			slice_of((const char *)evbuffer_pullup(input, -1), len),
			&v->shared->scratch, &judgement);
	if (verdict == VERDICT_RIGHT)
		be_answered(v, &judgement);
	else if (verdict == VERDICT_WRONG)
		lose(v, ENDING_ANSWERED, &judgement);
}

static void event_cb(struct bufferevent *bev, short what, void *arg)
{
	struct visitor *v = arg;
	int error = EVUTIL_SOCKET_ERROR();

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		v->connected = true;
		/* Only now: before, the reader would hear of an error first. */
		if (bufferevent_enable(bev, EV_READ) == 0)
			return;
	}
	if (v->state == VISITOR_ASKS) {
		lose(v,
			v->connected         ? ENDING_CLOSED
			: error == ETIMEDOUT ? ENDING_LATE
					     : ENDING_REFUSED,
			NULL);
		return;
	}
	/* Without a request nothing is lost. */
	hang_up(v);
	event_del(v->pause);
	rest(v, rng_below(&v->shared->rng, PAUSE_US));
}

static void ask(struct visitor *v)
{
	struct visitor_shared *shared = v->shared;
	char buffer[PROBE_MAX];
	struct text text = text_over(buffer, sizeof buffer);

	assert(v->bev != NULL && v->left > 0);
	v->left--;
	v->probe = selftest_probe_make(shared->tokens++, rng_next(&shared->rng), v->left == 0);
	v->tally = shared->tally;
	v->state = VISITOR_ASKS;
	v->since_us = clock_us();
	selftest_probe_write(&text, &v->probe);
	if (bufferevent_write(v->bev, text.data, text.len) == -1)
		lose(v, ENDING_REFUSED, NULL);
}

/* Begins a connection. 0, or -1 with errno: this process lacks something, or the port is closed. */
static int begin(struct visitor *v)
{
	struct address a = { .len = sizeof a.u.in };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	a.u.in.sin_family = AF_INET;
	a.u.in.sin_port = htons(v->shared->port);
	a.u.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	v->bev = bufferevent_socket_new(v->shared->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (v->bev == NULL) {
		close(fd);
		return -1;
	}
	bufferevent_setcb(v->bev, read_cb, NULL, event_cb, v);
	v->connected = v->was_killed = false;
	v->was_warned = v->shared->stopping;
	v->left = v->keeps ? 2 + rng_below(&v->shared->rng, REQUESTS_MAX - 1) : 1;
	if (bufferevent_socket_connect(v->bev, &a.u.sa, (int)a.len) == -1)
		return -1;
	a.len = sizeof a.u.in;
	v->port = getsockname(fd, &a.u.sa, &a.len) == 0 ? address_port(&a) : 0;
	return 0;
}

static void tell_failure(struct visitor *v)
{
	char buffer[128];
	struct text text = text_over(buffer, sizeof buffer);

	text_format(
		&text, "this machine did not let a client have a connection: %s", strerror(errno));
	v->shared->lost(v->shared->context, text_string(&text));
	selftest_tally_add(v->shared->tally, OUTCOME_REFUSED, 0);
	hang_up(v);
	rest(v, PAUSE_LOST_US);
}

static void pause_over_cb(evutil_socket_t fd, short what, void *arg)
{
	struct visitor *v = arg;

	(void)fd;
	(void)what;
	if (v->shared->finishing) {
		hang_up(v);
		v->state = VISITOR_DONE;
	} else if (v->state == VISITOR_RESTS && begin(v) == -1) {
		tell_failure(v);
	} else {
		ask(v);
	}
}

void selftest_visitor_check(struct visitor *v, uint64_t now_us)
{
	uint64_t waited = now_us - v->since_us;

	if (v->state == VISITOR_ASKS && waited > PATIENCE_US) {
		lose(v, ENDING_LATE, NULL);
	} else if (v->state == VISITOR_ENDS && waited > CLOSE_US) {
		hang_up(v);
		rest(v, 0);
	}
}

int selftest_visitor_start(struct visitor *v, struct visitor_shared *shared, bool keeps)
{
	assert(shared->lost != NULL);
	v->shared = shared;
	v->keeps = keeps;
	v->pause = evtimer_new(shared->base, pause_over_cb, v);
	if (v->pause == NULL)
		return -1;
	rest(v, rng_below(&shared->rng, PAUSE_LOST_US));
	return 0;
}

void selftest_visitor_end(struct visitor *v)
{
	hang_up(v);
	if (v->pause != NULL)
		event_free(v->pause);
	v->pause = NULL;
}
