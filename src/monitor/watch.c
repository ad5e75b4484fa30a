/* Due times, as the master and timers need them. */
#include "config.h"

#include "watch.h"

uint64_t watch_due(const struct watch *watch)
{
	return atomic_load_explicit(watch->due_us, memory_order_relaxed);
}

void watch_set_due(const struct watch *watch, uint64_t due_us)
{
	atomic_store_explicit(watch->due_us, due_us, memory_order_relaxed);
}

void watch_note_due(const struct watch *watch, uint64_t due_us)
{
	if (due_us != 0)
		watch_set_due(watch, watch_earlier(watch_due(watch), due_us));
}

uint64_t watch_earlier(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

struct timeval watch_timeout(const struct watch *watch, uint64_t due_us)
{
	uint64_t now = watch->loop.now_us, left = due_us > now ? due_us - now : 0;

	return (struct timeval){ (time_t)(left / 1000000), (suseconds_t)(left % 1000000) };
}
