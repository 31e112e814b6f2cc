/* controller/driver_sim.c -- `sim`: pads of a simulated world in one file.
 *
 * Every controller of a simulation opens the same file; whoever looks moves the
 * world on, under a lock. The file is the device: when it cannot be read, or
 * says nothing that can be right, the pads are unknown.
 */
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "world.h"

enum { SEED_DEFAULT = 1 };

static const char magic[16] = "perch-world 1\n";

/* What the file holds. */
struct image {
	char magic[16];
	struct world world;
};

struct sim {
	int fd;
	time_ms now;
	size_t pad_count;
	int pads[PERCH_PADS_MAX]; /* in the world */
	struct pad_state states[PERCH_PADS_MAX];
	struct image image, before;
};

static const struct setting settings[] = {
	{"sim-world", "FILE", "sim: the world, made when it is not there", NULL,
		false},
	{"sim-speed", "N", "sim: a new world runs so many times faster (20)",
		"20", false},
	{"sim-seed", "N", "sim: of a new world's chance (1)", "1", false},
	{"sim-faults", "LIST",
		"sim: at random, permille of a new world's movements: "
		"goaround=100,lost=5,overstay=20",
		NULL, false},
	{0},
};

/* ---- the file ---- */

static bool needs_a_pad(const struct drone *drone)
{
	return drone->phase == DRONE_ROLLING || drone->phase == DRONE_PARKED ||
	       drone->phase == DRONE_STARTING ||
	       drone->phase == DRONE_LANDING || drone->phase == DRONE_LANDED ||
	       drone->phase == DRONE_LEAVING;
}

static bool is_sane(const struct image *image)
{
	const struct world *world = &image->world;

	if (memcmp(image->magic, magic, sizeof(magic)) != 0 ||
		world->pad_count > WORLD_PADS_MAX ||
		world->drone_count > WORLD_DRONES_MAX || world->speed == 0)
		return false;
	for (uint32_t i = 0; i < world->pad_count; i++) {
		const struct world_pad *pad = &world->pads[i];

		if (memchr(pad->port, 0, sizeof(pad->port)) == NULL ||
			memchr(pad->name, 0, sizeof(pad->name)) == NULL ||
			memchr(pad->cleared, 0, sizeof(pad->cleared)) == NULL)
			return false;
	}
	for (uint32_t i = 0; i < world->drone_count; i++) {
		const struct drone *drone = &world->drones[i];

		if (memchr(drone->name, 0, sizeof(drone->name)) == NULL ||
			memchr(drone->port, 0, sizeof(drone->port)) == NULL ||
			drone->phase > DRONE_LEAVING || drone->pad < -1 ||
			drone->pad >= (int32_t)world->pad_count ||
			(drone->pad < 0 && needs_a_pad(drone)))
			return false;
	}
	return true;
}

/* Lock and read. False: the device is not there. */
static bool enter(struct sim *sim)
{
	if (flock(sim->fd, LOCK_EX) != 0)
		return false;
	if (pread(sim->fd, &sim->image, sizeof(sim->image), 0) ==
			(ssize_t)sizeof(sim->image) &&
		is_sane(&sim->image)) {
		sim->before = sim->image;
		return true;
	}
	flock(sim->fd, LOCK_UN);
	return false;
}

/* Write what has changed, and unlock. */
static bool leave(struct sim *sim)
{
	bool good =
		memcmp(&sim->before, &sim->image, sizeof(sim->image)) == 0 ||
		pwrite(sim->fd, &sim->image, sizeof(sim->image), 0) ==
			(ssize_t)sizeof(sim->image);

	flock(sim->fd, LOCK_UN);
	return good;
}

static bool number(const struct driver_setup *setup, const char *name,
	uint64_t most, uint64_t *out, char *why)
{
	const char *text = driver_setting(setup, name);
	char *end = NULL;
	unsigned long long value;

	if (text == NULL)
		return true;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno == 0 && *end == '\0' && text[0] != '-' && value >= 1 &&
		value <= most) {
		*out = value;
		return true;
	}
	snprintf(why, DRIVER_WHY, "%s: %s is no number from 1 to %llu", name,
		text, (unsigned long long)most);
	return false;
}

/* "goaround=100,lost=5" */
static bool read_faults(
	const struct driver_setup *setup, struct world *world, char *why)
{
	const char *at = driver_setting(setup, "sim-faults");

	while (at != NULL && *at != '\0') {
		const char *equals = strchr(at, '=');
		enum fault fault =
			equals == NULL ? FAULTS
				       : fault_find(at, (size_t)(equals - at));
		char *end = NULL;
		unsigned long permille =
			fault == FAULTS ? 0 : strtoul(equals + 1, &end, 10);

		if (fault == FAULTS || end == equals + 1 || permille > 1000 ||
			(*end != ',' && *end != '\0')) {
			snprintf(why, DRIVER_WHY,
				"sim-faults: %s: say fault=permille, like "
				"goaround=100; the faults are lost, goaround, "
				"stuck and overstay",
				at);
			return false;
		}
		world->permille[fault] = (uint32_t)permille;
		at = *end == ',' ? end + 1 : end;
	}
	return true;
}

/* Under the lock: a file that is empty becomes a world. */
static bool begin_world(
	struct sim *sim, const struct driver_setup *setup, char *why)
{
	uint64_t seed = SEED_DEFAULT, speed = 1;
	bool good = true;

