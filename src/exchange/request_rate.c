/* Measures in windows of ten seconds, so that a pause of a busy client does no harm. */
#include "config.h"

#include "request_rate.h"

#define WINDOW_US UINT64_C(10000000)

void request_rate_begin(struct exchange *x)
{
	x->request.rate_since_us = x->context->loop->now_us;
	x->request.rate_content = x->request.content;
}

bool request_rate_look(struct exchange *x)
{
	uint64_t rate = x->context->settings->limits.body_rate;
	uint64_t since_us = x->request.rate_since_us;
	uint64_t elapsed = x->context->loop->now_us - since_us;
	uint64_t content = x->request.content - x->request.rate_content;

	if (since_us != 0 && elapsed < WINDOW_US)
		return false;
	if (since_us != 0 && content < rate * (elapsed / 1000000))
		return true;
	request_rate_begin(x);
	return false;
}
