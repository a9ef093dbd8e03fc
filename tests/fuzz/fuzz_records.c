/*
 * Input: what append reads is cut into the same records however it arrives.
 * INPUT: FORMAT CHUNK CHUNK CHUNK CHUNK REPEAT COUNT BYTES
 */
#include "fuzz.h"
#include "json_check.h"

#include "input_format.h"

#include <shmlog.h>
#include <stdlib.h>
#include <string.h>

/* Where an input ends, however long it is. */
#define MOST_EVENTS 4096u
#define MOST_BYTES (CLI_RECORD_MAX_BYTES + 8192u)

/* What became of the input at a place. */
struct event {
	enum cli_split split;
	enum cli_convert convert;
	size_t at;       /* in the input */
	size_t consumed; /* 0 for what ends it all */
	size_t size_bytes;
	uint64_t hash; /* of the payload, or of why there is none */
};

struct events {
	struct event *list;
	size_t count;
	size_t capacity;
};

/* An input on its way in. */
struct stream {
	const struct cli_input_format *format;
	const uint8_t *bytes;
	size_t size_bytes;
	uint8_t *buffer; /* what has arrived from `base` on, exactly */
	size_t base;
	size_t parsed;
	size_t arrived;
	bool at_end;
	bool discarding;
	struct events events;
};

static uint8_t scratch[CLI_RECORD_MAX_BYTES];

static bool is_named(const struct stream *stream, const char *name)
{
	return strcmp(stream->format->name, name) == 0;
}

/* The format of a byte: the list over and over. */
static const struct cli_input_format *choose_format(uint8_t byte)
{
	size_t count = 0;

	while (cli_input_formats[count].name != NULL)
		count++;
	return &cli_input_formats[byte % count];
}

FUZZ_JUDGE static uint64_t hash(const void *bytes, size_t size_bytes)
{
	const uint8_t *at = bytes;
	uint64_t value = 1469598103934665603u;

	for (; size_bytes > 0; size_bytes--, at++) {
		uint64_t word;

		/* Eight at a time, and what is left of them one by one. */
		for (; size_bytes > sizeof(word); size_bytes -= sizeof(word)) {
			memcpy(&word, at, sizeof(word));
			value = (value ^ word) % 1099511628211u * 16777619u;
			at += sizeof(word);
		}
		value = (value ^ *at) % 1099511628211u * 16777619u;
	}
	return value;
}

static void add(struct events *events, const struct event *event)
{
	if (events->count == events->capacity) {
		events->capacity = events->capacity * 2 + 64;
		events->list = realloc(events->list,
		                       events->capacity * sizeof(*event));
		require(events->list != NULL);
	}
	events->list[events->count++] = *event;
}

/* What is new is told apart from all that was there before, so that a record
 * which leads beyond the buffer is seen. */
static void arrive(struct stream *stream, size_t chunk_bytes)
{
	size_t left = stream->size_bytes - stream->arrived;

	if (left == 0)
		stream->at_end = true;
	stream->arrived += chunk_bytes < left ? chunk_bytes : left;
	free(stream->buffer);
	stream->base = stream->parsed;
	stream->buffer = fuzz_copy(stream->bytes + stream->base,
	                           stream->arrived - stream->base);
}

static void take_payload(struct stream *stream, const struct cli_record *record,
                         struct event *event)
{
	struct cli_payload payload;
	struct cli_json_error error;

	event->convert = cli_record_convert(stream->format, record, scratch,
	                                    &payload);
	if (event->convert == CLI_CONVERT_PAYLOAD) {
		event->size_bytes = payload.size_bytes;
		event->hash = hash(payload.bytes, payload.size_bytes);
	} else if (event->convert == CLI_CONVERT_INVALID) {
		size_t length = strnlen(payload.reason, sizeof(payload.reason));

		require(length > 0 && length < sizeof(payload.reason));
		require(fuzz_is_harmless((uint8_t *)payload.reason, length));
		event->hash = hash(payload.reason, length);
	}
	if (stream->format->convert == NULL)
		require(event->convert == CLI_CONVERT_PAYLOAD);
	if (is_named(stream, "json") && event->convert != CLI_CONVERT_NOTHING)
		require((event->convert == CLI_CONVERT_PAYLOAD) ==
		        cli_json_check((const char *)record->bytes,
		                       record->size_bytes, &error));
}

/* Passes over the rest of a record that is too long. */
static void discard(struct stream *stream)
{
	const uint8_t *from = stream->buffer + (stream->parsed - stream->base);
	size_t held = stream->arrived - stream->parsed;
	size_t passed;

	stream->discarding = !cli_record_find_end(stream->format, from, held,
	                                          &passed);
	require(passed <= held);
	require(stream->discarding
	                ? passed == held
	                : from[passed - 1] == stream->format->delimiter);
	stream->parsed += passed;
}

/* One record.  False if more has to arrive, or the input is at its end. */
static bool take_record(struct stream *stream)
{
	const uint8_t *from = stream->buffer + (stream->parsed - stream->base);
	size_t held = stream->arrived - stream->parsed;
	struct event event = {.at = stream->parsed};
	struct cli_record record;

	if (held == 0)
		return false;
	event.split = cli_record_split(stream->format, from, held,
	                               stream->at_end, &record);
	require(record.consumed <= held);
	if (event.split == CLI_SPLIT_MORE) {
		require(!stream->at_end);
		return false;
	}
	if (event.split == CLI_SPLIT_RECORD) {
		require(record.consumed > 0);
		require(record.bytes >= from &&
		        record.size_bytes <= record.consumed);
		require(record.size_bytes <= stream->format->longest);
		event.consumed = record.consumed;
		take_payload(stream, &record, &event);
	}
	add(&stream->events, &event);
	if (event.split == CLI_SPLIT_CUT || event.split == CLI_SPLIT_BROKEN ||
	    stream->events.count == MOST_EVENTS) {
		stream->parsed = stream->size_bytes;
		stream->arrived = stream->parsed;
		return true;
	}
	if (event.split == CLI_SPLIT_TOO_LONG && record.consumed == 0) {
		stream->discarding = true;
		return true;
	}
	stream->parsed += record.consumed;
	return true;
}

