/* controller/core.h -- a controller's judgement: what is final on the ledger
 * and what the pads say goes in, what is to be done comes out.
 *
 * No socket, no clock, no driver: an event in, a list of actions out, so that
 * every story can be told to it in a test. It keeps three things: the port as
 * the ledger last showed it, the pads as they were last measured, and what it
 * has asked the ledger to do and not heard of yet. After each event it compares
 * them and acts on the difference; so it does not matter what it missed, was
 * killed in, or is told twice.
 *
 * What it never does: act on what is not final; clear on a measurement that is
 * missing, old or contradicts the movement; command a movement that is not
 * CLEARED; call a pad free because time has passed; issue anything while it is
 * not sure that it knows the newest of the ledger.
 */
#ifndef PERCH_CONTROLLER_CORE_H
#define PERCH_CONTROLLER_CORE_H

#include <perch/client.h>

#include "driver.h"

enum {
	CORE_RESERVATIONS_MAX = 512,
	CORE_ACTIONS_MAX = 64,
	CORE_MEASURED_MS = 4000,  /* of 5000 that the contract allows */
	CORE_UNKNOWN_MS = 5000,   /* then an unknown pad is closed */
	CORE_SURE_MS = 4000,      /* since the ledger was known to be newest */
	CORE_PREPARE_MS = 60000,  /* before a window */
	CORE_AGAIN_MS = 1000,     /* orders, questions and refused wishes */
	CORE_ASK_MS = 3000,       /* for what was sent and not answered */
	CORE_CLOSE_MS = 60000,    /* how long an unknown pad is closed */
	CORE_STRANDED_MS = 10000, /* then it is sent to another window */
	CORE_MARGIN_MS = 10000,   /* a movement begins so long before the end
				     of its clearance, or not at all */
	CORE_CLEARANCE_MIN = 15000,
};

/* What it asks the ledger for. */
enum wish_kind {
	WISH_NONE,
	WISH_CLEAR,
	WISH_REVOKE,
	WISH_GO_AROUND,
	WISH_DEPARTED,
	WISH_LANDED,
	WISH_VACATED,
	WISH_CLOSE,
	WISH_OPEN,
};

/* One transaction with one operation. Its id follows from what it is about: a
 * controller that was killed and asks again asks for the same. */
struct wish {
	enum wish_kind kind;
	struct perch_id id;
	size_t pad; /* index into the port's */
	bool has_reservation;
	struct perch_id reservation;
	char aircraft[DRIVER_NAME_SIZE];
	enum perch_movement movement;
	uint64_t nonce;
	int64_t until;          /* clear, close */
	struct pad_state state; /* clear: as measured */
	int64_t time;           /* of a fact */
	struct perch_slot slot; /* go_around: pad "" when none is free */
};

enum core_doubt {
	DOUBT_NONE,
	DOUBT_NO_LEDGER,  /* nothing was read yet */
	DOUBT_CUT_OFF,    /* nobody confirms that what is known is newest */
	DOUBT_UNMEASURED, /* the pad is unknown, or measured too long ago */
	DOUBT_NOT_THERE,  /* the aircraft is not on the pad */
	DOUBT_OCCUPIED,   /* somebody else is */
	DOUBT_BLOCKED,    /* by an incursion */
	DOUBT_CLOSED,
	DOUBT_GROUP,   /* another movement in the pad's group */
	DOUBT_EARLY,   /* the window has not begun */
	DOUBT_LATE,    /* too little of it is left */
	DOUBT_GROUND,  /* its departure has not left */
	DOUBT_NO_NAME, /* no aircraft is named */
	DOUBTS,
};

enum core_action_type {
	ACTION_SUBMIT,  /* the wish */
	ACTION_ASK,     /* what became of the wish; send it again if nothing */
	ACTION_PREPARE, /* the driver: pad, movement */
	ACTION_CLEAR,
	ACTION_ABORT,
	ACTION_CLOSE,
	ACTION_DOUBT,   /* why the wish's reservation is not cleared now */
	ACTION_REFUSED, /* the ledger has refused the wish: code */
	ACTION_DONE,    /* the wish is final and granted */
};

