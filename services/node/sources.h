/* node/sources.h -- the settings that say where the other nodes are. */
#ifndef PERCH_NODE_SOURCES_H
#define PERCH_NODE_SOURCES_H

#include "node.h"
#include "service/options.h"

/* "discover", "peer" and "dns"; what is wrong ends the program. */
void sources_read(struct finder *finder, const struct options *options);
/* "beacon": tell the local network that this node listens there. */
void sources_beacon(
	struct node *node, const struct options *options, const char *listens);

#endif
