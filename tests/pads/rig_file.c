/* tests/pads/rig_file.c -- the docking station of the README's example: it
 * writes a file a pad, and does only what its orders say.
 */
#include "pads/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct file_rig {
	struct setting settings[2];
	struct {
		char name[DRIVER_NAME_SIZE], aircraft[DRIVER_NAME_SIZE];
		bool by_air;
	} pads[RIG_PADS];
};

static void path_of(
	const struct rig *rig, size_t pad, const char *ending, char path[128])
{
	const struct file_rig *own = rig->own;

	snprintf(path, 128, "%s/%s%s", rig->directory, own->pads[pad].name,
		ending);
}

static void begin(struct rig *rig, struct driver_setup *setup)
{
	struct file_rig *own = calloc(1, sizeof(*own));

	rig->own = own;
	own->settings[0] = (struct setting){
		.name = "file-folder", .value = rig->directory};
	setup->settings = own->settings;
	for (size_t i = 0; i < RIG_PADS; i++)
		memcpy(own->pads[i].name, setup->pads[i], DRIVER_NAME_SIZE);
}

static void end(struct rig *rig)
{
	char path[128];

	for (size_t i = 0; i < RIG_PADS; i++) {
		path_of(rig, i, "", path);
		remove(path);
		path_of(rig, i, ".order", path);
		remove(path);
	}
	free(rig->own);
}

static void speak(struct rig *rig)
{
	const struct file_rig *own = rig->own;
	char path[128];

	for (size_t i = 0; i < RIG_PADS && !rig->lost; i++) {
		const char *aircraft = own->pads[i].aircraft;
		FILE *file;

		path_of(rig, i, "", path);
		file = fopen(path, "w");
		CHECK(file != NULL);
		fprintf(file, "%s %s %s %lld\n",
			*aircraft == '\0' ? "empty" : "occupied",
			*aircraft == '\0' ? "-" : aircraft,
			own->pads[i].by_air ? "air" : "wheels",
			(long long)rig->now);
		CHECK(fclose(file) == 0);
	}
}

static void put(struct rig *rig, size_t pad, const char *aircraft, bool by_air)
{
	struct file_rig *own = rig->own;

	snprintf(own->pads[pad].aircraft, DRIVER_NAME_SIZE, "%s", aircraft);
	own->pads[pad].by_air = by_air;
}

static void roll_in(struct rig *rig, size_t pad, const char *aircraft)
{
	put(rig, pad, aircraft, false);
}

/* An order is used once. */
static bool may(struct rig *rig, size_t pad, const char *aircraft)
{
	char path[128], line[80], who[DRIVER_NAME_SIZE] = "";
	long long until = 0;
	FILE *file;

	path_of(rig, pad, ".order", path);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	if (fgets(line, sizeof(line), file) == NULL ||
		sscanf(line, "%32s %lld", who, &until) != 2)
		until = 0;
	fclose(file);
	remove(path);
	return strcmp(who, aircraft) == 0 && rig->now < until;
}

static void depart(struct rig *rig, size_t pad, const char *aircraft)
{
	if (may(rig, pad, aircraft))
		put(rig, pad, "", true);
}

static void come(struct rig *rig, const char *aircraft)
{
	(void)rig;
	(void)aircraft;
}

static void land(struct rig *rig, size_t pad, const char *aircraft)
{
	if (may(rig, pad, aircraft))
		put(rig, pad, aircraft, true);
}

static void intrude(struct rig *rig, size_t pad, const char *aircraft)
{
	put(rig, pad, aircraft, true);
}

static void lose(struct rig *rig)
{
	rig->lost = true;
}

static void find(struct rig *rig)
{
	rig->lost = false;
}

extern const struct driver driver_file;

const struct rig_ops rig_file = {
	.driver = &driver_file,
	.begin = begin,
	.end = end,
	.speak = speak,
	.roll_in = roll_in,
	.depart = depart,
	.come = come,
	.land = land,
	.intrude = intrude,
	.lose = lose,
	.find = find,
};
