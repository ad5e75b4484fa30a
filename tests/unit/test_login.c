/* login.c: the schemes of credentials and challenges (RFC 9110 11.4, 11.6). */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "guard_fields.h"
#include "http/login.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct fields fields;

static bool is_found(const char *name, const char *value)
{
	char lines[256];

	(void)snprintf(lines, sizeof lines, "Date: x\r\n%s: %s\r\n\r\n", name, value);
	guard_parse_fields(&fields, lines);
	return login_is_offered(&fields) || login_is_tried(&fields);
}

static void test_schemes_that_hold_for_a_connection(void **state)
{
	static const char *const values[] = {
		"NTLM",
		"ntlm",
		"Nego2",
		"Basic realm=\"x\", nego2 YIIx",
		"Negotiate",
		"NEGOTIATE",
		"NTLM TlRMTVNTUAABAAAA",
		"Negotiate YIIJ==",
		"Negotiate\tYIIJ==",
		"Negotiate realm=\"x\"",
		"NTLM,Negotiate",
		"Negotiate , Basic",
		"Basic realm=\"x\", NTLM",
		"Basic realm=x,ntlm",
		"Digest nonce=\"a, \\\" b\", qop=auth, Negotiate",
		", , NTLM, ",
		"Basic, NTLM ,",
		/* malformed: it may be one */
		"Basic realm=\"x, NTLM",
		"Basic realm=\"x\\\", NTLM",
		"Basic realm=\"x\" NTLM, NTLM",
		"@, NTLM",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		assert_true(is_found("WWW-Authenticate", values[i]));
		assert_true(is_found("Authorization", values[i]));
		assert_false(is_found("Proxy-Authenticate", values[i]));
		assert_false(is_found("Proxy-Authorization", values[i]));
	}
}

static void test_other_schemes(void **state)
{
	static const char *const values[] = {
		"",
		",",
		"Basic",
		"Basic NTLM",
		"Bearer Negotiate",
		"Basic realm=\"NTLM\"",
		"Basic realm=\"x, NTLM\", charset=\"UTF-8\"",
		"Digest a=\"\\\", NTLM\"",
		"Digest ntlm=1",
		"Digest a=b, negotiate=1",
		"Digest a=b, negotiate = 1",
		"NTLMv2",
		"Nego",
		"NTL",
		"X-NTLM",
		"Negotiate2 YII=",
		"\"NTLM\"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		assert_false(is_found("WWW-Authenticate", values[i]));
		assert_false(is_found("Authorization", values[i]));
	}
}

static void test_each_field_counts(void **state)
{
	(void)state;
	guard_parse_fields(&fields,
		"WWW-Authenticate: Basic realm=x\r\nA: b\r\nwww-authenticate: NTLM\r\n\r\n");
	assert_true(login_is_offered(&fields));
	assert_false(login_is_tried(&fields));
	guard_parse_fields(&fields, "Authorization: Basic x\r\nAUTHORIZATION: NTLM\r\n\r\n");
	assert_false(login_is_offered(&fields));
	assert_true(login_is_tried(&fields));
	guard_parse_fields(&fields, "Authenticate: NTLM\r\n\r\n");
	assert_false(login_is_offered(&fields) || login_is_tried(&fields));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schemes_that_hold_for_a_connection),
		cmocka_unit_test(test_other_schemes),
		cmocka_unit_test(test_each_field_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
