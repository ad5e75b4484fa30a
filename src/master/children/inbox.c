/* Channels between workers. The master sends on them only what a worker does not come to take
 * itself. */
#include "config.h"

#include "inbox.h"

#include <stdbool.h>

#include "base/channel.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"

struct worker_inbox *inbox_open_all(uint32_t count)
{
	struct worker_inbox *inboxes = count > 1 ? mem_zalloc(count, sizeof *inboxes) : NULL;
	int ends[2];

	for (uint32_t i = 0; inboxes != NULL && i < count; i++) {
		if (channel_pair(ends) == -1) {
			log_warn("workers cannot pass connections to each other");
			inbox_close_all(inboxes, i);
			return NULL;
		}
		inboxes[i] = (struct worker_inbox){ ends[0], ends[1] };
	}
	return inboxes;
}

void inbox_close_all(struct worker_inbox *inboxes, uint32_t count)
{
	for (uint32_t i = 0; inboxes != NULL && i < count; i++) {
		fd_close(&inboxes[i].in);
		fd_close(&inboxes[i].out);
	}
	mem_free(inboxes);
}

void inbox_forward(const struct worker_inbox *inboxes, uint32_t from, uint32_t to)
{
	struct message m;
	bool sent = true;
	int fd;

	if (inboxes == NULL || from == to)
		return;
	while (sent && channel_receive(inboxes[from].out, &m, &fd) == CHANNEL_MESSAGE) {
		sent = channel_send(inboxes[to].in, &m, fd) == 0;
		/* Where there is no room it goes back: the next worker of `from` may take it. */
		if (!sent && channel_send(inboxes[from].in, &m, fd) == -1)
			log_error("a connection passed to worker %u is lost", from);
		fd_close(&fd);
	}
}
