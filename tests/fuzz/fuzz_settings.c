/*
 * Settings files: whatever the text, it loads or every mistake is told; what loads can be dumped,
 * and the dump loads to settings that dump the same. No file of this machine is read: "a" is the
 * text itself, and nothing else can be included.
 */
#include "config.h"

#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "settings/settings_dump.h"
#include "settings/settings_load.h"

/* A dump: text of its own length. */
struct dump {
	char *text;
	size_t len;
};

/* A file in memory, and its name. */
struct file {
	int fd;
	char name[64];
};

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

static FILE *messages;
static struct file present;

/* libconfig loses the beginning of a string that has no end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

int __wrap_open(const char *path, int flags, ...)
{
	const char *name = strrchr(path, '/');

	if (strcmp(path, present.name) == 0 || (name != NULL && strcmp(name, "/a") == 0))
		return __real_open(present.name, flags);
	errno = ENOENT;
	return -1;
}

static struct file make_file(const void *data, size_t len)
{
	struct file file = { .fd = memfd_create("settings", MFD_CLOEXEC) };

	FUZZ_CLAIM(file.fd != -1);
	FUZZ_CLAIM(fd_write_all(file.fd, data, len) == 0);
	(void)snprintf(file.name, sizeof file.name, "/proc/self/fd/%d", file.fd);
	return file;
}

static struct settings *load(const void *data, size_t len)
{
	struct settings_errors errors = { .out = messages };
	struct settings *settings;

	present = make_file(data, len);
	settings = settings_load(present.name, &errors);
	FUZZ_CLAIM((settings == NULL) == (errors.count > 0));
	(void)close(present.fd);
	return settings;
}

static struct dump dump(const struct settings *settings)
{
	struct dump dump = { 0 };
	FILE *out = open_memstream(&dump.text, &dump.len);

	FUZZ_CLAIM(out != NULL);
	settings_dump(settings, out);
	FUZZ_CLAIM(fclose(out) == 0);
	return dump;
}

/* What the rest of the program counts on. */
static void claim_sound(const struct settings *s)
{
	FUZZ_CLAIM(s->listener_count > 0 && s->pool_count > 0);
	for (size_t i = 0; i < s->listener_count; i++) {
		FUZZ_CLAIM(s->listeners[i].pool < s->pool_count);
		FUZZ_CLAIM(s->listeners[i].address.len > 0);
	}
	for (size_t i = 0; i < s->pool_count; i++) {
		const struct pool_settings *pool = &s->pools[i];

		FUZZ_CLAIM(pool->backend_count > 0 && pool->host != HOST_INHERIT);
		for (size_t k = 0; k < pool->backend_count; k++)
			FUZZ_CLAIM(pool->backends[k].addresses != NULL &&
				   pool->backends[k].weight >= 0 &&
				   pool->backends[k].weight <= 256);
	}
	FUZZ_CLAIM(s->limits.header_count > 0 && s->limits.header_size > 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	messages = fopen("/dev/null", "w");
	FUZZ_CLAIM(messages != NULL);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings *settings = load(data, size);
	struct settings *again;
	struct dump first, second;

	if (settings == NULL)
		return 0;
	claim_sound(settings);
	first = dump(settings);
	again = load(first.text, first.len);
	FUZZ_CLAIM(again != NULL);
	second = dump(again);
	FUZZ_CLAIM(first.len == second.len && memcmp(first.text, second.text, first.len) == 0);
	free(first.text);
	free(second.text);
	settings_free(settings);
	settings_free(again);
	return 0;
}