struct core_action {
	enum core_action_type type;
	size_t pad;
	struct wish wish;
	struct movement movement;
	enum core_doubt doubt;
	uint8_t code;
};

struct core_actions {
	size_t count;
	struct core_action items[CORE_ACTIONS_MAX];
};

enum core_event_type {
	CORE_TIME,    /* nothing but the time */
	CORE_PADS,    /* the pads were measured: states */
	CORE_SYNC,    /* at `as_of` all final blocks were known */
	CORE_LEDGER,  /* port and reservations as of a height */
	CORE_REQUEST, /* final: a clearance was asked for */
	CORE_REVOKED, /* final: a clearance was taken back */
	CORE_FATE,    /* of a wish's id */
};

enum core_fate { FATE_UNKNOWN, FATE_NEVER, FATE_REFUSED, FATE_GRANTED };

struct core_event {
	enum core_event_type type;
	int64_t now;
	uint64_t height; /* of what is final; LEDGER, REQUEST, REVOKED, FATE */
	int64_t as_of;   /* SYNC, REQUEST: when it was asked */
	const struct pad_state *states; /* PADS: of each pad of the port */
	const struct perch_port *port;  /* LEDGER */
	const struct perch_reservation *reservations;
	size_t count;
	struct perch_id id;   /* REQUEST, REVOKED: reservation; FATE: wish */
	uint64_t nonce;       /* REQUEST */
	const char *aircraft; /* REQUEST */
	enum core_fate fate;
	uint8_t code;  /* FATE_REFUSED: enum refusal */
	bool was_used; /* its id was used with other content: ask */
	const struct perch_outcome *outcome; /* FATE_GRANTED, or NULL */
};

struct core_config {
	char port[DRIVER_NAME_SIZE];
	int64_t clearance_ms; /* how long one lasts */
};

/* A wish that the ledger has not answered. */
struct pending {
	struct wish wish;
	unsigned attempt;
	int64_t again; /* do not repeat or ask before */
	bool is_sent;
};

struct known {
	struct perch_reservation ledger;
	struct pending pending; /* clear, revoke, go_around */
	int64_t prepared;       /* when it was last */
	int64_t ordered;
	int64_t stranded; /* contingent, and its pad cannot be had: since */
	enum core_doubt told;
	uint64_t told_nonce;
};

struct core_pad {
	struct perch_pad ledger;
	bool was_measured;
	struct pad_state state;
	uint32_t broken_off;   /* that were told */
	int64_t unknown_since; /* 0: it is known */
	bool closed_by_us;
	int64_t closed_until;
	bool has_flown; /* somebody left by air, and it was not told yet */
	char flown[DRIVER_NAME_SIZE];
	bool has_order; /* somebody was let go or come */
	struct perch_id ordered;
	bool order_is_arrival;
	struct pending pending; /* facts, closures */
};

struct core {
	struct core_config config;
	int64_t now, sure_at;
	uint64_t height; /* the newest final height that was heard of */
	bool has_ledger;
	struct perch_port port;
	struct core_pad pads[PERCH_PADS_MAX];
	size_t count;
	struct known known[CORE_RESERVATIONS_MAX];
	enum core_doubt general; /* told */
};

void core_start(struct core *core, const struct core_config *config);
/* out is filled anew. */
void core_step(struct core *core, const struct core_event *event,
	struct core_actions *out);

/* It knows the newest of the ledger, and may issue clearances. */
bool core_is_sure(const struct core *core);
/* "clear", "unmeasured"; never NULL. */
const char *wish_name(enum wish_kind kind);
const char *core_doubt_name(enum core_doubt doubt);
/* English or Japanese: cause and cure. */
const char *core_doubt_text(enum core_doubt doubt, bool japanese);

#endif
