/* sim/study.h -- networks that are too large to simulate every node's ledger.
 *
 * Up to 10,000 nodes that mine, hear of blocks over slow links and choose by
 * the engine's own rules (consensus/pow: work, first seen, retarget): how often
 * do chains fork, and does the interval come back when hash power changes?
 */
#ifndef PERCH_SIM_STUDY_H
#define PERCH_SIM_STUDY_H

#include "world.h"

enum { STUDY_NODES_MAX = 10000 };

/* Prints two tables; 0, or 129 when a figure is not what it must be. */
int study_run(const struct options *options);

#endif
