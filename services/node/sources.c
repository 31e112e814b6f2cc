/* node/sources.c -- settings to sources of addresses.
 */
#include "sources.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "service/log.h"

static const struct {
	const char *name;
	enum err (*read)(
		struct finder *finder, const char *text, char why[200]);
} sources[] = {
	{"discover", finder_discover},
	{"peer", finder_peers},
	{"dns", finder_dns},
};

void sources_read(struct finder *finder, const struct options *options)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		const char *name = sources[i].name;
		const char *text = options_text(options, name);
		char why[200];
		if (text != NULL &&
			sources[i].read(finder, text, why) != ERR_OK)
			options_refuse(options, name, why);
	}
	options_number(options, "beacon", 0, UINT16_MAX);
}

void sources_beacon(
	struct node *node, const struct options *options, const char *listens)
{
	uint16_t udp =
		(uint16_t)options_number(options, "beacon", 0, UINT16_MAX);
	const char *colon = strrchr(listens, ':');
	CHECK(colon != NULL); /* it is bound */
	unsigned long port = strtoul(colon + 1, NULL, 10);
	if (udp == 0)
		return;
	enum err err = beacon_open(&node->finder.beacon, udp,
		options_text(options, "beacon-interface"),
		&node->genesis->network, &node->self->key, (uint16_t)port);
	if (err != ERR_OK)
		log_warn("discover",
			"no interface can broadcast to UDP port %u: %s; it is "
			"tried again, or name one with --beacon-interface",
			udp, err_text(err));
}
