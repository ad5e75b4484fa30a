/*
 * Spares connections within the machine the pacing of bbr, which many systems are set to. On a
 * network it keeps queues short; between two processes there is no queue, and a timer for each
 * segment costs more than the segment. Whatever else a system is set to stays.
 */
#include "config.h"

#include "pace.h"

#include <netinet/tcp.h>
#include <string.h>

void pace_spare(int fd, const struct address *a)
{
	static const char paced[] = "bbr", unpaced[] = "reno"; /* which every kernel has */
	char name[16] = { 0 };
	socklen_t len = sizeof name - 1;

	if (!address_is_loopback(a) ||
		getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len) == -1)
		return;
	if (strncmp(name, paced, sizeof paced - 1) == 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, unpaced, sizeof unpaced - 1);
}
