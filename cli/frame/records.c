/* Cutting input into records, and records into payloads. */
#include "records.h"

#include "envelope.h"
#include "json_check.h"
#include "typed.h"

#include <shmlog.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
	[CLI_INPUT_LINES] = "lines",   [CLI_INPUT_NUL] = "nul",
	[CLI_INPUT_JSON] = "json",     [CLI_INPUT_ENVELOPE] = "envelope",
	[CLI_INPUT_FRAMES] = "frames", [CLI_INPUT_WHOLE] = "whole",
};

bool cli_input_format_parse(const char *name, enum cli_input_format *format_out)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			*format_out = (enum cli_input_format)i;
			return true;
		}
	}
	return false;
}

const char *cli_record_noun(enum cli_input_format format)
{
	switch (format) {
	case CLI_INPUT_NUL: return "record";
	case CLI_INPUT_FRAMES: return "frame";
	case CLI_INPUT_WHOLE: return "input";
	default: return "line";
	}
}

unsigned cli_record_surplus(enum cli_input_format format)
{
	return format == CLI_INPUT_FRAMES ? 0 : SHMLOG_FRAME_OVERHEAD_BYTES - 1;
}

static size_t longest_record(enum cli_input_format format)
{
	return format == CLI_INPUT_ENVELOPE ? CLI_RECORD_MAX_BYTES
	                                    : SHMLOG_PAYLOAD_MAX_BYTES;
}

static enum cli_split split_delimited(unsigned char delimiter, size_t longest,
                                      const unsigned char *bytes,
                                      size_t size_bytes, bool at_end,
                                      struct cli_record *record_out)
{
	const unsigned char *found = memchr(bytes, delimiter, size_bytes);
	size_t length = found != NULL ? (size_t)(found - bytes) : size_bytes;

	record_out->bytes = bytes;
	record_out->size_bytes = length;
	record_out->consumed = found != NULL ? length + 1 : 0;
	if (found == NULL && at_end)
		record_out->consumed = length;
	if (length > longest)
		return CLI_SPLIT_TOO_LONG;
	return record_out->consumed > 0 ? CLI_SPLIT_RECORD : CLI_SPLIT_MORE;
}

static enum cli_split split_frame(const unsigned char *bytes, size_t size_bytes,
                                  bool at_end, struct cli_record *record_out)
{
	size_t total = SHMLOG_FRAME_OVERHEAD_BYTES;

	record_out->bytes = bytes;
	record_out->size_bytes = size_bytes;
	record_out->consumed = 0;
	if (size_bytes >= 2)
		total = (size_t)bytes[0] | (size_t)bytes[1] << 8;
	if (total < SHMLOG_FRAME_OVERHEAD_BYTES)
		return CLI_SPLIT_BROKEN;
	if (total > size_bytes || size_bytes < 2)
		return at_end ? CLI_SPLIT_CUT : CLI_SPLIT_MORE;
	if (memcmp(bytes, bytes + total - 2, 2) != 0)
		return CLI_SPLIT_BROKEN;
	record_out->bytes = bytes + 2;
	record_out->size_bytes = total - SHMLOG_FRAME_OVERHEAD_BYTES;
	record_out->consumed = total;
	return CLI_SPLIT_RECORD;
}

static enum cli_split split_whole(size_t longest, const unsigned char *bytes,
                                  size_t size_bytes, bool at_end,
                                  struct cli_record *record_out)
{
	record_out->bytes = bytes;
	record_out->size_bytes = size_bytes;
	record_out->consumed = at_end ? size_bytes : 0;
	if (size_bytes > longest)
		return CLI_SPLIT_TOO_LONG;
	return at_end ? CLI_SPLIT_RECORD : CLI_SPLIT_MORE;
}

static enum cli_split split(enum cli_input_format format, size_t longest,
                            const unsigned char *bytes, size_t size_bytes,
                            bool at_end, struct cli_record *record_out)
{
	switch (format) {
	case CLI_INPUT_FRAMES:
		return split_frame(bytes, size_bytes, at_end, record_out);
	case CLI_INPUT_WHOLE:
		return split_whole(longest, bytes, size_bytes, at_end,
		                   record_out);
	case CLI_INPUT_NUL:
		return split_delimited('\0', longest, bytes, size_bytes, at_end,
		                       record_out);
	default:
		return split_delimited('\n', longest, bytes, size_bytes, at_end,
		                       record_out);
	}
}

enum cli_split cli_record_split(enum cli_input_format format,
                                const unsigned char *bytes, size_t size_bytes,
                                bool at_end, struct cli_record *record_out)
{
	return split(format, longest_record(format), bytes, size_bytes, at_end,
	             record_out);
}

/* JSON's own blanks. */
static bool is_blank(const struct cli_record *record)
{
	for (size_t i = 0; i < record->size_bytes; i++) {
		if (strchr(" \t\r\n", record->bytes[i]) == NULL ||
		    record->bytes[i] == '\0')
			return false;
	}
	return true;
}

static enum cli_convert refuse(struct cli_payload *payload_out,
                               const char *what,
                               const struct cli_json_error *error)
{
	snprintf(payload_out->reason, sizeof(payload_out->reason),
	         "%s: %s at byte %zu", what, error->reason, error->offset + 1);
	return CLI_CONVERT_INVALID;
}

static enum cli_convert convert_json(const struct cli_record *record,
                                     struct cli_payload *payload_out)
{
	struct cli_json_error error;

	if (!cli_json_check((const char *)record->bytes, record->size_bytes,
	                    &error))
		return refuse(payload_out, "not JSON", &error);
	return CLI_CONVERT_PAYLOAD;
}

