/*
 * One worker from its start to its end: it binds what is not bound yet, gives duplicates to the
 * master, gives up privileges, listens last of all, and turns its loop until it has drained.
 */
#include "config.h"

#include "worker/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "acceptor.h"
#include "base/channel.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/privilege.h"
#include "bind_sockets.h"
#include "drain.h"
#include "passing.h"
#include "sandbox.h"
#include "start_failure.h"
#include "worker_state.h"

/* Descriptors that are neither a client's nor a backend connection's. */
#define OTHER_FDS 64

struct worker {
	struct worker_start *start; /* borrowed */
	enum worker_state state;
	struct loop loop;
	struct proxy *proxy;
	struct acceptors acceptors;
	struct passing passing;
	struct event told; /* the master sent a message */
	struct event stop; /* TERM */
	struct event quit; /* QUIT */
	struct drain drain;
	int reserve; /* a descriptor to close when the master sends one; -1: none */
};

/* Begins to drain, unless that has begun. */
static void drain(struct worker *w, enum drain_reason reason)
{
	if (w->state == WORKER_DRAINING)
		return;
	worker_state_set(&w->state, WORKER_DRAINING);
	drain_start(&w->drain, reason);
}

/* A client has left. */
static void left(void *context)
{
	struct worker *w = context;

	passing_left(&w->passing);
	acceptors_left(&w->acceptors);
}

static void take_log(struct worker *w, uint32_t type, int fd)
{
	if (fd == -1)
		log_warnx("no descriptor is left for a reopened log: the old one goes on");
	else if (type == MESSAGE_REOPEN_LOG)
		log_take_fd(fd);
	else
		proxy_take_access_log(w->proxy, fd);
}

/* A worker whose clients have all its descriptors must still be able to take a log. */
static void keep_reserve(struct worker *w)
{
	w->reserve = fcntl(w->start->channel, F_DUPFD_CLOEXEC, 0);
}

static void tell_released(struct worker *w, uint32_t id)
{
	struct message m = { .type = MESSAGE_RELEASED, .id = id };

	/* A master that does not get the message finds out by itself. */
	if (channel_send(w->start->channel, &m, -1) == -1)
		log_debug("cannot tell the master that a socket was released");
}

/* Takes the socket of a worker that does not accept at present. Without another descriptor for the
 * reserve this worker could accept nothing from it, and releases it. */
static void take_stand_in(struct worker *w, const struct message *m, int fd)
{
	bool fine = fd != -1 && w->state == WORKER_RUNNING &&
		    m->number < w->start->settings->listener_count;

	keep_reserve(w);
	if (fine && w->reserve != -1 &&
		acceptors_stand_in(&w->acceptors, fd, m->number, m->id) == 0)
		return;
	fd_close(&fd);
	tell_released(w, m->id);
}

/* Nothing more is passed: the master can find what was passed to siblings that are gone. */
static void tell_passed(struct worker *w)
{
	struct message m = { .type = MESSAGE_PASSED };

	if (channel_send(w->start->channel, &m, -1) == -1)
		log_debug("cannot tell the master that nothing is passed any more");
}

static void obey(struct worker *w, const struct message *m, int fd)
{
	switch (m->type) {
	case MESSAGE_DRAIN:
		drain(w, m->number);
		tell_passed(w);
		break;
	case MESSAGE_LAME_DUCK:
		proxy_close_after_response(w->proxy);
		break;
	case MESSAGE_PAUSE:
	case MESSAGE_RESUME:
		if (w->state == WORKER_RUNNING)
			acceptors_pause(&w->acceptors, m->type == MESSAGE_PAUSE);
		break;
	case MESSAGE_GONE:
		acceptors_keep(&w->acceptors, m->number);
		break;
	case MESSAGE_STAND_IN:
		take_stand_in(w, m, fd);
		break;
	case MESSAGE_RELEASE:
		acceptors_release(&w->acceptors, m->id);
		tell_released(w, m->id);
		break;
	case MESSAGE_REOPEN_LOG:
	case MESSAGE_REOPEN_ACCESS:
		take_log(w, m->type, fd);
		break;
	default:
		fd_close(&fd);
		break;
	}
}

static void listen_to_master(struct worker *w, int channel)
{
	struct message m;
	int fd;

	for (;;) {
		fd_close(&w->reserve);
		switch (channel_receive(channel, &m, &fd)) {
		case CHANNEL_MESSAGE:
			obey(w, &m, fd);
			break;
		case CHANNEL_EMPTY:
			keep_reserve(w);
			return;
		case CHANNEL_CLOSED:
			/* Without a master nothing would replace this worker, or stop it. */
			event_del(&w->told);
			if (w->state == WORKER_RUNNING)
				log_warnx("the master is gone: finishing what is in flight");
			drain(w, DRAIN_STOP);
			return;
		}
	}
}

static void told_cb(evutil_socket_t channel, short what, void *arg)
{
	struct worker *w = arg;

	(void)what;
	loop_begin(&w->loop, PULSE_ORDERS, -1);
	listen_to_master(w, channel);
}

static void stop_cb(evutil_socket_t signal, short what, void *arg)
{
	struct worker *w = arg;

	(void)signal;
	(void)what;
	loop_stop(&w->loop);
}

