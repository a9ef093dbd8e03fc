/* Judges messages that are pulled. */
#include "pull_check.h"

#include <shmlog.h>
#include <string.h>

uint64_t pull_check_frame_bytes(const struct engine_message *message)
{
	return message->frames > 0
	               ? message->size_bytes
	               : message->size_bytes + SHMLOG_FRAME_OVERHEAD_BYTES;
}

static size_t word_at(const unsigned char *bytes)
{
	return (size_t)(bytes[0] | bytes[1] << 8);
}

/* Whether the bytes are so many whole frames. */
static bool are_frames(const unsigned char *bytes, size_t size_bytes,
                       uint64_t count)
{
	while (size_bytes >= SHMLOG_FRAME_OVERHEAD_BYTES && count > 0) {
		size_t total = word_at(bytes);

		if (total < SHMLOG_FRAME_OVERHEAD_BYTES || total > size_bytes ||
		    word_at(bytes + total - 2) != total)
			return false;
		bytes += total;
		size_bytes -= total;
		count--;
	}
	return size_bytes == 0 && count == 0;
}

uint64_t pull_check_expected(const struct pull_check *check, uint64_t cursor)
{
	return cursor - (check->known ? check->shift : 0);
}

static enum pull_verdict judge_cursor(const struct pull_check *check,
                                      const struct engine_message *message,
                                      uint64_t sequence, uint64_t cursor)
{
	if (!message->stamped)
		return PULL_GOOD;
	if (check->known && strcmp(check->log, message->log) != 0)
		return PULL_REPLACED;
	/* The first message of all is to go where its frames were.  Behind a
	 * later one that is gone, nothing is known. */
	if (!check->known && sequence > 0 && cursor != 0)
		return PULL_GOOD;
	return message->cursor == pull_check_expected(check, cursor)
	               ? PULL_GOOD
	               : PULL_SHIFTED;
}

enum pull_verdict pull_check_judge(const struct pull_check *check,
                                   const struct engine_message *message,
                                   uint64_t sequence, uint64_t cursor,
                                   bool chosen)
{
	if (!chosen && message->sequence != sequence + 1)
		return PULL_GAP;
	if (message->frames == 0 &&
	    message->size_bytes > SHMLOG_PAYLOAD_MAX_BYTES)
		return PULL_LARGE;
	if (message->frames > 0 &&
	    !are_frames(message->bytes, message->size_bytes, message->frames))
		return PULL_BAD;
	return judge_cursor(check, message, sequence, cursor);
}

void pull_check_take(struct pull_check *check,
                     const struct engine_message *message, uint64_t cursor)
{
	check->known = message->stamped;
	if (!message->stamped)
		return;
	memcpy(check->log, message->log, sizeof(check->log));
	check->shift = cursor - message->cursor;
}
