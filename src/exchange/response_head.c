/* Maps the backend's address to the one by which the client asked for it. */
#include "config.h"

#include "response_head.h"

/* Whether the host of the request was asked for by https, of a proxy in front. A proxy that has put
 * another Host in the request rewrites the response itself: for that one it is http. */
static bool is_https(const struct selection *selection)
{
	const struct request *request = selection->request;
	struct slice host;

	if (!selection->trusted || !request_is_https(request))
		return false;
	host = request_first_element(request, FIELD_X_FORWARDED_HOST);
	return slice_is_empty(host) || slice_equals_nocase(host, request->host);
}

static struct location_map map_of(const struct selection *selection)
{
	const struct backend *backend = selection_backend(selection);

	return (struct location_map){
		.authority = backend->authority,
		.prefix = backend->path,
		.host = selection->request->host,
		.https = is_https(selection),
		.preserved = selection->pool->settings->host == HOST_PRESERVE,
	};
}

bool response_head_rewrite(struct exchange *x, struct response *head)
{
	struct text room = text_over(x->context->scratch, HEAD_OUT_SIZE);
	struct location_map map = map_of(&x->selection);

	location_rewrite(&head->fields, &map, &room);
	return !room.overflow;
}
