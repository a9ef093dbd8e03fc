/* Walks back through REPLIES. */
#include "reply_place.h"

#include "command.h"
#include "failure.h"
#include "json_check.h"
#include "json_scan.h"
#include "open_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the place is found from in a frame. */
struct seen_frame {
	bool has_prompt;
	uint64_t prompt;
	struct cli_json_span prompts; /* an array, or empty */
	bool is_terminal;             /* a reply, "done" or "error" */
	bool is_delta;
	uint64_t attempt;
	bool has_low, has_high;
	uint64_t low, high;
	struct cli_json_span log;
};

void reply_log_id(char id_out[REPLY_LOG_ID_BYTES], const struct shmlog *log)
{
	struct shmlog_identity identity = shmlog_identity(log);

	(void)snprintf(id_out, REPLY_LOG_ID_BYTES, "%" PRIx64 "-%" PRIx64,
	               identity.inode, (uint64_t)identity.birth_ns);
}

static void take_type(struct seen_frame *seen, struct cli_json_span value)
{
	struct cli_json_span type = {value.bytes, 0};

	if (cli_json_is_string(value))
		type = cli_json_inside(value);
	seen->is_terminal = cli_json_string_is(type, "done") ||
	                    cli_json_string_is(type, "error");
	seen->is_delta = cli_json_string_is(type, "delta");
}

static void take_member(struct seen_frame *seen,
                        const struct cli_json_member *member)
{
	if (cli_json_string_is(member->name, "prompt"))
		seen->has_prompt = cli_json_span_u64(member->value,
		                                     &seen->prompt);
	else if (cli_json_string_is(member->name, "prompts"))
		seen->prompts = member->value;
	else if (cli_json_string_is(member->name, "type"))
		take_type(seen, member->value);
	else if (cli_json_string_is(member->name, "attempt"))
		(void)cli_json_span_u64(member->value, &seen->attempt);
	else if (cli_json_string_is(member->name, "low"))
		seen->has_low = cli_json_span_u64(member->value, &seen->low);
	else if (cli_json_string_is(member->name, "high"))
		seen->has_high = cli_json_span_u64(member->value, &seen->high);
	else if (cli_json_string_is(member->name, "log") &&
	         cli_json_is_string(member->value))
		seen->log = cli_json_inside(member->value);
}

/* Takes a frame apart.  False for one that dispatch has not written. */
static bool read_frame(const struct shmlog_frame *frame,
                       struct seen_frame *seen)
{
	const char *text = (const char *)frame->payload;
	struct cli_json_error error;
	struct cli_json_member member;
	struct cli_json_scan scan;

	*seen = (struct seen_frame){0};
	if (!cli_json_check(text, frame->size_bytes, &error) ||
	    !cli_json_begin_object(&scan, text, frame->size_bytes))
		return false;
	while (cli_json_take_member(&scan, &member))
		take_member(seen, &member);
	return seen->has_prompt &&
	       (seen->is_delta ||
	        (seen->is_terminal && seen->has_low && seen->has_high &&
	         seen->log.size_bytes < REPLY_LOG_ID_BYTES));
}

/* ------------------------------------------------------------------- noting */

static struct place_prompt *find(const struct reply_place *place,
                                 uint64_t cursor)
{
	for (size_t i = place->count; i-- > 0;) {
		if (place->prompts[i].cursor == cursor)
			return &place->prompts[i];
	}
	return NULL;
}

static int note(struct reply_place *place, uint64_t cursor, bool answered,
                unsigned attempts)
{
	struct place_prompt *prompt = find(place, cursor);

	if (prompt != NULL) {
		prompt->answered |= answered;
		return 0;
	}
	if (place->count == place->room) {
		size_t room = place->room > 0 ? 2 * place->room : 64;
		struct place_prompt *larger = realloc(place->prompts,
		                                      room * sizeof(*larger));

		if (larger == NULL)
			return -ENOMEM;
		place->prompts = larger;
		place->room = room;
	}
	place->prompts[place->count++] = (struct place_prompt){cursor, answered,
	                                                       attempts};
	return 0;
}

