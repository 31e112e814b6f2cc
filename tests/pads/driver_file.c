/* pads/driver_file.c -- a whole pad driver, to begin from. Its
 * device is a folder with a file a pad, which a docking station writes anew
 * every second, "occupied JA01XY air 1767225600000": what is on it, how it came
 * (air, wheels), and when that was measured; its orders are in PAD.order. */
#include "controller/driver.h"

#include <stdio.h>
#include <string.h>

struct folder {
	struct driver_setup setup;
	struct pad_state states[PERCH_PADS_MAX];
};

static FILE *open_pad(struct folder *folder, size_t pad, const char *mode)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s%s",
		driver_setting(&folder->setup, "file-folder"),
		folder->setup.pads[pad], mode[0] == 'w' ? ".order" : "");
	return fopen(path, mode);
}

static enum err folder_open(
	void *self, const struct driver_setup *setup, time_ms now, char *why)
{
	((struct folder *)self)->setup = *setup;
	snprintf(why, DRIVER_WHY, "file-folder: say which folder");
	return now > 0 && driver_setting(setup, "file-folder") ? ERR_OK
							       : ERR_CONFIG;
}

/* What is old, missing or not understood is unknown: never empty. */
static void read_pad(struct pad_state *state, FILE *file, time_ms now)
{
	char line[96] = "", is[10] = "", how[7] = "";
	long long at = 0;

	if (fgets(line, sizeof(line), file) == NULL ||
		sscanf(line, "%9s %32s %6s %lld\n", is, state->aircraft, how,
			&at) != 4 ||
		now - at > 3000)
		return;
	state->measured = at;
	state->by_air = strcmp(how, "air") == 0;
	state->is = strcmp(is, "empty") == 0      ? PAD_EMPTY
		    : strcmp(is, "occupied") == 0 ? PAD_OCCUPIED
						  : PAD_UNKNOWN;
}

static void folder_poll(void *self, time_ms now)
{
	struct folder *folder = self;

	memset(folder->states, 0, sizeof(folder->states)); /* unknown */
	for (size_t i = 0; i < folder->setup.pad_count; i++) {
		FILE *file = open_pad(folder, i, "r");

		if (file == NULL)
			continue;
		read_pad(&folder->states[i], file, now);
		fclose(file);
	}
}

static void folder_state(const void *self, size_t pad, struct pad_state *out)
{
	*out = ((const struct folder *)self)->states[pad];
}

static enum err order(void *self, size_t pad, const struct movement *movement)
{
	FILE *file = open_pad(self, pad, "w");

	if (file == NULL || fprintf(file, "%s %lld\n", movement->aircraft,
				    (long long)movement->until) < 0)
		return ERR_UNREACHABLE;
	return fclose(file) == 0 ? ERR_OK : ERR_UNREACHABLE;
}

static enum err stop(void *self, size_t pad)
{
	return order(self, pad, &(struct movement){.aircraft = "-"});
}

static const struct setting settings[] = {
	{"file-folder", "DIR", "file: where the pads' files are", NULL, false},
	{0}};
const struct driver driver_file = {.name = "file",
	.size = sizeof(struct folder),
	.settings = settings,
	.open = folder_open,
	.poll = folder_poll,
	.pad_state = folder_state,
	.clear_departure = order,
	.clear_arrival = order,
	.abort = stop,
	.close = stop};
