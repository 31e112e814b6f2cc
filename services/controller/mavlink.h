/* controller/mavlink.h -- MAVLink frames, as far as a pad needs them.
 *
 * Both wire formats are read, 1 (magic FE) and 2 (magic FD); a frame is checked
 * by its length, by the checksum seeded with its message's CRC_EXTRA, and by
 * its flags, and nothing beyond the given bytes is looked at. Messages that are
 * not in the table are stepped over. (MAVLink guide, "Packet Serialization";
 * numbers and field order: common.xml.)
 */
#ifndef PERCH_CONTROLLER_MAVLINK_H
#define PERCH_CONTROLLER_MAVLINK_H

#include "base/err.h"
#include "base/view.h"

enum {
	MAVLINK_PAYLOAD_MAX = 255,
	MAVLINK_FRAME_MAX = 280, /* 10 + 255 + 2 + 13 of a signature */
	MAVLINK_TEXT_MAX = 50,
};

enum mavlink_message {
	MAVLINK_HEARTBEAT = 0,
	MAVLINK_GLOBAL_POSITION_INT = 33,
	MAVLINK_COMMAND_LONG = 76,
	MAVLINK_COMMAND_ACK = 77,
	MAVLINK_EXTENDED_SYS_STATE = 245,
	MAVLINK_STATUSTEXT = 253,
};

struct mavlink_frame {
	uint8_t version; /* 1 or 2 */
	uint8_t sequence, system, component;
	uint32_t message;
	/* The rest of a shortened payload is zero. */
	uint8_t payload[MAVLINK_PAYLOAD_MAX];
};

/* The next good frame at or after *at, which moves behind it. ERR_NOT_FOUND:
 * there is none up to the end. */
MUST_CHECK enum err mavlink_read(
	struct mavlink_frame *out, size_t *at, struct view bytes);

/* Into MAVLINK_FRAME_MAX bytes; returns how many. CHECKs that the message is in
 * the table. */
size_t mavlink_write(uint8_t *out, const struct mavlink_frame *frame);

/* Little-endian numbers of a payload. */
uint16_t mavlink_u16(const uint8_t *at);
int32_t mavlink_i32(const uint8_t *at);
void mavlink_put_u16(uint8_t *at, uint16_t number);
void mavlink_put_i32(uint8_t *at, int32_t number);

#endif
