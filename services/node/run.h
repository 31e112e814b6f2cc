/* node/run.h -- the reactor. */
#ifndef PERCH_NODE_RUN_H
#define PERCH_NODE_RUN_H

#include "node.h"

/* Where the driver tells this node what happened. */
void node_hooks(struct lane *lane, struct driver_config *config);

/* Until a signal arrives on signal_fd (0), or the node must stop (1). */
int node_run(struct node *node, int signal_fd);

#endif
