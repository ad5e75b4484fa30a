/* What the client's side tells an exchange besides its content. */
#include "config.h"

#include "exchange/exchange.h"

#include "backlog.h"
#include "early_response.h"
#include "end.h"
#include "phase.h"
#include "tunnel.h"

void exchange_client_drained(struct exchange *x)
{
	if (x->attempt.stream == NULL)
		return;
	if (x->response.phase == RESPONSE_TUNNEL) {
		tunnel_client_drained(x);
		return;
	}
	if (x->attempt.state != ATTEMPT_CONNECTING)
		phase_alive(x);
	backlog_release_backend(x);
}

void exchange_client_ended(struct exchange *x, int error)
{
	if (x->response.phase == RESPONSE_TUNNEL)
		tunnel_client_ended(x, error);
	else if (x->response.phase == RESPONSE_WHOLE)
		early_response_client_ended(x);
	else
		end_cancelled(x);
}

void exchange_stop(struct exchange *x)
{
	end_exchange(x, REASON_STOPPED, UPSTREAM_CLOSE, DOWNSTREAM_ABORT);
}
