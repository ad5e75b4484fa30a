/* What the options own is freed by the table; the rest are links. */
#include "config.h"

#include <sys/mman.h>

#include "base/memory.h"
#include "settings/settings.h"
#include "value_life.h"

void settings_free(struct settings *settings)
{
	if (settings == NULL)
		return;
	value_life_free(OPTION_TOP, settings);
	for (size_t i = 0; i < settings->file_count; i++)
		mem_free(settings->files[i]);
	mem_free(settings->files);
	mem_free(settings->file);
	if (settings->addresses != NULL)
		(void)munmap(settings->addresses, settings->addresses_size);
	mem_free(settings);
}
