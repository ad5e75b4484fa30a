/*
 * Whole exchanges: a real loop and a real proxy, clients and backends that say what the fuzzer
 * says, and a clock and a kernel in its hands. What backends hear must be well-formed requests, one
 * at a time; what clients hear well-formed answers, each to its own request; and when all is over,
 * nothing may be left. FUZZING says how an input is read.
 */
#include "config.h"

#include "kernel.h"
#include "world.h"

#define ESCAPE 0xff

/* All that one run may say in large pieces. */
#define BIG_MAX ((size_t)1024 * 1024)

/* Of one flush; what is longer goes out in larger pieces. */
#define PIECES_MAX 600

enum opcode {
	OP_CLIENT,  /* who speaks: the client in this place */
	OP_BACKEND, /* or the connection to a backend with this number */
	OP_FLUSH,   /* what was gathered is said; with 1 the loop stands still from then on */
	OP_SHUT,    /* the speaker ends its side */
	OP_CLOSE,   /* the speaker closes */
	OP_BIG,     /* the speaker adds many bytes: 256 times the next one, and 256 */
	OP_DEAF,    /* the speaker stops taking anything, or takes it again */
	OP_WAIT,    /* time passes */
	OP_DRAIN,   /* the worker is to end */
	OP_IDLE,    /* idle clients are to go, or make room */
	OP_REFUSE,  /* connecting to a backend is refused from now on, or no longer */
	OP_ASK,     /* the client adds a whole request with a token */
	OP_ANSWER,  /* the backend adds a whole answer with the token of its last request */
	OP_PIECES,  /* from now on all is said in pieces of this size; 0: at once */
	OP_BREAK,   /* the next bytes received are an error, or nobody answers the next connect, or
		     * there is no pipe */
	OP_LITERAL, /* the escape itself */
};

static struct play {
	struct input in;
	struct peer *speaker; /* NULL: what is said is lost */
	size_t piece;
	size_t big;
	size_t len;
	char said[1 << 17];
} play;

static void flush(void)
{
	size_t piece = play.piece;
	size_t len = play.len;

	play.len = 0;
	if (play.speaker == NULL || len == 0)
		return;
	if (piece == 0 || piece > len)
		piece = len;
	if (len / piece > PIECES_MAX)
		piece = len / PIECES_MAX;
	peer_say(play.speaker, play.said, len, piece);
}

static void add(const char *data, size_t len)
{
	if (len > sizeof play.said - play.len)
		flush();
	if (len > sizeof play.said)
		return;
	memcpy(play.said + play.len, data, len);
	play.len += len;
}

static void add_string(const char *text)
{
	add(text, strlen(text));
}

static void add_big(void)
{
	static char many[256 * 256];
	size_t len = 256 * (1 + (size_t)input_byte(&play.in));

	memset(many, 'x', sizeof many);
	if (play.big + len > (kernel.shorts || play.piece > 0 ? BIG_MAX / 128 : BIG_MAX))
		return;
	play.big += len;
	add(many, len);
}

#define END_OF_GET  " HTTP/1.1\r\nHost: a\r\n\r\n"
#define END_OF_POST " HTTP/1.1\r\nHost: a\r\nContent-Length: 19\r\n\r\n"
#define END_OF_PUT  " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n"

/* A token stands in the target, and in the body where there is one. */
static void ask(unsigned kind)
{
	static const char *const fronts[] = { "GET /", "POST /", "PUT /", "HEAD /" };
	static const char *const ends[] = {
		END_OF_GET,
		END_OF_POST,
		END_OF_PUT,
		END_OF_GET,
		" HTTP/1.0\r\n\r\n",
		END_OF_POST,
		END_OF_PUT,
		END_OF_GET,
		" HTTP/1.1\r\nHost: a\r\nAuthorization: NTLM a\r\n\r\n",
		" HTTP/1.1\r\nHost: a\r\nAuthorization: Negotiate a\r\nContent-Length: 19\r\n\r\n",
		END_OF_PUT,
		END_OF_GET,
	};
	char token[TOKEN_LEN];
	int client = play.speaker != NULL ? peer_number(play.speaker) : -1;

	if (client == -1 || token_new(client, token) == -1)
		return;
	add_string(fronts[kind % 4]);
	add(token, TOKEN_LEN);
	add_string(ends[kind % 12]);
	if (kind % 4 == 1 || kind % 4 == 2)
		add(token, TOKEN_LEN);
	if (kind % 4 == 2)
		add_string("\r\n0\r\n\r\n");
}

/* The token of what this connection was asked last. What only the beginning of a head asks is not
 * known. */