	if (!number(setup, "sim-speed", WORLD_SPEED_MAX, &speed, why) ||
		!number(setup, "sim-seed", INT64_MAX, &seed, why))
		return false;
	if (flock(sim->fd, LOCK_EX) != 0 || lseek(sim->fd, 0, SEEK_END) != 0)
		return flock(sim->fd, LOCK_UN) == 0;
	memcpy(&sim->image, magic, sizeof(magic)); /* its first member */
	world_start(&sim->image.world, seed, (unsigned)speed);
	if (!read_faults(setup, &sim->image.world, why)) {
		good = false;
	} else if (pwrite(sim->fd, &sim->image, sizeof(sim->image), 0) !=
		   (ssize_t)sizeof(sim->image)) {
		snprintf(why, DRIVER_WHY, "sim-world: %s", strerror(errno));
		good = false;
	}
	flock(sim->fd, LOCK_UN);
	return good;
}

static bool find_pads(struct sim *sim, const struct driver_setup *setup)
{
	if (!enter(sim))
		return false;
	sim->pad_count = setup->pad_count;
	for (size_t i = 0; i < setup->pad_count; i++) {
		sim->pads[i] = world_pad(
			&sim->image.world, setup->port, setup->pads[i]);
		if (sim->pads[i] < 0) {
			flock(sim->fd, LOCK_UN);
			return false;
		}
	}
	return leave(sim);
}

static enum err sim_open(
	void *self, const struct driver_setup *setup, time_ms now, char *why)
{
	struct sim *sim = self;
	const char *path = driver_setting(setup, "sim-world");

	sim->now = now;
	if (path == NULL) {
		snprintf(why, DRIVER_WHY,
			"sim-world: name the file of the simulated world");
		return ERR_CONFIG;
	}
	sim->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (sim->fd < 0) {
		snprintf(why, DRIVER_WHY, "%s: %s", path, strerror(errno));
		return ERR_IO;
	}
	if (!begin_world(sim, setup, why)) {
		close(sim->fd);
		return ERR_CONFIG;
	}
	if (find_pads(sim, setup))
		return ERR_OK;
	snprintf(why, DRIVER_WHY,
		"%s: not a world of this release, or with too many pads; "
		"remove it",
		path);
	close(sim->fd);
	return ERR_CONFIG;
}

static void sim_end(void *self)
{
	close(((struct sim *)self)->fd);
}

/* ---- what it says and is told ---- */

static void sim_poll(void *self, time_ms now)
{
	struct sim *sim = self;
	bool there = enter(sim);

	sim->now = now;
	if (there)
		world_step(&sim->image.world, now);
	for (size_t i = 0; i < sim->pad_count; i++) {
		if (there)
			world_look(&sim->image.world, sim->pads[i], now,
				&sim->states[i]);
		else
			sim->states[i].is = PAD_UNKNOWN;
	}
	if (there && !leave(sim))
		for (size_t i = 0; i < sim->pad_count; i++)
			sim->states[i].is = PAD_UNKNOWN;
}

static void sim_pad_state(const void *self, size_t pad, struct pad_state *out)
{
	*out = ((const struct sim *)self)->states[pad];
}

/* A device that says nothing hears nothing. */
static bool reach(struct sim *sim, size_t pad)
{
	struct pad_state state;

	if (!enter(sim))
		return false;
	world_look(&sim->image.world, sim->pads[pad], sim->now, &state);
	if (state.is != PAD_UNKNOWN)
		return true;
	flock(sim->fd, LOCK_UN);
	return false;
}

static enum err sim_prepare(
	void *self, size_t pad, const struct movement *movement)
{
	struct sim *sim = self;
	enum err err;

	if (!reach(sim, pad))
		return ERR_UNREACHABLE;
	err = world_prepare(
		&sim->image.world, sim->pads[pad], movement, sim->now);
	return leave(sim) ? err : ERR_UNREACHABLE;
}

static enum err sim_clear(
	void *self, size_t pad, const struct movement *movement)
{
	struct sim *sim = self;

	if (!reach(sim, pad))
		return ERR_UNREACHABLE;
	world_clear(&sim->image.world, sim->pads[pad], movement);
	return leave(sim) ? ERR_OK : ERR_UNREACHABLE;
}

static enum err sim_abort(void *self, size_t pad)
{
	struct sim *sim = self;

	if (!reach(sim, pad))
		return ERR_UNREACHABLE;
	world_abort(&sim->image.world, sim->pads[pad], sim->now);
	return leave(sim) ? ERR_OK : ERR_UNREACHABLE;
}

static enum err sim_close(void *self, size_t pad)
{
	struct sim *sim = self;

	if (!reach(sim, pad))
		return ERR_UNREACHABLE;
	world_close(&sim->image.world, sim->pads[pad], sim->now);
	return leave(sim) ? ERR_OK : ERR_UNREACHABLE;
}

/* Whatever the device says: this is the hand that unplugs it. */
static enum err sim_fault(
	void *self, size_t pad, const char *name, time_ms how_long)
{
	struct sim *sim = self;
	enum fault fault = fault_find(name, strlen(name));

	if (fault == FAULTS)
		return ERR_NOT_FOUND;
	if (!enter(sim))
		return ERR_UNREACHABLE;
	world_step(&sim->image.world, sim->now);
	world_fault(
		&sim->image.world, sim->pads[pad], fault, sim->now, how_long);
	return leave(sim) ? ERR_OK : ERR_UNREACHABLE;
}

const struct driver driver_sim = {
	.name = "sim",
	.size = sizeof(struct sim),
	.settings = settings,
	.open = sim_open,
	.end = sim_end,
	.poll = sim_poll,
	.pad_state = sim_pad_state,
	.prepare = sim_prepare,
	.clear_departure = sim_clear,
	.clear_arrival = sim_clear,
	.abort = sim_abort,
	.close = sim_close,
	.fault = sim_fault,
};
