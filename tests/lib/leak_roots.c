/*
 * Where a program with AddressSanitizer looks for pointers when it looks for leaks: in the
 * variables of the program and of every library but the sanitizers' own. Those two have twelve
 * megabytes, in which nothing of ours can be and whose reading made the end of each process cost
 * more than all it had done before. Linked into the program and the unit tests
 * by --enable-sanitizers, and part of no other.
 */
#include "config.h"

#include <link.h>
#include <sanitizer/lsan_interface.h>
#include <string.h>

const char *__lsan_default_options(void);
void leak_roots(void); /* the name by which configure.ac has it linked */

const char *__lsan_default_options(void)
{
	return "use_globals=0";
}

static int add_variables(struct dl_phdr_info *library, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	if (strstr(library->dlpi_name, "/libasan.so") || strstr(library->dlpi_name, "/libubsan.so"))
		return 0;
	for (int i = 0; i < library->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &library->dlpi_phdr[i];
		if (part->p_type == PT_LOAD && part->p_flags & PF_W)
			__lsan_register_root_region(
				(const void *)(library->dlpi_addr + part->p_vaddr), part->p_memsz);
	}
	return 0;
}

/* At the end of a process and not at its beginning, for libraries come later, too; the leaks are
 * looked for after this. */
__attribute__((destructor)) void leak_roots(void)
{
	dl_iterate_phdr(add_variables, NULL);
}