static enum cli_convert convert_envelope(const struct cli_record *record,
                                         unsigned char *scratch,
                                         struct cli_payload *payload_out)
{
	struct cli_json_error error;
	struct cli_envelope envelope;

	if (!cli_envelope_parse((const char *)record->bytes, record->size_bytes,
	                        scratch, &envelope, &error))
		return refuse(payload_out, "no envelope", &error);
	if (envelope.is_event)
		return CLI_CONVERT_NOTHING;
	payload_out->bytes = envelope.payload;
	payload_out->size_bytes = envelope.size_bytes;
	return CLI_CONVERT_PAYLOAD;
}

enum cli_convert cli_record_convert(enum cli_input_format format,
                                    const struct cli_record *record,
                                    unsigned char *scratch,
                                    struct cli_payload *payload_out)
{
	payload_out->bytes = record->bytes;
	payload_out->size_bytes = record->size_bytes;
	if (format != CLI_INPUT_JSON && format != CLI_INPUT_ENVELOPE)
		return CLI_CONVERT_PAYLOAD;
	if (is_blank(record))
		return CLI_CONVERT_NOTHING;
	return format == CLI_INPUT_JSON
	               ? convert_json(record, payload_out)
	               : convert_envelope(record, scratch, payload_out);
}

/* ----------------------------------------------------------------- framing */

static bool wants_more(const struct cli_framing *framing)
{
	return framing->count < framing->most &&
	       framing->room_bytes - framing->used >= SHMLOG_FRAME_MAX_BYTES;
}

/*
 * Records that are their payloads.  memchr() and memcpy() for each, which are
 * as wide as the processor allows, take no longer than one loop of 16 bytes at
 * a time that scans and copies at once (0.8 to 1.0 of their speed).
 */
static void frame_delimited(unsigned char delimiter, bool is_json,
                            const unsigned char *bytes, size_t size_bytes,
                            struct cli_framing *framing)
{
	const unsigned char *at = bytes;
	const unsigned char *end = bytes + size_bytes;
	struct cli_json_error error;

	while (at < end && wants_more(framing)) {
		const unsigned char *found = memchr(at, delimiter,
		                                    (size_t)(end - at));
		size_t length = found != NULL ? (size_t)(found - at) : SIZE_MAX;

		if (length > SHMLOG_PAYLOAD_MAX_BYTES ||
		    (is_json &&
		     !cli_json_check((const char *)at, length, &error)))
			break;
		framing->used += shmlog_frame_encode(
			framing->frames + framing->used, at, length);
		framing->count++;
		at += length + 1;
	}
	framing->consumed = (size_t)(at - bytes);
}

/* Records that are frames already. */
static void frame_frames(const unsigned char *bytes, size_t size_bytes,
                         struct cli_framing *framing)
{
	struct cli_record record;

	while (framing->used < size_bytes && wants_more(framing) &&
	       split_frame(bytes + framing->used, size_bytes - framing->used,
	                   false, &record) == CLI_SPLIT_RECORD) {
		framing->used += record.consumed;
		framing->count++;
	}
	memcpy(framing->frames, bytes, framing->used);
	framing->consumed = framing->used;
}

void cli_records_frame(enum cli_input_format format, const unsigned char *bytes,
                       size_t size_bytes, struct cli_framing *framing)
{
	switch (format) {
	case CLI_INPUT_LINES:
	case CLI_INPUT_JSON:
		frame_delimited('\n', format == CLI_INPUT_JSON, bytes,
		                size_bytes, framing);
		break;
	case CLI_INPUT_NUL:
		frame_delimited('\0', false, bytes, size_bytes, framing);
		break;
	case CLI_INPUT_FRAMES: frame_frames(bytes, size_bytes, framing); break;
	default: break;
	}
}

/* ------------------------------------------------------------------ values */

/* Blanks between the parts of a value, and escapes, are not counted with its
 * JSON; there is room for as much again. */
size_t cli_value_max(const struct cli_typed *typed)
{
	return CLI_RECORD_MAX_BYTES + 2 * (size_t)typed->type->json_bytes;
}

enum cli_split cli_value_split(enum cli_input_format format,
                               const struct cli_typed *typed,
                               const unsigned char *bytes, size_t size_bytes,
                               bool at_end, struct cli_record *record_out)
{
	return split(format, cli_value_max(typed), bytes, size_bytes, at_end,
	             record_out);
}

enum cli_convert cli_value_convert(enum cli_input_format format,
                                   const struct cli_typed *typed,
                                   const struct cli_record *record,
                                   unsigned char *scratch,
                                   struct cli_payload *payload_out)
{
	enum cli_typed_form form = format == CLI_INPUT_ENVELOPE
	                                   ? CLI_TYPED_ENVELOPE
	                                   : CLI_TYPED_VALUE;
	struct cli_bendec_error error;

	if (is_blank(record))
		return CLI_CONVERT_NOTHING;
	switch (cli_typed_read(typed, form, (const char *)record->bytes,
	                       record->size_bytes, scratch,
	                       &payload_out->size_bytes, &error)) {
	case CLI_TYPED_PLAIN:
		return convert_envelope(record, scratch, payload_out);
	case CLI_TYPED_INVALID:
		snprintf(payload_out->reason, sizeof(payload_out->reason), "%s",
		         error.text);
		return CLI_CONVERT_INVALID;
	default: payload_out->bytes = scratch; return CLI_CONVERT_PAYLOAD;
	}
}
