/*
 * Reads settings files and finds integers too large for 32 bits, which libconfig would cut without
 * a word, and included files that cannot be read: when one is a folder, libconfig's scanner ends
 * the process. Everything else is left to libconfig.
 */
#include "config.h"

#include "settings/scan.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "settings/report.h"

#define FILE_MAX_SIZE     (64 * 1024 * 1024)
#define INCLUDE_MAX_DEPTH 10 /* libconfig's */

struct scan {
	char *text; /* of the file itself */
	const char *folder;
	struct settings_errors *errors;
	size_t size; /* of all files that were read */
	bool fatal;
	bool too_deep;
};

struct cursor {
	struct settings_place place;
	char *at;
	int depth;
};

static int open_regular(const char *file)
{
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		return fd;
	fd_close(&fd);
	errno = EISDIR;
	return -1;
}

/* Reads to the end, whatever it is: a file, a pipe. */
static char *read_open(int fd, size_t *len)
{
	size_t cap = 0;
	char *text = NULL;

	for (*len = 0;;) {
		ssize_t n;

		if (cap - *len < 4096) {
			char *larger = mem_resize(text, cap == 0 ? 16384 : cap * 2, 1);

			if (larger == NULL || cap > FILE_MAX_SIZE) {
				errno = larger == NULL ? ENOMEM : EFBIG;
				mem_free(larger != NULL ? larger : text);
				return NULL;
			}
			text = larger;
			cap = cap == 0 ? 16384 : cap * 2;
		}
		n = read(fd, text + *len, cap - *len - 1);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			mem_free(text);
			return NULL;
		}
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	text[*len] = '\0';
	return text;
}

static char *read_file(const char *file, size_t *len)
{
	int fd = open_regular(file);
	char *text;

	if (fd == -1)
		return NULL;
	text = read_open(fd, len);
	fd_close(&fd);
	return text;
}

/* Moves past one character and counts lines. */
static void step(struct cursor *c)
{
	if (*c->at == '\n')
		c->place.line++;
	c->at++;
}

static void skip_string(struct cursor *c)
{
	for (step(c); *c->at != '\0' && *c->at != '"'; step(c))
		if (*c->at == '\\' && c->at[1] != '\0')
			step(c);
	if (*c->at != '\0')
		step(c);
}

/* Skips a comment, if there is one. */
static bool skip_comment(struct cursor *c)
{
	if (*c->at == '#' || strncmp(c->at, "//", 2) == 0) {
		c->at += strcspn(c->at, "\n");
		return true;
	}
	if (strncmp(c->at, "/*", 2) != 0)
		return false;
	for (c->at += 2; *c->at != '\0' && strncmp(c->at, "*/", 2) != 0; step(c))
		;
	c->at += *c->at != '\0' ? 2 : 0;
	return true;
}

/* Puts a 1 in place of a number that was reported, so that it is not reported again for what
 * libconfig makes of it. */
static void blank_number(char *start, const char *end)
{
	memset(start, ' ', (size_t)(end - start));
	*start = '1';
}

/* Adds the letter that libconfig needs to read all of a number. Such numbers are rare: seeds. */
static void add_letter(struct scan *scan, struct cursor *c, size_t at)
{
	size_t len = strlen(scan->text);
	char *larger = mem_resize(scan->text, len + 2, 1);

	if (larger == NULL) {
		report_error(scan->errors, &c->place, "out of memory");
		return;
	}
	memmove(larger + at + 1, larger + at, len - at + 1);
	larger[at] = 'L';
	scan->text = larger;
	c->at = larger + at + 1;
}

static void scan_number(struct scan *scan, struct cursor *c)
{
	char *start = c->at;
	char *end;
	unsigned long long value;
	int len;

	errno = 0;
	value = strtoull(start, &end, 0);
	if (errno != 0)
		value = UINT64_MAX;
	c->at = end + strspn(end, "L");
	len = (int)(end - start);
	if (*end == '.' || *end == 'e' || *end == 'E') {
		c->at = end + strspn(end, "0123456789.eE+-");
	} else if (value > INT64_MAX) {
		report_error(scan->errors, &c->place, "the number %.*s is too large", len, start);
		blank_number(start, c->at);
	} else if (value > INT32_MAX && *end != 'L' && c->depth == 0) {
		add_letter(scan, c, (size_t)(end - scan->text));
	} else if (value > INT32_MAX && *end != 'L') {
		report_error(scan->errors, &c->place,
			"the number %.*s is larger than 2147483647 and needs an L at its end: "
			"%.*sL",
			len, start, len, start);
		blank_number(start, end);
	}
}

