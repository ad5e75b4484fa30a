/* The master logs the failure, so that it is one line however many workers fail. */
#include "config.h"

#include "start_failure.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/channel.h"
#include "base/log.h"

int start_failure_tell(const struct worker_start *start, const char *doing, const char *what)
{
	struct message m = { .type = MESSAGE_FAILED };

	assert(doing != NULL && what != NULL);
	(void)snprintf(m.text, sizeof m.text, "%s%s%s: %s", doing, *what != '\0' ? " " : "", what,
		strerror(errno));
	if (channel_send(start->channel, &m, -1) == -1)
		log_errorx("%s", m.text);
	return -1;
}
