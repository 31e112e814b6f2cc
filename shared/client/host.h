/* client/host.h -- for services that answer on the bus they ask on: a process
 * has one bus. Not installed.
 */
#ifndef PERCH_CLIENT_HOST_H
#define PERCH_CLIENT_HOST_H

#include "bus/bus.h"
#include <perch/client.h>

struct bus *perch_bus(const struct perch *client);

/* What arrives on this socket ends a wait: PERCH_EVENT_WAKE, as with
 * perch_wake_on. NULL: none. */
void perch_wake_on_socket(struct perch *client, struct bus_socket *socket);

#endif
