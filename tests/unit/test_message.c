/* message.c: a copy says what the parsed message said, of bytes of its own, and takes no more
 * memory than its fields need. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guard.h"
#include "http/message.h"
#include "http/request.h"

static const struct head_limits limits = { 4096, FIELDS_MAX };
static struct request request;
static char head[4096];

static void parse(const char *input)
{
	size_t len = strlen(input);

	memcpy(head, input, len);
	assert_int_equal(request_parse(&request, head, len, 0, &limits), PARSE_DONE);
}

static void assert_slice(struct slice s, const char *text)
{
	assert_int_equal(s.len, strlen(text));
	assert_memory_equal(s.data, text, s.len);
}

static bool is_within(struct slice s, const char *from, size_t len)
{
	return s.data >= from && s.data + s.len <= from + len;
}

/* Copies the request that `head` holds, with its bytes, and makes those of before unreadable. */
static struct request *copy_request(char **bytes, size_t *len)
{
	struct request *copy;
	void *room = guard_room(message_request_size(&request));

	*len = request.head_len;
	*bytes = malloc(*len);
	assert_non_null(*bytes);
	memcpy(*bytes, head, *len);
	copy = message_copy_request(room, &request, head, *bytes);
	memset(head, '?', sizeof head);
	memset(&request, 0xa5, sizeof request);
	return copy;
}

static void test_a_copied_request_has_bytes_of_its_own(void **state)
{
	struct request *copy;
	char *bytes;
	size_t len;

	(void)state;
	parse("GET http://a.b:81/c HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
	      "Upgrade: WebSocket\r\nA:\r\n\r\n");
	copy = copy_request(&bytes, &len);
	assert_slice(copy->line, "GET http://a.b:81/c HTTP/1.1");
	assert_slice(copy->method_name, "GET");
	assert_slice(copy->target, "/c");
	assert_slice(copy->host, "a.b:81");
	assert_true(copy->upgrade);
	assert_int_equal(copy->method, METHOD_GET);
	assert_int_equal(copy->fields.count, 4);
	assert_slice(copy->fields.list[0].name, "Host");
	assert_slice(copy->fields.list[0].value, "h");
	assert_slice(copy->fields.list[3].name, "A");
	assert_slice(copy->fields.list[3].value, "");
	assert_true(is_within(copy->line, bytes, len) && is_within(copy->target, bytes, len));
	assert_true(is_within(copy->host, bytes, len));
	for (unsigned i = 0; i < copy->fields.count; i++) {
		assert_true(is_within(copy->fields.list[i].name, bytes, len));
		assert_true(is_within(copy->fields.list[i].value, bytes, len));
	}
	assert_ptr_equal(fields_find(&copy->fields, FIELD_UPGRADE), &copy->fields.list[2]);
	free(bytes);
}

/* What the parser made up stands in no head, and what is empty stands nowhere. */
static void test_what_is_not_of_the_head_stays(void **state)
{
	struct request *copy;
	char *bytes;
	size_t len;

	(void)state;
	parse("OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n");
	copy = copy_request(&bytes, &len);
	assert_slice(copy->target, "*");
	assert_false(copy->upgrade);
	free(bytes);
	parse("GET / HTTP/1.0\r\n\r\n");
	copy = copy_request(&bytes, &len);
	assert_slice(copy->target, "/");
	assert_slice(copy->host, "");
	assert_int_equal(copy->fields.count, 0);
	free(bytes);
}

/* As much as there is, and not as there could be. */
static void test_a_copy_is_as_large_as_its_fields(void **state)
{
	size_t none, one;

	(void)state;
	parse("GET / HTTP/1.0\r\n\r\n");
	none = message_request_size(&request);
	assert_int_equal(message_fields_size(&request.fields), offsetof(struct fields, list));
	parse("GET / HTTP/1.0\r\nAb: cde\r\n\r\n");
	one = message_request_size(&request);
	assert_int_equal(one - none, sizeof(struct field));
	assert_int_equal(none, offsetof(struct request, fields.list));
	assert_int_equal(message_fields_size(&request.fields),
		offsetof(struct fields, list) + sizeof(struct field) + 5);
}

/* Names and values go with the copy; and as they lie elsewhere none is one piece with its line. */
static void test_copied_fields_have_bytes_of_their_own(void **state)
{
	const struct fields *copy;
	void *room;
	size_t size;

	(void)state;
	parse("GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB: c d\r\nCookie: e=f\r\n\r\n");
	size = message_fields_size(&request.fields);
	room = malloc(size);
	assert_non_null(room);
	copy = message_copy_fields(room, &request.fields);
	memset(head, '?', sizeof head);
	memset(&request, 0xa5, sizeof request);
	assert_int_equal(copy->count, 4);
	assert_slice(copy->list[0].name, "Host");
	assert_slice(copy->list[0].value, "h");
	assert_slice(copy->list[1].name, "A");
	assert_slice(copy->list[1].value, "");
	assert_slice(copy->list[2].name, "B");
	assert_slice(copy->list[2].value, "c d");
	assert_slice(copy->list[3].name, "Cookie");
	assert_slice(copy->list[3].value, "e=f");
	for (unsigned i = 0; i < copy->count; i++) {
		assert_false(copy->list[i].plain);
		assert_true(is_within(copy->list[i].name, (const char *)copy, size));
		assert_true(is_within(copy->list[i].value, (const char *)copy, size));
	}
	assert_ptr_equal(fields_find(copy, FIELD_COOKIE), &copy->list[3]);
	free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_copied_request_has_bytes_of_its_own),
		cmocka_unit_test(test_what_is_not_of_the_head_stays),
		cmocka_unit_test(test_a_copy_is_as_large_as_its_fields),
		cmocka_unit_test(test_copied_fields_have_bytes_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
