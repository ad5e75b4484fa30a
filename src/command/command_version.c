/* `tinylb --version`. */
#include "config.h"

#include <event2/event.h>
#include <stdio.h>

#include "command/command.h"

int command_version(void)
{
	printf("tinylb " PACKAGE_VERSION " (libevent %s)\n", event_get_version());
	return EXIT_FINE;
}
