/*
 * What many requests and connections at once needed must not be held for ever: exchanges that were
 * spare for a whole second are freed, and the heap gives free pages back to the kernel, as soon as
 * it is quieter than it was.
 */
#include "config.h"

#include "tidy.h"

#include "exchange.h"

void tidy_look(struct deadline *deadline)
{
	struct proxy *p = LIST_ITEM(deadline, struct proxy, tidy);

	if (p->spare_least > TIDY_SPARE)
		heap_trim_add(&p->trim, exchange_free_spare(p, p->spare_least - TIDY_SPARE));
	p->spare_least = p->spare_count;
	if (p->spare_count > TIDY_SPARE)
		tidy_soon(p);
}