static int note_all(struct reply_place *place, struct cli_json_span prompts)
{
	struct cli_json_scan scan;
	int status = 0;

	cli_json_begin(&scan, (const char *)prompts.bytes, prompts.size_bytes);
	if (cli_json_kind(&scan) != CLI_JSON_ARRAY)
		return 0;
	cli_json_enter(&scan);
	while (status == 0 && cli_json_next_element(&scan)) {
		uint64_t cursor;

		if (cli_json_span_u64(cli_json_take_value(&scan), &cursor) &&
		    cursor >= place->low)
			status = note(place, cursor, true, 0);
	}
	return status;
}

static void begin_place(struct reply_place *place,
                        const struct seen_frame *seen)
{
	place->known = true;
	place->low = seen->low;
	place->high = seen->high;
	memcpy(place->log, seen->log.bytes, seen->log.size_bytes);
	place->log[seen->log.size_bytes] = '\0';
}

/* Whether a reply was written before any prompt behind the place was sent, or
 * is about another log. */
static bool is_beyond(const struct reply_place *place,
                      const struct seen_frame *seen)
{
	return seen->high < place->low ||
	       seen->log.size_bytes != strlen(place->log) ||
	       memcmp(seen->log.bytes, place->log, seen->log.size_bytes) != 0;
}

/* Notes what a frame says.  1 if the frames before it say nothing more, or
 * -ENOMEM. */
static int take_frame(struct reply_place *place,
                      const struct shmlog_frame *frame)
{
	struct seen_frame seen;
	int status = 0;

	if (!read_frame(frame, &seen))
		return 0;
	if (seen.is_delta) {
		if (seen.prompt >= place->low)
			status = note(place, seen.prompt, false,
			              (unsigned)seen.attempt);
		return status;
	}
	if (!place->known)
		begin_place(place, &seen);
	else if (is_beyond(place, &seen))
		return 1;
	if (seen.prompt >= place->low)
		status = note(place, seen.prompt, true, 0);
	if (status == 0 && seen.prompts.size_bytes > 0)
		status = note_all(place, seen.prompts);
	return status;
}

static int compare(const void *a, const void *b)
{
	uint64_t one = ((const struct place_prompt *)a)->cursor;
	uint64_t other = ((const struct place_prompt *)b)->cursor;

	return one < other ? -1 : one > other;
}

static int walk_back(struct reply_place *place, struct shmlog_reader *reader)
{
	struct shmlog_frame frame;
	int status = shmlog_reader_hold_end(reader);

	if (status == 0)
		status = shmlog_reader_seek_end(reader);
	if (status != 0)
		return status;
	place->end = shmlog_reader_cursor(reader);
	do {
		status = shmlog_reader_prev(reader, &frame);
		if (status <= 0)
			break;
		status = take_frame(place, &frame);
	} while (status == 0);
	return status > 0 ? 0 : status;
}

/* Sorts the prompts.  One behind the last reply's `high` was sent as well, if
 * there are deltas of it: what is written from now on has to say so, or the
 * next run would stop at it and not come to these deltas. */
static void sort(struct reply_place *place)
{
	uint64_t last;

	if (place->count == 0)
		return;
	qsort(place->prompts, place->count, sizeof(*place->prompts), compare);
	last = place->prompts[place->count - 1].cursor;
	if (last > place->high)
		place->high = last;
}

int reply_place_find(struct reply_place *place_out, const char *path,
                     struct shmlog *log)
{
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED};
	struct shmlog_reader *reader;
	int status = shmlog_reader_open(log, &options, &reader);

	*place_out = (struct reply_place){0};
	if (status != 0)
		return cli_fail(path, "cannot read", status);
	status = walk_back(place_out, reader);
	if (status != 0)
		status = cli_reader_failed(path, reader, status);
	shmlog_reader_close(reader);
	sort(place_out);
	return status;
}

void reply_place_release(struct reply_place *place)
{
	free(place->prompts);
	*place = (struct reply_place){0};
}

const struct place_prompt *reply_place_of(const struct reply_place *place,
                                          uint64_t cursor)
{
	const struct place_prompt key = {.cursor = cursor};

	if (place->count == 0)
		return NULL;
	return bsearch(&key, place->prompts, place->count,
	               sizeof(*place->prompts), compare);
}
