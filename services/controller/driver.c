/* controller/driver.c -- what all drivers need.
 */
#include "driver.h"

#include <string.h>

const struct driver *driver_find(const char *name)
{
	for (size_t i = 0; drivers[i] != NULL; i++) {
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	}
	return NULL;
}

const char *driver_setting(const struct driver_setup *setup, const char *name)
{
	for (const struct setting *s = setup->settings;
		s != NULL && s->name != NULL; s++) {
		if (strcmp(s->name, name) == 0)
			return s->value != NULL && s->value[0] != '\0'
				       ? s->value
				       : NULL;
	}
	return NULL;
}

int driver_pad(const struct driver_setup *setup, const char *name, size_t size)
{
	for (size_t i = 0; i < setup->pad_count; i++) {
		if (strlen(setup->pads[i]) == size &&
			memcmp(setup->pads[i], name, size) == 0)
			return (int)i;
	}
	return -1;
}

const char *pad_is_name(enum pad_is is)
{
	switch (is) {
	case PAD_UNKNOWN:
		return "unknown";
	case PAD_EMPTY:
		return "empty";
	case PAD_OCCUPIED:
		return "occupied";
	}
	return "unknown";
}
