/* field.c: the grammar of field sections (RFC 9112 5, RFC 9110 5) and hop-by-hop fields (7.6.1). */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "guard.h"
#include "http/field.h"

static struct fields fields;
static char room[65536];

/* "name=value|..." with a "!" before what is dropped; "partial", "bad" or "many". */
static const char *summary(const char *data, size_t len, unsigned max)
{
	struct text t = text_over(room, sizeof room);
	const char *why = "of the section before";
	bool too_many;
	long used;

	fields_init(&fields);
	used = fields_parse(&fields, guard_place(data, len), len, max, &why, &too_many);
	if (used == -1) {
		assert_non_null(why);
		return too_many ? "many" : "bad";
	}
	assert_null(why);
	if (used == 0)
		return "partial";
	assert_int_equal(used, len);
	for (unsigned i = 0; i < fields.count; i++) {
		text_add_slice(&t, fields.list[i].name);
		text_add_char(&t, '=');
		text_add_slice(&t, fields.list[i].value);
		text_add_char(&t, '|');
	}
	return text_string(&t);
}

static void test_grammar(void **state)
{
	static const struct {
		const char *input;
		const char *wanted;
	} cases[] = {
		{ "\r\n", "" },
		{ "A: b\r\n\r\n", "A=b|" },
		{ "A:b\r\n\r\n", "A=b|" },
		{ "A:\r\n\r\n", "A=|" },
		{ "A: \t \r\n\r\n", "A=|" },
		{ "A: \t b c\t \r\n\r\n", "A=b c|" },
		{ "A:  b\r\n\r\n", "A=b|" },
		{ "A:\t\tb\r\n\r\n", "A=b|" },
		{ "A: b \r\nC: d\t\r\n\r\n", "A=b|C=d|" },
		{ "A: b\r\na: c\r\n\r\n", "A=b|a=c|" },
		{ "A:: b\r\n\r\n", "A=: b|" },
		{ "!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n", "!#$%&'*+-.^_`|~09azAZ=x|" },
		{ "A: 12345678\x80\xff\tz\r\n\r\n", "A=12345678\x80\xff\tz|" },
		{ "A: a\tb\tc\td\te\tf\tg\th\ti\r\n\r\n", "A=a\tb\tc\td\te\tf\tg\th\ti|" },
		/* names: RFC 9110 5.1, RFC 9112 5.1 */
		{ ": b\r\n\r\n", "bad" },
		{ "A : b\r\n\r\n", "bad" },
		{ "A\t: b\r\n\r\n", "bad" },
		{ "A B: c\r\n\r\n", "bad" },
		{ "A(: b\r\n\r\n", "bad" },
		{ "A_(: b\r\n\r\n", "bad" },
		{ "\x80: b\r\n\r\n", "bad" },
		{ "A\r\n\r\n", "bad" },
		{ "A@b\r\n\r\n", "bad" },
		/* folding and blanks before a name: RFC 9112 2.2, 5.2 */
		{ " A: b\r\n\r\n", "bad" },
		{ "\tA: b\r\n\r\n", "bad" },
		{ "A: b\r\n c\r\n\r\n", "bad" },
		{ "A: b\r\n\tc\r\n\r\n", "bad" },
		{ "A: b\r\n \r\n\r\n", "bad" },
		/* line ends: RFC 9112 2.2 */
		{ "\n", "bad" },
		{ "A: b\n\r\n", "bad" },
		{ "A: b\r\n\n", "bad" },
		{ "A: b\rc\r\n\r\n", "bad" },
		{ "A: b\r\r\n\r\n", "bad" },
		{ "A: b\r\n\rB: c\r\n\r\n", "bad" },
		{ "A\r: b\r\n\r\n", "bad" },
		/* octets of values: RFC 9110 5.5 */
		{ "A: \x01\r\n\r\n", "bad" },
		{ "A: abcdefgh\x1f\r\n\r\n", "bad" },
		{ "A: abcdefgh\x7f\r\n\r\n", "bad" },
		{ "A: \x7f\r\n\r\n", "bad" },
		{ "A: b\x0b\r\n\r\n", "bad" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t len = strlen(cases[i].input);
		const char *wanted = cases[i].wanted;

		assert_string_equal(summary(cases[i].input, len, FIELDS_MAX), wanted);
		for (size_t part = 0; part < len; part++) {
			const char *got = summary(cases[i].input, part, FIELDS_MAX);

			if (strcmp(got, "partial") != 0)
				assert_string_equal(got, wanted);
		}
	}
	assert_string_equal(summary("A: b\0c\r\n\r\n", 10, FIELDS_MAX), "bad");
	assert_string_equal(summary("A\0: bc\r\n\r\n", 10, FIELDS_MAX), "bad");
	assert_string_equal(summary("A: 12345678\0c\r\n\r\n", 17, FIELDS_MAX), "bad");
}

/* RFC 9112 5.1: what stands as it would be written is copied whole; so it must be just that. */
static void test_plain_fields_stand_as_they_are_written(void **state)
{
	static const struct {
		const char *input;
		bool plain;
	} cases[] = {
		{ "A: b\r\n\r\n", true },
		{ "Long-Name: b c\td\r\n\r\n", true },
		{ "A_b: 0123456789\r\n\r\n", true },
		{ "A: !\r\n\r\n", true },
		{ "A:b\r\n\r\n", false },
		{ "A:bc\r\n\r\n", false },
		{ "A:  b\r\n\r\n", false },
		{ "A: \tb\r\n\r\n", false },
		{ "A:\tb\r\n\r\n", false },
		{ "A: b \r\n\r\n", false },
		{ "A: b\t\r\n\r\n", false },
		{ "A: \r\n\r\n", false },
		{ "A:\r\n\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_string_not_equal(
			summary(cases[i].input, strlen(cases[i].input), FIELDS_MAX), "bad");
		assert_int_equal(fields.list[0].plain, cases[i].plain);
	}
}

/* What the log says of it. */
static void test_what_is_wrong_is_named(void **state)
{
	static const char *const cases[][2] = {
		{ " A: b\r\n\r\n", "folded field line or blank before a field name" },
		{ "\tA: b\r\n\r\n", "folded field line or blank before a field name" },
		{ "A : b\r\n\r\n", "bad field name" },
		{ ": b\r\n\r\n", "bad field name" },
		{ "A(: b\r\n\r\n", "bad field name" },
		{ "A: b\n\r\n", "line ends with a bare LF" },
		{ "A: b\x01\r\n\r\n", "control character" },
		{ "A: b\rc\r\n\r\n", "bare CR" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *why;
		bool too_many;

		fields_init(&fields);
		assert_int_equal(
			fields_parse(&fields, cases[i][0], strlen(cases[i][0]), 9, &why, &too_many),
			-1);
		assert_string_equal(why, cases[i][1]);
		assert_false(too_many);
	}
}

/* Every octet in a name and in a value, short and long enough for the fast ways. */
static void test_every_octet(void **state)
{
	static const char tchars[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	(void)state;
	for (int c = 0; c < 256; c++) {
		for (size_t at = 0; at < 20; at++) {
			char name[] = "nnnnnnnnnnnnnnnnnnnn: v\r\n\r\n";
			char value[] = "n: vvvvvvvvvvvvvvvvvvvv\r\n\r\n";
			bool in_value = c == '\t' || (c >= ' ' && c != 0x7f);
			bool in_name = c != 0 && strchr(tchars, c) != NULL;

			if (c == ':' && at > 0)
				in_name = true;
			name[at] = (char)c;
			value[3 + at] = (char)c;
			assert_int_equal(
				strcmp(summary(name, sizeof name - 1, 9), "bad") != 0, in_name);
			assert_int_equal(
				strcmp(summary(value, sizeof value - 1, 9), "bad") != 0, in_value);
		}
	}
}

static void test_count(void **state)
{
	static const char three[] = "A: 1\r\nB: 2\r\nC: 3\r\n\r\n";
	char many[FIELDS_MAX * 6 + 16];
	struct text t = text_over(many, sizeof many);

	(void)state;
	assert_string_equal(summary(three, sizeof three - 1, 3), "A=1|B=2|C=3|");
	assert_string_equal(summary(three, sizeof three - 1, 2), "many");
	for (int i = 0; i < FIELDS_MAX + 1; i++)
		text_add_string(&t, "A: 1\r\n");
	text_add_string(&t, "\r\n");
	assert_false(t.overflow);
	/* the array is a limit of its own */
	assert_string_equal(summary(many, t.len, FIELDS_MAX + 1), "many");
}

static void test_ids(void **state)
{
	static const struct {
		const char *name;
		enum field_id id;
	} cases[] = {
		{ "Authorization", FIELD_AUTHORIZATION },
		{ "WWW-authenticate", FIELD_WWW_AUTHENTICATE },
		{ "WWW-Authenticatf", FIELD_OTHER },
		{ "Connection", FIELD_CONNECTION },
		{ "content-length", FIELD_CONTENT_LENGTH },
		{ "DATE", FIELD_DATE },
		{ "Expect", FIELD_EXPECT },
		{ "Forwarded", FIELD_FORWARDED },
		{ "hOST", FIELD_HOST },
		{ "HTTP2-Settings", FIELD_HTTP2_SETTINGS },
		{ "Keep-Alive", FIELD_KEEP_ALIVE },
		{ "Location", FIELD_LOCATION },
		{ "Content-Location", FIELD_LOCATION },
		{ "refresh", FIELD_LOCATION },
		{ "Set-Cookie", FIELD_SET_COOKIE },
		{ "Sec-Cookie", FIELD_OTHER },
		{ "Max-Forwards", FIELD_MAX_FORWARDS },
		{ "Proxy-Authenticate", FIELD_PROXY_AUTHENTICATE },
		{ "Proxy-Authorization", FIELD_PROXY_AUTHORIZATION },
		{ "Proxy-Connection", FIELD_PROXY_CONNECTION },
		{ "TE", FIELD_TE },
		{ "Trailer", FIELD_TRAILER },
		{ "Transfer-Encoding", FIELD_TRANSFER_ENCODING },
		{ "Upgrade", FIELD_UPGRADE },
		{ "Via", FIELD_VIA },
		{ "X-Forwarded-For", FIELD_X_FORWARDED_FOR },
		{ "X-Forwarded-Host", FIELD_X_FORWARDED_HOST },
		{ "X-Forwarded-Proto", FIELD_X_FORWARDED_PROTO },
		{ "X-Real-IP", FIELD_X_REAL_IP },
		{ "X-Request-ID", FIELD_X_REQUEST_ID },
		{ "X-Forwarded-Port", FIELD_X_FORWARDED_OTHER },
		{ "x-forwarded-p", FIELD_X_FORWARDED_OTHER },
		{ "X-FORWARDED-CLIENT-CERT-OF-ANY-LENGTH", FIELD_X_FORWARDED_OTHER },
		{ "X-Forwarded-Forr", FIELD_X_FORWARDED_OTHER },
		{ "X-Forwarded-", FIELD_X_FORWARDED_OTHER },
		{ "X-Forwarded", FIELD_X_FORWARDED_OTHER },
		{ "X-Forwarde", FIELD_OTHER },
		{ "X-Forwardedly", FIELD_OTHER },
		{ "Y-Forwarded-Port", FIELD_OTHER },
		{ "", FIELD_OTHER },
		{ "X", FIELD_OTHER },
		{ "Hos", FIELD_OTHER },
		{ "Hosts", FIELD_OTHER },
		{ "Hosu", FIELD_OTHER },
		{ "Accept", FIELD_OTHER },
		{ "Content-Lengti", FIELD_OTHER },
		{ "Proxy-Authorization-", FIELD_OTHER },
		{ "content\rlength", FIELD_OTHER },
		{ "content_length", FIELD_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t len = strlen(cases[i].name);

		assert_int_equal(
			field_id_of(slice_of(guard_place(cases[i].name, len), len)), cases[i].id);
	}
}

static void test_underscore_twins(void **state)
{
	static const char input[] = "X_Forwarded_For: 1\r\nX-Forwarded_Proto: 1\r\n"
				    "Content_Length: 1\r\nX_Real_IP: 1\r\nX_Forwarded_Port: 1\r\n"
				    "x_forwarded_anything_of_any_length: 1\r\nX_Other: 1\r\n"
				    "A_name_that_is_longer_than_all: 1\r\n_: 1\r\n"
				    "Proxy_Authenticate_: 1\r\nProxy_Authorization_: 1\r\n"
				    "Proxy_Authorization_x: 1\r\n\r\n";

	(void)state;
	assert_string_not_equal(summary(input, sizeof input - 1, 12), "bad");
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(fields.list[i].id, FIELD_TWIN);
	for (unsigned i = 6; i < 12; i++)
		assert_int_equal(fields.list[i].id, FIELD_OTHER);
	assert_null(fields_find(&fields, FIELD_CONTENT_LENGTH));
}

static void test_find(void **state)
{
	static const char input[] = "A: 1\r\nVia: 2\r\nHost: 3\r\nvia: 4\r\n\r\n";

	(void)state;
	assert_string_not_equal(summary(input, sizeof input - 1, 9), "bad");
	assert_ptr_equal(fields_find(&fields, FIELD_VIA), &fields.list[1]);
	assert_ptr_equal(fields_find(&fields, FIELD_HOST), &fields.list[2]);
	assert_null(fields_find(&fields, FIELD_DATE));
	assert_int_equal(fields.repeated, FIELD_BIT(FIELD_VIA));
}

/* Whether the list of all Connection fields has this element, in any case. */
static bool connection_has(const struct fields *f, const char *option)
{
	struct field_elements at = { 0 };
	struct slice element;

	while (fields_next_element(f, FIELD_CONNECTION, &at, &element))
		if (slice_equals_nocase(element, slice_of_string(option)))
			return true;
	return false;
}

static void test_elements(void **state)
{
	static const char input[] = "Connection: a, Keep-Alive\r\nX: close\r\n"
				    "connection: ,, UPGRADE ,\r\n\r\n";

	(void)state;
	assert_string_not_equal(summary(input, sizeof input - 1, 9), "bad");
	assert_true(connection_has(&fields, "keep-alive"));
	assert_true(connection_has(&fields, "upgrade"));
	assert_true(connection_has(&fields, "A"));
	assert_false(connection_has(&fields, "close"));
	assert_false(connection_has(&fields, "keep"));
	assert_string_equal(summary("X: close\r\n\r\n", 12, 9), "X=close|");
	assert_false(connection_has(&fields, "close"));
}

static void assert_dropped(unsigned i, bool dropped)
{
	assert_int_equal(fields.list[i].dropped, dropped);
}

static void test_hop_by_hop(void **state)
{
	static const char input[] =
		"X-Named: 1\r\nConnection: close, x-NAMED, Host, via\r\n"
		"Host: h\r\nConnection: X-Also,Content-Length,Date\r\n"
		"Content-Length: 4\r\nX-Also: 1\r\nX-Kept: 1\r\nVia: v\r\n"
		"Keep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\n"
		"Proxy-Connection: x\r\nTransfer-Encoding: x\r\nDate: d\r\n"
		"HTTP2-Settings: x\r\nProxy-Authorization: x\r\nX-named: 2\r\n\r\n";
	static const bool dropped[] = { true, true, false, true, false, true, false, false, true,
		true, true, true, true, false, true, true, true };

	(void)state;
	assert_string_not_equal(summary(input, sizeof input - 1, 20), "bad");
	fields_drop_hop_by_hop(&fields);
	assert_int_equal(fields.count, sizeof dropped / sizeof dropped[0]);
	for (unsigned i = 0; i < fields.count; i++)
		assert_dropped(i, dropped[i]);
}

/* A list that outlives its head does to trailers what the head's Connection would have done. */
static void test_named_list(void **state)
{
	static const char head[] = "Connection: close, X-Sum\r\nConnection: Host\r\n\r\n";
	static const char trailers[] = "x-sum: 1\r\nHost: h\r\nX-Other: 2\r\n\r\n";
	char list_room[64];
	struct text list = text_over(list_room, sizeof list_room);

	(void)state;
	assert_string_not_equal(summary(head, sizeof head - 1, 9), "bad");
	fields_write_named(&fields, &list);
	assert_string_equal(text_string(&list), "close, X-Sum,Host");
	assert_string_not_equal(summary(trailers, sizeof trailers - 1, 9), "bad");
	fields_drop_listed(&fields, text_slice(&list));
	assert_dropped(0, true);
	assert_dropped(1, false);
	assert_dropped(2, false);
}

/* The struct is shared by many messages (field.h): nothing of the one before is seen. */
static void test_a_section_before_is_forgotten(void **state)
{
	static const char before[] = "A: 1\r\nConnection: gone\r\nX: 2\r\n\r\n";
	static const char input[] = "Connection: close\r\n\r\n";
	char list_room[64];
	struct text list = text_over(list_room, sizeof list_room);

	(void)state;
	assert_string_not_equal(summary(before, sizeof before - 1, 9), "bad");
	assert_string_equal(summary(input, sizeof input - 1, 9), "Connection=close|");
	assert_false(connection_has(&fields, "gone"));
	assert_true(connection_has(&fields, "close"));
	assert_int_equal(fields.repeated, 0);
	fields_write_named(&fields, &list);
	assert_string_equal(text_string(&list), "close");
	assert_string_not_equal(summary("A: 1\r\n\r\n", 8, 9), "bad");
	assert_false(connection_has(&fields, "close"));
	assert_false(connection_has(&fields, "gone"));
	assert_null(fields_find(&fields, FIELD_CONNECTION));
}

/* With as many fields as there may be nothing is looked at behind the last one. */
static void test_a_full_section_has_no_more(void **state)
{
	struct fields *full = (struct fields *)(void *)guard_room(sizeof *full);
	char many[FIELDS_MAX * 15 + 2], list_room[FIELDS_MAX * 3];
	struct text t = text_over(many, sizeof many);
	struct text list = text_over(list_room, sizeof list_room);
	const char *why;
	bool too_many;

	(void)state;
	for (int i = 0; i < FIELDS_MAX; i++)
		text_add_string(&t, "Connection: a\r\n");
	text_add_string(&t, "\r\n");
	fields_init(full);
	assert_int_equal(fields_parse(full, many, t.len, FIELDS_MAX, &why, &too_many), (long)t.len);
	assert_int_equal(full->count, FIELDS_MAX);
	assert_false(connection_has(full, "close"));
	assert_true(connection_has(full, "a"));
	fields_write_named(full, &list);
	assert_int_equal(list.len, 2 * FIELDS_MAX - 1);
	fields_drop_listed(full, slice_of_string("b"));
	fields_drop_hop_by_hop(full);
	for (unsigned i = 0; i < FIELDS_MAX; i++)
		assert_true(full->list[i].dropped);
}

static void test_token(void **state)
{
	(void)state;
	assert_true(field_is_token(slice_of_string("a_B-9")));
	assert_false(field_is_token(slice_of_string("")));
	assert_false(field_is_token(slice_of_string("a b")));
	assert_false(field_is_token(slice_of_string("a,")));
	assert_false(field_is_token(slice_of_string("\xe4")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_plain_fields_stand_as_they_are_written),
		cmocka_unit_test(test_what_is_wrong_is_named),
		cmocka_unit_test(test_every_octet),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_underscore_twins),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_hop_by_hop),
		cmocka_unit_test(test_named_list),
		cmocka_unit_test(test_a_section_before_is_forgotten),
		cmocka_unit_test(test_a_full_section_has_no_more),
		cmocka_unit_test(test_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
