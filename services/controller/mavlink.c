/* controller/mavlink.c -- see mavlink.h.
 */
#include "mavlink.h"

#include <string.h>

#include "base/check.h"

enum {
	MAGIC_1 = 0xFE,
	MAGIC_2 = 0xFD,
	HEAD_1 = 6,
	HEAD_2 = 10,
	CHECKSUM = 2,
	FLAG_SIGNED = 0x01,
	SIGNATURE = 13,
};

/* Payload without and with what version 2 added; CRC_EXTRA. */
static const struct message {
	uint32_t id;
	uint8_t least, most, extra;
} messages[] = {
	{MAVLINK_HEARTBEAT, 9, 9, 50},
	{MAVLINK_GLOBAL_POSITION_INT, 28, 28, 104},
	{MAVLINK_COMMAND_LONG, 33, 33, 152},
	{MAVLINK_COMMAND_ACK, 3, 10, 143},
	{MAVLINK_EXTENDED_SYS_STATE, 2, 2, 130},
	{MAVLINK_STATUSTEXT, 51, 54, 83},
};

static const struct message *find(uint32_t id)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		if (messages[i].id == id)
			return &messages[i];
	}
	return NULL;
}

/* CRC-16/MCRF4XX: polynomial x^16 + x^12 + x^5 + 1, low bit first. */
static uint16_t checksum(const uint8_t *data, size_t size, uint8_t extra)
{
	uint16_t crc = 0xFFFF;

	for (size_t i = 0; i <= size; i++) {
		crc ^= i < size ? data[i] : extra;
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)((crc >> 1) ^
					 ((crc & 1) != 0 ? 0x8408 : 0));
	}
	return crc;
}

uint16_t mavlink_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

int32_t mavlink_i32(const uint8_t *at)
{
	return (int32_t)((uint32_t)mavlink_u16(at) |
			 (uint32_t)mavlink_u16(at + 2) << 16);
}

void mavlink_put_u16(uint8_t *at, uint16_t number)
{
	at[0] = (uint8_t)number;
	at[1] = (uint8_t)(number >> 8);
}

void mavlink_put_i32(uint8_t *at, int32_t number)
{
	mavlink_put_u16(at, (uint16_t)number);
	mavlink_put_u16(at + 2, (uint16_t)((uint32_t)number >> 16));
}

/* The size of the whole frame that begins here, or 0 when none can. */
static size_t frame_size(struct view bytes)
{
	const uint8_t *at = bytes.data;

	if (bytes.size < HEAD_1)
		return 0;
	if (at[0] == MAGIC_1)
		return (size_t)HEAD_1 + at[1] + CHECKSUM;
	if (at[0] != MAGIC_2 || bytes.size < HEAD_2)
		return 0;
	if ((at[2] & ~FLAG_SIGNED) != 0) /* says that we cannot read it */
		return 0;
	return (size_t)HEAD_2 + at[1] + CHECKSUM +
	       ((at[2] & FLAG_SIGNED) != 0 ? SIGNATURE : 0);
}

static uint32_t id_of(const uint8_t *at)
{
	return at[0] != MAGIC_2 ? at[5]
				: (uint32_t)at[7] | (uint32_t)at[8] << 8 |
					  (uint32_t)at[9] << 16;
}

/* A whole frame of this message. False: it is damaged. */
static bool take(struct mavlink_frame *out, const uint8_t *at,
	const struct message *message)
{
	bool second = at[0] == MAGIC_2;
	size_t head = second ? HEAD_2 : HEAD_1, size = at[1];
	const uint8_t *ids = second ? at + 4 : at + 2;

	if (size > message->most || (!second && size != message->least))
		return false;
	if (checksum(at + 1, head - 1 + size, message->extra) !=
		mavlink_u16(at + head + size))
		return false;
	*out = (struct mavlink_frame){
		.version = second ? 2 : 1,
		.sequence = ids[0],
		.system = ids[1],
		.component = ids[2],
		.message = message->id,
	};
	memcpy(out->payload, at + head, size);
	return true;
}

/* A frame of others is stepped over as a whole, so that its payload is not
 * mistaken for frames; whatever else is not good is stepped over by a byte. */
enum err mavlink_read(struct mavlink_frame *out, size_t *at, struct view bytes)
{
	while (*at < bytes.size) {
		struct view rest = view_of(bytes.data + *at, bytes.size - *at);
		size_t size = frame_size(rest);
		const struct message *message;

		if (size == 0 || size > rest.size) {
			*at += 1;
			continue;
		}
		message = find(id_of(rest.data));
		if (message == NULL) {
			*at += size;
		} else if (take(out, rest.data, message)) {
			*at += size;
			return ERR_OK;
		} else {
			*at += 1;
		}
	}
	return ERR_NOT_FOUND;
}

size_t mavlink_write(uint8_t *out, const struct mavlink_frame *frame)
{
	const struct message *message = find(frame->message);
	size_t head, size;

	CHECK(message != NULL && frame->version >= 1 && frame->version <= 2);
	if (frame->version == 1) {
		head = HEAD_1;
		size = message->least;
		out[0] = MAGIC_1;
		out[5] = (uint8_t)frame->message;
	} else {
		head = HEAD_2;
		size = message->most;
		/* Zeros at the end are left out; one byte always stays. */
		while (size > 1 && frame->payload[size - 1] == 0)
			size--;
		out[0] = MAGIC_2;
		out[2] = out[3] = 0;
		out[7] = (uint8_t)frame->message;
		out[8] = (uint8_t)(frame->message >> 8);
		out[9] = (uint8_t)(frame->message >> 16);
	}
	out[1] = (uint8_t)size;
	out[head == HEAD_1 ? 2 : 4] = frame->sequence;
	out[head == HEAD_1 ? 3 : 5] = frame->system;
	out[head == HEAD_1 ? 4 : 6] = frame->component;
	memcpy(out + head, frame->payload, size);
	mavlink_put_u16(out + head + size,
		checksum(out + 1, head - 1 + size, message->extra));
	return head + size + CHECKSUM;
}
