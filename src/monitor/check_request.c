/* The connection is closed after each check, so that a check tries a new connection each time. */
#include "config.h"

#include "check_request.h"

#include <assert.h>
#include <string.h>

static const char *method_name(const struct check_settings *check)
{
	static const char *const names[] = {
		[CHECK_GET] = "GET",
		[CHECK_HEAD] = "HEAD",
		[CHECK_OPTIONS] = "OPTIONS",
	};

	return names[check->method];
}

bool check_request_write(struct text *out, const struct backend_settings *backend,
	const struct check_settings *check)
{
	const char *path = backend->url.path;
	size_t len = strlen(path);

	assert(out->len == 0);
	/* The two paths are joined with one slash: that of the check. */
	if (len > 0 && path[len - 1] == '/')
		len--;
	text_add_string(out, method_name(check));
	text_add_char(out, ' ');
	text_add(out, path, len);
	text_add_string(out, check->path);
	text_add_string(out, " HTTP/1.1\r\nHost: ");
	text_add_string(out, check->host != NULL ? check->host : backend->url.authority);
	text_add_string(out, "\r\nUser-Agent: tinylb\r\nAccept: */*\r\nConnection: close\r\n\r\n");
	return !out->overflow;
}