/* Reads all of an input, in chunks of the sizes given, over and over. */
static void read_all(struct stream *stream, const size_t *chunks, size_t count)
{
	for (size_t i = 0; !stream->at_end; i++) {
		arrive(stream, chunks[i % count]);
		for (;;) {
			if (stream->discarding)
				discard(stream);
			if (stream->discarding || !take_record(stream))
				break;
		}
	}
	require(stream->parsed == stream->size_bytes);
	free(stream->buffer);
	stream->buffer = NULL;
}

FUZZ_JUDGE static void compare(const struct events *a, const struct events *b)
{
	require(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct event *one = &a->list[i], *other = &b->list[i];

		require(one->split == other->split && one->at == other->at &&
		        one->consumed == other->consumed &&
		        one->convert == other->convert &&
		        one->size_bytes == other->size_bytes &&
		        one->hash == other->hash);
	}
}

/* Nothing is lost: the records and their delimiters are the input. */
FUZZ_JUDGE static void check_places(const struct stream *stream)
{
	size_t at = 0;

	for (size_t i = 0; i < stream->events.count; i++) {
		const struct event *event = &stream->events.list[i];

		require(event->at == at || (i > 0 && event[-1].consumed == 0));
		at = event->at + event->consumed;
		if (is_named(stream, "frames") && event->consumed > 0)
			require(event->size_bytes + 4 == event->consumed);
	}
}

/* One record by the plain way: its frame's bytes, or 0 for one that is not
 * simply a payload. */
FUZZ_JUDGE static size_t frame_plainly(const struct cli_input_format *format,
                                       const uint8_t *bytes, size_t size_bytes,
                                       uint8_t *frame_out, size_t *consumed_out)
{
	struct cli_record record;
	struct cli_payload payload;

	if (cli_record_split(format, bytes, size_bytes, false, &record) !=
	            CLI_SPLIT_RECORD ||
	    cli_record_convert(format, &record, scratch, &payload) !=
	            CLI_CONVERT_PAYLOAD)
		return 0;
	*consumed_out = record.consumed;
	return shmlog_frame_encode(frame_out, payload.bytes,
	                           payload.size_bytes);
}

/* Framing many records in one go makes the frames that the plain way makes one
 * by one, for as long as there is room; passes over what stops it. */
FUZZ_JUDGE static void check_framing(const struct cli_input_format *format,
                                     const uint8_t *bytes, size_t size_bytes)
{
	static uint8_t frame[SHMLOG_FRAME_MAX_BYTES];
	struct shmlog_batch *batch;

	require(shmlog_batch_open((size_t)2 * SHMLOG_FRAME_MAX_BYTES, &batch) ==
	        0);
	for (size_t at = 0, rounds = 0; at < size_bytes && rounds < 64;
	     at++, rounds++) {
		struct cli_framing framing = {.batch = batch,
		                              .most = size_bytes % 100};
		const uint8_t *frames;
		size_t used = 0, end = 0, consumed = 0, taken = 0;

		shmlog_batch_clear(batch);

		cli_records_frame(format, bytes + at, size_bytes - at,
		                  &framing);
		frames = shmlog_batch_frames(batch, &end);
		require(framing.count <= framing.most &&
		        framing.count == shmlog_batch_count(batch));
		for (uint64_t i = 0; i < framing.count; i++) {
			size_t size = frame_plainly(
				format, bytes + at + consumed,
				size_bytes - at - consumed, frame, &taken);

			require(size > 0 && size <= end - used);
			require(memcmp(frames + used, frame, size) == 0);
			used += size;
			consumed += taken;
		}
		require(used == end && consumed == framing.consumed);
		at += consumed;
	}
	shmlog_batch_close(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct fuzz_input input = {data, size_bytes};
	uint8_t format = fuzz_take_byte(&input);
	size_t chunks[4], whole = MOST_BYTES;
	struct stream at_once = {.format = choose_format(format)};
	struct stream in_pieces = at_once;
	uint8_t *bytes;

	for (size_t i = 0; i < 4; i++)
		chunks[i] = fuzz_take_byte(&input) + (size_t)1;
	bytes = fuzz_take_long(&input, MOST_BYTES, &size_bytes);
	/* A few dozen pieces: each makes a new copy of what is held. */
	for (size_t i = 0; i < 4; i++)
		chunks[i] += size_bytes / 64 * (i + 1);
	at_once.bytes = in_pieces.bytes = bytes;
	at_once.size_bytes = in_pieces.size_bytes = size_bytes;
	read_all(&at_once, &whole, 1);
	read_all(&in_pieces, chunks, 4);
	compare(&at_once.events, &in_pieces.events);
	check_places(&at_once);
	check_framing(at_once.format, bytes, size_bytes);
	free(at_once.events.list);
	free(in_pieces.events.list);
	free(bytes);
	return 0;
}
