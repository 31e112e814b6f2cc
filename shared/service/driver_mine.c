/* service/driver_mine.c -- headers to the miners, answers to the replica, and
 * what mining has come to.
 */
#include "service/driver_state.h"

#include "base/check.h"
#include "clock/clock.h"
#include "consensus/pow/seal.h"
#include "consensus/pow/target.h"

enum err driver_mine_start(struct driver *driver)
{
	const struct driver_config *config = &driver->config;
	if (!config->engine->mines || config->mine == MINE_NEVER ||
		config->miners == 0)
		return ERR_OK;
	return miner_start(&driver->miner, config->bus, config->miners,
		clock_random(), pow_seal);
}

void driver_mine_want(struct driver *driver, const struct output *output)
{
	struct number target;
	uint8_t bytes[32];
	if (driver->miner == NULL)
		return;
	if (output->bytes.size == 0) {
		miner_rest(driver->miner);
		return;
	}
	bool exists = target_of_bits(&target, output->bits);
	CHECK(exists);
	number_little(&target, bytes);
	miner_seek(driver->miner, output->task, output->bytes, output->field,
		bytes);
}

void driver_mine_work(struct driver *driver)
{
	struct miner_found found;
	while (driver->miner != NULL && miner_take(driver->miner, &found)) {
		struct tick tick = driver_tick();
		if (driver->halted)
			return;
		bool meets = replica_mined(driver->replica, &tick, found.task,
			found.extra, found.nonce, &driver->outputs);
		CHECK(meets);
		driver_carry_out(driver);
	}
}

void driver_let_mine(struct driver *driver, bool allowed)
{
	if (driver->miner != NULL)
		miner_pause(driver->miner, !allowed);
}

/* ---- numbers ---- */

/* What is beyond what a message can say is said to be that much. */
static uint64_t said(uint64_t value)
{
	static const uint64_t most = (UINT64_C(1) << 53) - 1;
	return value < most ? value : most;
}

/* Hashes that the chain took, on average. */
static uint64_t work_of(const struct engine_race *race)
{
	for (size_t i = 0; i < sizeof(race->work) - 8; i++) {
		if (race->work[i] != 0)
			return UINT64_MAX;
	}
	uint64_t work = 0;
	for (size_t i = sizeof(race->work) - 8; i < sizeof(race->work); i++)
		work = work << 8 | race->work[i];
	return work;
}

static uint64_t faults_of(const struct engine_race *race)
{
	uint64_t faults = 0;
	for (size_t i = 0; i < ENGINE_FAULTS; i++)
		faults += race->faults[i];
	return faults;
}

size_t driver_numbers(
	struct driver *driver, struct named_number out[DRIVER_NUMBERS_MAX])
{
	struct miner *miner = driver->miner;
	struct engine_status status;
	const struct engine_race *race = &status.race;
	if (!driver->config.engine->mines)
		return 0;
	replica_status(driver->replica, &status);
	const struct {
		const char *name;
		uint64_t value;
	} all[DRIVER_NUMBERS_MAX] = {
		{"miners", miner == NULL ? 0 : driver->config.miners},
		{"hash_rate", miner == NULL
				      ? 0
				      : miner_rate(miner, clock_monotonic())},
		{"hashes", miner == NULL ? 0 : miner_hashes(miner)},
		{"bits", race->bits},
		{"work", work_of(race)},
		{"branches", race->branches},
		{"reverts", race->reverts},
		{"deepest", race->deepest},
		{"announced", race->announced},
		{"sent", race->sent},
		{"spared", race->spared},
		{"doubled", race->doubled},
		{"faults", faults_of(race)},
	};
	for (size_t i = 0; i < DRIVER_NUMBERS_MAX; i++)
		out[i] = (struct named_number){
			.name = view_text(all[i].name),
			.value = said(all[i].value),
		};
	return DRIVER_NUMBERS_MAX;
}