static void scan_text(struct scan *scan, struct cursor *c);

static void scan_included(struct scan *scan, const struct cursor *from, struct slice name)
{
	char path[SCAN_PATH_SIZE];
	size_t len;
	struct cursor inner = { { scan_join(scan->folder, name, path), 1 }, NULL, from->depth + 1 };
	char *text;

	if (from->depth >= INCLUDE_MAX_DEPTH) {
		/* libconfig will say so. A file that includes itself n times would be read here n
		 * to the power of this depth. */
		scan->too_deep = true;
		return;
	}
	if (name.len > 0 && *name.data == '/') {
		/* libconfig would put the folder before it all the same. */
		report_error(scan->errors, &from->place,
			"cannot include \"%.*s\": write the path as seen from the folder of the "
			"settings file, without a slash before it",
			SLICE_ARGS(name));
		scan->fatal = true;
		return;
	}
	text = read_file(path, &len);
	if (text == NULL) {
		report_error(scan->errors, &from->place, "cannot include \"%.*s\": %s",
			SLICE_ARGS(name), strerror(errno));
		scan->fatal = true;
		return;
	}
	scan->size += len;
	inner.at = text;
	scan_text(scan, &inner);
	mem_free(text);
}

/* At the start of a line: [blanks]@include[blanks]"path". */
static void scan_include(struct scan *scan, struct cursor *c)
{
	static const char word[] = "@include";
	const char *at = c->at + strspn(c->at, " \t");

	if (strncmp(at, word, sizeof word - 1) != 0)
		return;
	at += sizeof word - 1;
	at += strspn(at, " \t");
	if (*at++ != '"')
		return;
	scan_included(scan, c, slice_of(at, strcspn(at, "\"\n")));
	c->at += strcspn(c->at, "\n");
}

static void scan_text(struct scan *scan, struct cursor *c)
{
	bool line_start = true;

	while (*c->at != '\0' && !scan->too_deep) {
		if (line_start)
			scan_include(scan, c);
		line_start = *c->at == '\n';
		if (*c->at == '"')
			skip_string(c);
		else if (skip_comment(c))
			continue;
		else if (isdigit((unsigned char)*c->at))
			scan_number(scan, c);
		else if (isalpha((unsigned char)*c->at))
			while (isalnum((unsigned char)*c->at) ||
				(*c->at != '\0' && strchr("-_*", *c->at) != NULL))
				c->at++;
		else if (*c->at != '\0')
			step(c);
	}
}

const char *scan_join(const char *folder, struct slice name, char path[SCAN_PATH_SIZE])
{
	bool is_here = strcmp(folder, ".") == 0;

	(void)snprintf(path, SCAN_PATH_SIZE, "%s%s%.*s", is_here ? "" : folder, is_here ? "" : "/",
		SLICE_ARGS(name));
	return path;
}

char *scan_file(const char *file, const char *folder, struct settings_errors *errors, size_t *size)
{
	struct scan scan = { .folder = folder, .errors = errors };
	struct cursor c = { { file, 0 }, NULL, 0 };

	assert(file != NULL && folder != NULL);
	scan.text = read_file(file, &scan.size);
	if (scan.text == NULL) {
		report_error(errors, &c.place, "cannot read the settings: %s", strerror(errno));
		return NULL;
	}
	if (strlen(scan.text) != scan.size) {
		report_error(errors, &c.place, "has a NUL byte: not a text file");
		scan.fatal = true;
	}
	c.at = scan.text;
	c.place.line = 1;
	if (!scan.fatal)
		scan_text(&scan, &c);
	*size = scan.size;
	if (!scan.fatal)
		return scan.text;
	mem_free(scan.text);
	return NULL;
}
