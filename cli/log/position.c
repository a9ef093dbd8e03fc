/* POS: the one grammar of positions, and how they are found in a log. */
#include "position.h"

#include "command.h"
#include "message.h"
#include "numbers.h"
#include "open_log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Frames that are passed over at a time. */
#define BATCH_FRAMES 256u

/* ----------------------------------------------------------------- parsing */

static bool parse_hex(const char *text, uint64_t *value_out)
{
	uint64_t value = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		const char *digits = "0123456789abcdef";
		char lower = *text >= 'A' && *text <= 'F'
		                     ? (char)(*text - 'A' + 'a')
		                     : *text;
		const char *digit = strchr(digits, lower);

		if (digit == NULL || value > UINT64_MAX >> 4)
			return false;
		value = value << 4 | (uint64_t)(digit - digits);
	}
	*value_out = value;
	return true;
}

/* The text behind a prefix, or NULL if `text` does not begin with it. */
static const char *behind(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static bool parse_number(const char *text, struct cli_position *position,
                         enum cli_position_kind kind)
{
	position->kind = kind;
	return cli_parse_u64(text, &position->number);
}

/* Refuses frame:-0, which could mean the end as well as the first frame. */
static bool parse_frame(const char *text, struct cli_position *position)
{
	if (*text != '-')
		return parse_number(text, position, CLI_POSITION_INDEX);
	return parse_number(text + 1, position, CLI_POSITION_FROM_END) &&
	       position->number > 0;
}

static bool parse_offset(const char *text, struct cli_position *position)
{
	const char *hex = behind(text, "0x");

	if (hex == NULL)
		return parse_number(text, position, CLI_POSITION_OFFSET);
	position->kind = CLI_POSITION_OFFSET;
	return parse_hex(hex, &position->number);
}

static bool parse(const char *text, struct cli_position *position)
{
	const char *rest;

	position->text = text;
	position->number = 0;
	if (strcmp(text, "start") == 0) {
		position->kind = CLI_POSITION_START;
		return true;
	}
	if (strcmp(text, "end") == 0) {
		position->kind = CLI_POSITION_END;
		return true;
	}
	rest = behind(text, "frame:");
	if (rest != NULL)
		return parse_frame(rest, position);
	rest = behind(text, "offset:");
	if (rest != NULL)
		return parse_offset(rest, position);
	if (*text == '-')
		return parse_number(text + 1, position, CLI_POSITION_FROM_END);
	return parse_number(text, position, CLI_POSITION_CURSOR);
}

bool cli_position_is_valid(const char *text)
{
	struct cli_position position;

	return parse(text, &position);
}

int cli_position_parse(const char *text, struct cli_position *position_out)
{
	struct cli_quoted quoted;

	if (parse(text, position_out))
		return CLI_OK;
	return cli_usage_error("%s is no position: use %s",
	                       cli_quote(&quoted, text), CLI_POSITION_FORMS);
}

/* ----------------------------------------------------------------- finding */

/* A search for a position: what is looked for, and damage that it met. */
struct search {
	const struct shmlog *log;
	struct shmlog_reader *reader;
	const struct cli_position *position;
	bool nearest;
	const char *subject;
	int damage; /* the library's status of a damaged frame that was met */
};

/* A call on the reader failed. */
static int give_up(struct search *search, int status)
{
	if (!cli_is_damage(status))
		return cli_reader_failed(search->subject, search->reader,
		                         status);
	search->damage = status;
	return CLI_NO;
}

/* "0 and 12", "100 and 119, the end", or "0, the end". */
struct neighbours_text {
	char text[96];
};

static const char *name_neighbours(struct neighbours_text *buffer,
                                   uint64_t before, uint64_t after,
                                   uint64_t end)
{
	int used = 0;

	if (before != after)
		used = snprintf(buffer->text, sizeof(buffer->text),
		                "%" PRIu64 " and ", before);
	(void)snprintf(buffer->text + used, sizeof(buffer->text) - (size_t)used,
	               "%" PRIu64 "%s", after, after == end ? ", the end" : "");
	return buffer->text;
}

/* Says that there is no such place, and names the frame starts around it. */
__attribute__((format(printf, 4, 5))) static int
no_such_place(struct search *search, uint64_t before, uint64_t after,
              const char *format, ...)
{
	struct neighbours_text neighbours;
	va_list arguments;
	char why[256];
	uint64_t end;
	int status = shmlog_reader_committed_size(search->reader, &end);

	if (status != 0)
		return give_up(search, status);
	va_start(arguments, format);
	(void)vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	cli_message(search->subject, "%s; the nearest %s %s", why,
	            before == after ? "is" : "are",
	            name_neighbours(&neighbours, before, after, end));
	return CLI_NO;
}

/* The start of the last frame and the end, which are the same in an empty
 * log and where the last frame is damaged. */
static int last_places(struct search *search, uint64_t *last_out,
                       uint64_t *end_out)
{
	struct shmlog_frame frame;
	int status = shmlog_reader_seek_end(search->reader);

	if (status != 0)
		return status;
	*end_out = shmlog_reader_cursor(search->reader);
	status = shmlog_reader_prev(search->reader, &frame);
	*last_out = shmlog_reader_cursor(search->reader);
	return status < 0 && !cli_is_damage(status) ? status : 0;
}

/* The end of the first frame, or its start where it is damaged or there is
 * none. */
static int first_places(struct search *search, uint64_t *second_out)
{
	struct shmlog_frame frame;
	int status = shmlog_reader_seek(search->reader, 0, NULL);

	if (status != 0)
		return status;
	status = shmlog_reader_next(search->reader, &frame);
	*second_out = shmlog_reader_cursor(search->reader);
	return status < 0 && !cli_is_damage(status) ? status : 0;
}

/* "cursor 5", or "offset 29, cursor 5" if that is how it was asked for. */
struct place_text {
	char text[96];
};

static const char *name_place(struct place_text *buffer,
                              const struct search *search, uint64_t cursor)
{
	if (search->position->kind == CLI_POSITION_OFFSET)
		(void)snprintf(buffer->text, sizeof(buffer->text),
		               "offset %" PRIu64 ", cursor %" PRIu64,
		               search->position->number, cursor);
	else
		(void)snprintf(buffer->text, sizeof(buffer->text),
		               "cursor %" PRIu64, cursor);
	return buffer->text;
}

static int beyond_the_end(struct search *search, uint64_t cursor)
{
	struct place_text place;
	uint64_t last;
	uint64_t end;
	int status = last_places(search, &last, &end);

	if (status != 0)
		return give_up(search, status);
	return no_such_place(search, last, end,
	                     "no frame starts at %s, beyond the end",
	                     name_place(&place, search, cursor));
}

static int seek_cursor(struct search *search, uint64_t cursor)
{
	/* Written only if no damage stands in the way. */
	struct shmlog_neighbours around = {UINT64_MAX, UINT64_MAX};
	struct place_text place;
	int status = shmlog_reader_seek(search->reader, cursor, &around);

	if (status == 0)
		return CLI_OK;
	if (status != SHMLOG_ERR_CURSOR || around.before == UINT64_MAX)
		return give_up(search, status);
	if (around.before == around.after)
		return beyond_the_end(search, cursor);
	if (!search->nearest)
		return no_such_place(search, around.before, around.after,
		                     "no frame starts at %s",
		                     name_place(&place, search, cursor));
	status = shmlog_reader_seek(search->reader, around.before, NULL);
	return status == 0 ? CLI_OK : give_up(search, status);
}

static int seek_offset(struct search *search)
{
	uint64_t offset = search->position->number;
	uint64_t data_offset = shmlog_data_offset(search->log);
	uint64_t second;
	int status;

	if (offset >= data_offset)
		return seek_cursor(search, offset - data_offset);
	status = first_places(search, &second);
	if (status != 0)
		return give_up(search, status);
	return no_such_place(search, 0, second,
	                     "no frame starts at offset %" PRIu64
	                     ", before the data at offset %" PRIu64
	                     ", cursor 0",
	                     offset, data_offset);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static int seek_from_end(struct search *search)
{
	uint64_t wanted = search->position->number;
	uint64_t second;
	uint64_t done;
	int status = shmlog_reader_seek_end(search->reader);

	for (done = 0; status == 0 && done < wanted; done++) {
		struct shmlog_frame frame;
		int result = shmlog_reader_prev(search->reader, &frame);

		if (result == 0)
			break;
		status = result < 0 ? result : 0;
	}
	if (status == 0 && done == wanted)
		return CLI_OK;
	if (status == 0)
		status = first_places(search, &second);
	if (status != 0)
		return give_up(search, status);
	return no_such_place(search, 0, second,
	                     "no frame at %s: the log has %" PRIu64 " frame%s",
	                     search->position->text, done, plural(done));
}

/* Moves to a frame that is known by its number and not behind `wanted`: where
 * the reader is, back from there, or the first one, whichever is nearest. */
static int begin_count(struct shmlog_reader *reader, uint64_t wanted,
                       uint64_t *index_out)
{
	uint64_t index = shmlog_reader_index(reader);
	struct shmlog_frame frame;
	int result = 1;

	if (index != SHMLOG_INDEX_UNKNOWN && index / 2 < wanted) {
		for (; index > wanted && result > 0; index--)
			result = shmlog_reader_prev(reader, &frame);
		*index_out = index;
		if (result > 0)
			return 0;
	}
	*index_out = 0;
	return shmlog_reader_seek(reader, 0, NULL);
}

/* Passes over `wanted` frames from the start; *done_out says how many there
 * were. */
static int pass_frames(struct shmlog_reader *reader, uint64_t wanted,
                       uint64_t *done_out)
{
	struct shmlog_frame frames[BATCH_FRAMES];
	int result = begin_count(reader, wanted, done_out);

	while (result >= 0 && *done_out < wanted) {
		uint64_t left = wanted - *done_out;

		result = shmlog_reader_next_batch(
			reader,
			left < BATCH_FRAMES ? (size_t)left : BATCH_FRAMES, 0,
			frames);
		if (result == 0)
			break;
		if (result > 0)
			*done_out += (uint64_t)result;
	}
	return result < 0 ? result : 0;
}

static int seek_index(struct search *search)
{
	uint64_t wanted = search->position->number;
	uint64_t last;
	uint64_t end;
	uint64_t done;
	int status = pass_frames(search->reader, wanted, &done);

	if (status == 0)
		status = shmlog_reader_committed_size(search->reader, &end);
	if (status == 0 && done == wanted &&
	    shmlog_reader_cursor(search->reader) < end)
		return CLI_OK;
	if (status == 0)
		status = last_places(search, &last, &end);
	if (status != 0)
		return give_up(search, status);
	return no_such_place(search, last, end,
	                     "no %s: the log has %" PRIu64
	                     " frame%s, counted from 0",
	                     search->position->text, done, plural(done));
}

static int find(struct search *search)
{
	int status = 0;

	switch (search->position->kind) {
	case CLI_POSITION_START:
		status = shmlog_reader_seek(search->reader, 0, NULL);
		break;
	case CLI_POSITION_END:
		status = shmlog_reader_seek_end(search->reader);
		break;
	case CLI_POSITION_CURSOR:
		return seek_cursor(search, search->position->number);
	case CLI_POSITION_OFFSET: return seek_offset(search);
	case CLI_POSITION_FROM_END: return seek_from_end(search);
	case CLI_POSITION_INDEX: return seek_index(search);
	}
	return status == 0 ? CLI_OK : give_up(search, status);
}

int cli_position_seek_or_damage(const struct shmlog *log,
                                struct shmlog_reader *reader,
                                const struct cli_position *position,
                                bool nearest, const char *subject,
                                int *damage_out)
{
	struct search search = {
		.log = log,
		.reader = reader,
		.position = position,
		.nearest = nearest,
		.subject = subject,
	};
	int status = find(&search);

	*damage_out = search.damage;
	return status;
}

int cli_position_seek(const struct shmlog *log, struct shmlog_reader *reader,
                      const struct cli_position *position, bool nearest,
                      const char *subject)
{
	int damage;
	int status = cli_position_seek_or_damage(log, reader, position, nearest,
	                                         subject, &damage);

	if (damage != 0)
		return cli_reader_failed(subject, reader, damage);
	return status;
}
