/* tests/bench/city.h -- a city, and what is asked for in each second of its
 * day.
 *
 * 100 ports of 4 pads, 30 movements an hour on each pad, 8 transactions a
 * flight: reserved as a pair, then twice asked, cleared and told, and the pad
 * measured empty. 1.15 million transactions in 24 hours.
 */
#ifndef PERCH_BENCH_CITY_H
#define PERCH_BENCH_CITY_H

#include "contract/state.h"
#include "ledger/mempool.h"

enum { CITY_PORTS = 100, CITY_PADS = 4, CITY_OPERATORS = 50, CITY_NODES = 2 };

/* Its keys are the same every time. */
struct city {
	struct genesis genesis;
	struct keypair nodes[CITY_NODES]; /* a voter, and a stand-by */
	struct keypair operators[CITY_OPERATORS], controllers[CITY_PORTS];
};

/* The genesis in memory, of network 0. */
struct city *city_open(void);
time_ms city_time(int64_t second);
/* Signed, what happens in this second, into the pool. Seconds are asked for in
 * order from 1 on. */
void city_fill(struct mempool *pool, int64_t second);

/* The same as files: DIR/genesis.zpl (which is loaded), keys, and the log that
 * the voter has after so many seconds, in DIR/the_leader_node. Nodes listen on
 * 127.0.0.1, at ports from first_port on. Prints a JSON line at the end. */
void city_write(struct city *city, const char *directory, unsigned first_port,
	int64_t seconds);

#endif
