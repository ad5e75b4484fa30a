/* What concerns one backend alone. */
#include "config.h"

#include "upstream/backend.h"

#include "base/log.h"

#define COMPLAIN_EVERY_US UINT64_C(1000000)

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
