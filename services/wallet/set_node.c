/* wallet/set_node.c -- `set-node`: the authority adds, changes or removes a
 * node of the ordering cluster.
 */
#include "wallet.h"

#include <stdio.h>
#include <string.h>

static const struct setting own[] = {
	{"name", "NAME", "of the node", NULL, true},
	{"node-key", "KEY", "its public key, 64 hex digits", NULL, true},
	{"role", "ROLE", "voter, standby or none (remove it)", NULL, true},
	{"request", "TCP", "where wallets ask it: tcp://host:port", NULL,
		false},
	{"publish", "TCP", "where it publishes", NULL, false},
	{"peer", "TCP", "where other nodes reach it", NULL, false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Add, change or remove a node, one at a time. Signed by the "
	       "authority.",
	.examples = "  perch-wallet set-node --name green_planet --node-key "
		    "b1c4... --role voter \\\n"
		    "      --request tcp://10.0.0.5:7001 --publish "
		    "tcp://10.0.0.5:7002 \\\n"
		    "      --peer tcp://10.0.0.5:7003 --config authority.conf",
};

static enum perch_node_role read_role(const struct wallet *wallet)
{
	static const char *const names[] = {"none", "standby", "voter"};
	const char *text = wallet_text(wallet, "role");

	for (int i = 0; i < 3; i++) {
		if (strcmp(names[i], text) == 0)
			return (enum perch_node_role)i;
	}
	wallet_refuse(wallet, "--role", "say voter, standby or none",
		"voter、standby、none のどれかにしてください");
}

static void read_endpoint(
	const struct wallet *wallet, const char *name, char *out)
{
	const char *text = wallet_text(wallet, name);

	if (text == NULL)
		return;
	if (strncmp(text, "tcp://", 6) != 0 ||
		strlen(text) > PERCH_ENDPOINT_MAX)
		wallet_refuse(wallet, name, "an endpoint is tcp://host:port",
			"宛先は tcp://host:port の形です");
	snprintf(out, PERCH_ENDPOINT_MAX + 1, "%s", text);
}

int verb_set_node(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "the cluster has changed",
		.japanese = "構成を変更しました",
	};
	struct perch_node node = {0};
	char peer[PERCH_ENDPOINT_MAX + 1] = "";
	enum perch_node_role role;
	struct perch_tx tx;

	wallet_read(wallet, &manual, own, argc, argv);
	role = read_role(wallet);
	if (perch_unhex(&node.key, sizeof(node.key),
		    wallet_text(wallet, "node-key")) != PERCH_OK)
		wallet_refuse(wallet, "--node-key", "a key is 64 hex digits",
			"鍵は16進数64桁です");
	if (strlen(wallet_text(wallet, "name")) <= PERCH_NAME_MAX)
		snprintf(node.name, sizeof(node.name), "%s",
			wallet_text(wallet, "name"));
	read_endpoint(wallet, "request", node.request);
	read_endpoint(wallet, "publish", node.publish);
	read_endpoint(wallet, "peer", peer);
	perch_tx_start(&tx, PERCH_ALL);
	if (perch_tx_set_node(&tx, &node, role, peer) != PERCH_OK)
		wallet_refuse(wallet, "--name",
			"a name is 1 to 32 letters, digits, _ or -",
			"名前は英数字と _ - で1から32文字です");
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	return wallet_submit(wallet, &tx, &done);
}
