/* Keeps sources in a balanced tree: no choice of addresses makes it slow. */
#include "config.h"

#include "connections_per_client.h"

#include <assert.h>
#include <search.h>

#include "base/memory.h"

static int compare(const void *a, const void *b)
{
	const struct source *left = a;
	const struct source *right = b;

	return network_compare(&left->network, &right->network);
}

static struct source *add(struct sources *sources, const struct source *key)
{
	struct source *s = mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	*s = *key;
	if (tsearch(s, &sources->tree, compare) == NULL) {
		mem_free(s);
		return NULL;
	}
	return s;
}

struct source *connections_per_client_enter(struct sources *sources, const struct address *peer)
{
	struct source key = { .network = network_of(peer, 32, 64) };
	struct source **node = tfind(&key, &sources->tree, compare);
	struct source *s = node != NULL ? *node : add(sources, &key);

	if (s != NULL)
		s->connections++;
	return s;
}

void connections_per_client_leave(struct sources *sources, struct source *s)
{
	if (s == NULL)
		return;
	assert(s->connections > 0);
	if (--s->connections > 0)
		return;
	(void)tdelete(s, &sources->tree, compare);
	mem_free(s);
}