static void quit_cb(evutil_socket_t signal, short what, void *arg)
{
	struct worker *w = arg;

	(void)signal;
	(void)what;
	loop_begin(&w->loop, PULSE_ORDERS, -1);
	drain(w, DRAIN_STOP);
}

static int add_events(struct worker *w)
{
	struct event_base *base = w->loop.base;

	if (event_assign(&w->told, base, w->start->channel, EV_READ | EV_PERSIST, told_cb, w) ==
			-1 ||
		evsignal_assign(&w->stop, base, SIGTERM, stop_cb, w) == -1 ||
		evsignal_assign(&w->quit, base, SIGQUIT, quit_cb, w) == -1)
		return -1;
	if (event_add(&w->told, NULL) == -1 || evsignal_add(&w->stop, NULL) == -1)
		return -1;
	return evsignal_add(&w->quit, NULL);
}

/* Each client needs a descriptor, and a second one while it waits for a response. */
static size_t most_clients(const struct worker_start *start)
{
	size_t limit = fd_raise_limit(), others = OTHER_FDS + start->workers;
	size_t room = limit > 2 * others ? (limit - others) / 2 : limit / 4;
	size_t wanted = (size_t)start->settings->limits.connections;

	return wanted != 0 && wanted < room ? wanted : room;
}

static int make_proxy(struct worker *w)
{
	const struct worker_start *s = w->start;
	struct proxy_start start = {
		.loop = &w->loop,
		.settings = s->settings,
		.access_log = s->access_log,
		.most_clients = most_clients(s),
		.place = s->place,
		.rows = s->rows,
		.column = s->column,
		.workers = s->workers,
		.left = left,
		.context = w,
	};

	rng_seed(&start.rng, s->root_seed, s->slot, s->generation, s->respawn);
	w->proxy = proxy_new(&start);
	return w->proxy != NULL ? 0 : -1;
}

/* A terminal sends ^C to every process; the master decides what it means. */
static void settle_signals(void)
{
	static const int ignored[] = { SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE };

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		(void)signal(ignored[i], SIG_IGN);
}

static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* From now on the master sees this worker's pulse. */
static void show_life(struct worker *w)
{
	struct board_place *place = w->start->place;

	atomic_store_explicit(&place->pid, (uint32_t)getpid(), memory_order_relaxed);
	loop_show(&w->loop, &place->pulse);
}

static int set_up(struct worker *w)
{
	struct worker_start *start = w->start;
	const char *what;

	if (bind_sockets(start) == -1)
		return -1;
	if (privilege_drop(start->settings->user, start->settings->group, &what) == -1)
		return start_failure_tell(start, "cannot give up privileges:", what);
	keep_reserve(w);
	errno = ENOMEM;
	if (loop_init(&w->loop) == -1)
		return start_failure_tell(start, "cannot start", "");
	show_life(w);
	if (make_proxy(w) == -1 || add_events(w) == -1 ||
		passing_init(&w->passing, start, &w->loop, w->proxy) == -1 ||
		acceptors_init(&w->acceptors, start, &w->loop, w->proxy, &w->passing) == -1 ||
		drain_init(&w->drain, start, &w->loop, w->proxy, &w->acceptors) == -1)
		return start_failure_tell(start, "cannot start", "");
	/* One worker of a generation logs what the sandbox lacks. */
	(void)sandbox_enter(start->settings, start->slot == 0 && start->respawn == 0);
	return 0;
}

static int begin(struct worker *w)
{
	struct message ready = { .type = MESSAGE_READY };

	assert(w->state == WORKER_STARTING);
	if (acceptors_listen(&w->acceptors) == -1)
		return start_failure_tell(w->start, "cannot listen", "");
	passing_begin(&w->passing);
	if (channel_send(w->start->channel, &ready, -1) == -1)
		return -1;
	worker_state_set(&w->state, WORKER_RUNNING);
	unblock_signals();
	return 0;
}

/* Tells the master which requests end with this worker. */
static void tell_cut(const struct worker *w)
{
	size_t busy = proxy_busy_count(w->proxy);
	struct message cut = { .type = MESSAGE_CUT,
		.number = (uint32_t)busy,
		.id = (uint32_t)(proxy_client_count(w->proxy) - busy) };

	/* A master that is gone does not log it: this worker does. */
	if (proxy_client_count(w->proxy) > 0 && channel_send(w->start->channel, &cut, -1) == -1)
		log_notice("cut off: %zu requests under way", busy);
}

static void take_down(struct worker *w)
{
	assert(w->state == WORKER_ENDED);
	acceptors_close(&w->acceptors);
	passing_fini(&w->passing);
	proxy_free(w->proxy);
	event_del(&w->told);
	event_del(&w->stop);
	event_del(&w->quit);
	drain_fini(&w->drain);
	loop_fini(&w->loop);
	fd_close(&w->reserve);
}

int worker_run(struct worker_start *start)
{
	struct worker w = { .start = start, .reserve = -1 };

	settle_signals();
	if (set_up(&w) == -1 || begin(&w) == -1)
		return WORKER_EXIT_START;
	loop_run(&w.loop);
	worker_state_set(&w.state, WORKER_ENDED);
	tell_cut(&w);
	take_down(&w);
	return WORKER_EXIT_OK;
}