static bool last_token(char token[TOKEN_LEN])
{
	const struct talk *t = &play.speaker->talk;

	if (t->asked_count == 0 || t->asked[t->asked_count - 1].token == -1)
		return false;
	if (t->asking.place == PLACE_HEAD && t->asking.at < t->requests.len)
		return false;
	token_text(t->asked[t->asked_count - 1].token, token);
	return true;
}

static void answer(unsigned kind)
{
	static const char *const backs[] = {
		"\r\nContent-Length: 19\r\n\r\n",
		"\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n",
		"\r\nConnection: close\r\n\r\n",
		"\r\nContent-Length: 0\r\n\r\n",
	};
	char token[TOKEN_LEN];

	if (play.speaker == NULL || peer_number(play.speaker) != -1)
		return;
	flush();
	if (!last_token(token))
		return;
	if (kind / 4 % 2 == 1)
		add_string("HTTP/1.1 100 Continue\r\n\r\n");
	add_string(kind < 8 ? "HTTP/1.1 200 OK\r\nX-Token: "
			    : "HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nX-Token: ");
	add(token, TOKEN_LEN);
	add_string(backs[kind % 4]);
	if (kind % 4 < 3)
		add(token, TOKEN_LEN);
	if (kind % 4 == 1)
		add_string("\r\n0\r\n\r\n");
}

static void wait(unsigned which)
{
	static const unsigned short ms[16] = { 0, 1, 99, 500, 999, 1000, 2000, 2001, 4999, 5001,
		7000, 8001, 10001, 20001, 30001, 60000 };

	world_wait(ms[which]);
}

/* What is done to the speaker. */
static void do_to_speaker(enum opcode op)
{
	if (play.speaker == NULL)
		return;
	if (op == OP_SHUT)
		peer_shut(play.speaker);
	else if (op == OP_CLOSE)
		peer_close(play.speaker);
	else
		peer_deafen(play.speaker, !play.speaker->deaf);
}

static void make_idle_go(unsigned most)
{
	if (most == 15)
		(void)proxy_make_room(world.proxy);
	else if (most == 14)
		(void)proxy_spare_descriptor(world.proxy);
	else
		(void)proxy_dismiss_idle(world.proxy, most);
	world_settle();
}

/* Lets things pile up, so that they come in one turn of the loop, or lets go of them. */
static void hold(bool held)
{
	world.held = held;
	world_settle();
}

/* Who speaks, and what is done to the world. */
static void obey_flushed(enum opcode op, unsigned arg)
{
	flush();
	if (op == OP_FLUSH)
		hold(arg % 2 == 1);
	else if (op == OP_CLIENT)
		play.speaker = peer_client(arg);
	else if (op == OP_BACKEND)
		play.speaker = peer_backend(arg);
	else if (op == OP_SHUT || op == OP_CLOSE || op == OP_DEAF)
		do_to_speaker(op);
	else if (op == OP_WAIT)
		wait(arg);
	else if (op == OP_DRAIN)
		proxy_drain(world.proxy);
	else if (op == OP_IDLE)
		make_idle_go(arg);
	else if (op == OP_REFUSE)
		world_refuse(arg);
	else if (op == OP_PIECES)
		play.piece = arg;
	else if (op == OP_BREAK && arg % 4 == 0)
		kernel.broken = true;
	else if (op == OP_BREAK && arg % 4 == 2)
		kernel.poor = true;
	else if (op == OP_BREAK)
		kernel.lost = world.slow = true;
}

static void obey(unsigned code)
{
	static const char escape = (char)ESCAPE;
	enum opcode op = code & 15;
	unsigned arg = code >> 4;

	if (op == OP_BIG)
		add_big();
	else if (op == OP_ASK)
		ask(arg);
	else if (op == OP_ANSWER)
		answer(arg);
	else if (op == OP_LITERAL)
		add(&escape, 1);
	else
		obey_flushed(op, arg);
}

static void play_all(void)
{
	while (play.in.left > 0) {
		char c = (char)input_byte(&play.in);

		if ((unsigned char)c == ESCAPE)
			obey(input_byte(&play.in));
		else
			add(&c, 1);
	}
	flush();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	world_init();
	return 0;
}

/* The first three bytes: how the world is, which allocation fails, and what backends are picked. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned bits = input_byte(&in);
	unsigned fail = input_byte(&in);
	struct choice choice = {
		.settings = bits >> 4 & 3,
		.tight = bits & 2,
		.shorts = bits & 8,
		.splits = bits & 64,
		.fail = bits & 1 ? (long)fail : -1,
		.secret = fuzz_hash(data, size),
		.picks = input_byte(&in),
	};

	play.in = in;
	play.speaker = NULL;
	play.piece = play.big = play.len = 0;
	if (world_begin(&choice) == 0) {
		play_all();
		if (bits & 4)
			world_wait_for_silence();
	}
	world_end();
	return 0;
}
