/* Writes what is wrong with settings, to a stream while somebody looks on, else to the log. */
#include "config.h"

#include "settings/report.h"

#include <assert.h>
#include <stdarg.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/text.h"

const char *report_place(const struct settings_place *place, char *out, size_t size)
{
	if (place->file == NULL)
		(void)snprintf(out, size, "the command line");
	else if (place->line == 0)
		(void)snprintf(out, size, "%s", place->file);
	else
		(void)snprintf(out, size, "%s:%d", place->file, place->line);
	return out;
}

/* Names and values are whatever the file has: no byte of them is more than a part of this line. */
static void print_line(FILE *out, const char *where, const char *kind, const char *what)
{
	char bytes[4096];
	struct text line = text_over(bytes, sizeof bytes);

	escape_message(&line, slice_of_string(where));
	text_add_string(&line, ": ");
	text_add_string(&line, kind);
	escape_message(&line, slice_of_string(what));
	(void)fprintf(out, "%s\n", text_string(&line));
}

static void report(struct settings_errors *errors, const struct settings_place *place,
	const char *kind, const char *format, va_list args) __attribute__((format(printf, 4, 0)));

static void report(struct settings_errors *errors, const struct settings_place *place,
	const char *kind, const char *format, va_list args)
{
	char where[1024];
	char what[2048];

	assert(errors != NULL && place != NULL);
	(void)vsnprintf(what, sizeof what, format, args);
	(void)report_place(place, where, sizeof where);
	if (errors->out != NULL)
		print_line(errors->out, where, kind, what);
	else if (*kind != '\0')
		log_warnx("%s: %s", where, what);
	else
		log_errorx("%s: %s", where, what);
}

void report_error(
	struct settings_errors *errors, const struct settings_place *place, const char *format, ...)
{
	va_list args;

	errors->count++;
	va_start(args, format);
	report(errors, place, "", format, args);
	va_end(args);
}

void report_warning(
	struct settings_errors *errors, const struct settings_place *place, const char *format, ...)
{
	va_list args;

	errors->warnings++;
	va_start(args, format);
	report(errors, place, "warning: ", format, args);
	va_end(args);
}
