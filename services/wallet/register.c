/* wallet/register.c -- `register`: a new party, or a new port with its
 * controller: both or neither.
 */
#include "wallet.h"

#include <stdio.h>
#include <string.h>

static const struct setting own[] = {
	{"name", "NAME", "of the party or port", NULL, true},
	{"party", "KEY", "its public key; of a port, its controller's", NULL,
		true},
	{"quota", "N", "of an operator: live reservations at most", "1000",
		false},
	{"pads", "LIST", "of a port: A/north,B/north,C (pad/group)", NULL,
		false},
	{"lead", "TIME", "of a port: between now and a start", "0s", false},
	{"before", "TIME", "of a port: buffer before a slot", "0s", false},
	{"after", "TIME", "of a port: buffer after a slot", "0s", false},
	{"duration", "TIME", "of a port: usual length of a slot", "5m", false},
	{"hold", "TIME", "of a port: to confirm what is reserved", "0s", false},
	{"no-show", "TIME", "of a port: kept after its start; 0s: to its end",
		"0s", false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Register an operator, controller, observer or port. Signed by "
	       "the authority.",
	.words = "WHAT",
	.words_min = 1,
	.words_max = 1,
	.examples = "  perch-wallet register operator --name alice --party "
		    "b1c4... \\\n"
		    "      --config authority.conf\n"
		    "  perch-wallet register port --name naha --party "
		    "c2d5... \\\n"
		    "      --pads A/north,B/north,C",
};

static bool take_name(char out[PERCH_NAME_MAX + 1], const char *from, size_t n)
{
	if (n < 1 || n > PERCH_NAME_MAX)
		return false;
	memcpy(out, from, n);
	out[n] = '\0';
	return true;
}

/* "A/north,B/north,C" */
static bool read_pads(struct perch_port *port, const char *list)
{
	for (const char *at = list; at != NULL && *at != '\0';) {
		size_t size = strcspn(at, ","), name = strcspn(at, "/,");
		struct perch_pad *pad = &port->pads[port->pad_count];
		bool grouped = name < size;

		if (port->pad_count == PERCH_PADS_MAX ||
			!take_name(pad->name, at, name) ||
			!take_name(pad->group, grouped ? at + name + 1 : at,
				grouped ? size - name - 1 : name))
			return false;
		port->pad_count++;
		at += size;
		if (*at == ',')
			at++;
	}
	return port->pad_count > 0;
}

static enum perch_err write_port(struct wallet *wallet, struct perch_tx *tx,
	const struct perch_key *key, const char *name)
{
	struct perch_port port = {.controller = *key};
	enum perch_err err;

	if (strlen(name) > PERCH_NAME_MAX ||
		!read_pads(&port, wallet_text(wallet, "pads")))
		return PERCH_ERR_LENGTH;
	snprintf(port.name, sizeof(port.name), "%s", name);
	port.lead = wallet_duration(wallet, "lead");
	port.before = wallet_duration(wallet, "before");
	port.after = wallet_duration(wallet, "after");
	port.duration = wallet_duration(wallet, "duration");
	port.hold = wallet_duration(wallet, "hold");
	port.no_show = wallet_duration(wallet, "no-show");
	err = perch_tx_register_party(tx, key, name, PERCH_ROLE_CONTROLLER, 0);
	return err == PERCH_OK ? perch_tx_register_port(tx, &port) : err;
}

static enum perch_role role_of(const struct wallet *wallet, const char *word)
{
	if (strcmp(word, "operator") == 0)
		return PERCH_ROLE_OPERATOR;
	if (strcmp(word, "controller") == 0)
		return PERCH_ROLE_CONTROLLER;
	if (strcmp(word, "observer") == 0)
		return PERCH_ROLE_OBSERVER;
	wallet_refuse(wallet, word,
		"say operator, controller, observer or port",
		"operator、controller、observer、port "
		"のどれかにしてください");
}

int verb_register(struct wallet *wallet, int argc, char **argv)
{
	static const struct done done = {
		.english = "registered",
		.japanese = "登録しました",
	};
	const char *what, *name;
	struct perch_key key;
	struct perch_tx tx;
	enum perch_err err;

	wallet_read(wallet, &manual, own, argc, argv);
	what = wallet->options.words[0];
	name = wallet_text(wallet, "name");
	key = wallet_key(wallet, "party");
	perch_tx_start(&tx, PERCH_ALL);
	if (strcmp(what, "port") == 0)
		err = write_port(wallet, &tx, &key, name);
	else
		err = perch_tx_register_party(&tx, &key, name,
			role_of(wallet, what),
			(unsigned)options_number(
				&wallet->options, "quota", 0, 1000000));
	if (err != PERCH_OK)
		wallet_refuse(wallet, "--name --pads",
			"names are 1 to 32 letters, digits, _ or -; a port "
			"has 1 to 16 pads",
			"名前は英数字と _ - で1から32文字、"
			"パッドは1から16です");
	wallet_open(wallet, NEED_NODES | NEED_KEY);
	return wallet_submit(wallet, &tx, &done);
}
