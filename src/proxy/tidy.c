/*
 * What many requests and connections at once needed must not be held for ever: exchanges that were
 * spare for a whole second are freed, and the heap gives free pages back to the kernel, as soon as
 * it is quieter than it was.
 */
#include "config.h"

#include "tidy.h"

#include <malloc.h>

#include "exchange.h"

/* Fewer that are gone leave too little behind to look for it. */
#define GONE_MANY 256

/* Less than an eighth of what went since the heap was looked through went in this last second.
 * Where it always goes on like this, that is every nine seconds. */
static bool is_quiet(const struct proxy *p)
{
	return p->gone < p->gone_before / 8;
}

void tidy_look(struct deadline *deadline)
{
	struct proxy *p = LIST_ITEM(deadline, struct proxy, tidy);

	if (p->spare_least > TIDY_SPARE)
		p->gone_before += exchange_free_spare(p, p->spare_least - TIDY_SPARE);
	p->spare_least = p->spare_count;
	p->gone_before += p->gone;
	if (p->gone_before >= GONE_MANY && is_quiet(p)) {
		(void)malloc_trim(0);
		p->gone_before = 0;
	}
	p->gone = 0;
	if (p->gone_before >= GONE_MANY || p->spare_count > TIDY_SPARE)
		tidy_soon(p);
}
