/* Listening sockets: made, probed, accepted from. */
#ifndef TINYLB_NET_LISTENER_H
#define TINYLB_NET_LISTENER_H

#include <stdbool.h>

#include "net/address.h"

/*
 * Binds a stream socket to `a` for listening: SO_REUSEADDR and SO_REUSEPORT (a unix socket has
 * neither), TCP_NODELAY for the connections it will accept, non-blocking, close-on-exec. It is not
 * listening yet, so no connection can be on it. The wildcard IPv6 address takes IPv4 too; where the
 * kernel has no IPv6 it becomes the IPv4 wildcard. The path of a unix socket is made with mode
 * 0666; the umask is changed for that moment, so other threads must make no files then. Returns the
 * descriptor, or -1 with errno.
 */
int listener_bind(const struct address *a) __attribute__((warn_unused_result));

/*
 * Tries to bind `a` without SO_REUSEPORT and lets go again: EADDRINUSE tells that somebody listens
 * there whom a bind with SO_REUSEPORT would silently join. Never to be called for an address that
 * this program itself holds. Returns 0, or -1 with errno.
 */
int listener_probe(const struct address *a) __attribute__((warn_unused_result));

/*
 * With `shut`, no new connection gets onto the listening TCP socket any more, while those whose
 * handshake is under way still do: who accepts what waits and closes it a little later resets
 * nobody. Who connects meanwhile is not answered, tries again a second later, and finds what is
 * there then. It goes for every holder of the socket. A kernel that cannot do it is no error.
 */
void listener_gate(int fd, bool shut);

#endif
