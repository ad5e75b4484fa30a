/* Sets up what a worker keeps about a backend, and says what is wrong with it. */
#include "config.h"

#include "upstream/backend.h"

#include "base/log.h"

#define COMPLAIN_EVERY_US UINT64_C(1000000)

void backend_init(struct backend *backend, const struct backend_settings *settings,
	struct rows *rows, uint32_t column)
{
	backend->row = settings->row;
	load_init(&backend->load, rows, settings->row, column);
	backend->addresses = settings->addresses;
	backend->url = slice_of_string(settings->url_text);
	backend->authority = slice_of_string(settings->url.authority);
	backend->path = slice_of_string(settings->url.path);
	list_init(&backend->idle);
}

void backend_complain(struct backend *backend, uint64_t now_us, const char *what, const char *why)
{
	if (backend->complained_us != 0 && now_us - backend->complained_us < COMPLAIN_EVERY_US)
		return;
	backend->complained_us = now_us;
	log_warnx("%.*s: %s: %s", SLICE_ARGS(backend->url), what, why);
}

int backend_address_count(const struct backend *backend)
{
	return (int)addresses_count(backend->addresses);
}
