/* Reads type definitions from files, and prints and reads frames by them. */
#include "typed.h"

#include "base64.h"
#include "blocking.h"
#include "command.h"
#include "failure.h"
#include "json_check.h"
#include "message.h"
#include "options.h"
#include "rows.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------ loading */

/* Definitions are written by people: a larger file holds something else. */
#define FILE_MAX ((size_t)64 << 20)

struct text {
	char *bytes;
	size_t used;
	size_t capacity;
};

static bool make_room(struct text *text)
{
	size_t capacity = text->capacity == 0 ? 65536 : text->capacity * 2;
	char *bytes = realloc(text->bytes, capacity);

	if (bytes == NULL)
		return false;
	text->bytes = bytes;
	text->capacity = capacity;
	return true;
}

/* Reads to the end: 0, -errno, or -EFBIG. */
static int read_all(int fd, struct text *text)
{
	for (;;) {
		ssize_t got;

		if (text->used > FILE_MAX)
			return -EFBIG;
		if (text->used == text->capacity && !make_room(text))
			return -ENOMEM;
		got = cli_read(fd, text->bytes + text->used,
		               text->capacity - text->used);
		if (got <= 0)
			return got == 0 ? 0 : -errno;
		text->used += (size_t)got;
	}
}

int cli_typed_failed(const struct cli_bendec_error *error)
{
	switch (error->failure) {
	case CLI_BENDEC_UNKNOWN_NAME: return cli_usage_error("%s", error->text);
	case CLI_BENDEC_BAD_DEFINITION:
		cli_message(error->file, "bad definitions: %s", error->text);
		return CLI_INPUT;
	case CLI_BENDEC_MISMATCH:
		cli_message(NULL, "%s", error->text);
		return CLI_NO;
	case CLI_BENDEC_BAD_VALUE:
		cli_message(NULL, "%s", error->text);
		return CLI_INPUT;
	default: cli_message(error->file, "%s", error->text); return CLI_SYSTEM;
	}
}

int cli_typed_load(struct cli_bendec *schema, const char *file)
{
	bool standard = strcmp(file, "-") == 0;
	const char *name = standard ? "standard input" : file;
	int fd = standard ? STDIN_FILENO
	                  : cli_open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
	struct cli_bendec_error error;
	struct text text = {0};
	int status;

	if (fd < 0)
		return cli_fail(file, "cannot open the definitions", -errno);
	status = read_all(fd, &text);
	if (!standard)
		close(fd);
	if (status == -EFBIG) {
		cli_message(name, "bad definitions: more than %zu MiB",
		            FILE_MAX >> 20);
		status = CLI_INPUT;
	} else if (status != 0) {
		status = cli_fail(name, "cannot read the definitions", status);
	} else if (!cli_bendec_add(schema, name, text.bytes, text.used,
	                           &error)) {
		status = cli_typed_failed(&error);
	}
	free(text.bytes);
	return status;
}

static int load_all(struct cli_typed *typed, const struct cli_args *args,
                    struct cli_typed_places places)
{
	size_t count = cli_args_count(args, places.schema);
	struct cli_bendec_error error;

	typed->schema = cli_bendec_new();
	typed->scratch = malloc(CLI_BENDEC_SCRATCH_ROOM);
	if (typed->schema == NULL || typed->scratch == NULL)
		return cli_fail(NULL, "cannot read the definitions", -ENOMEM);
	for (size_t i = 0; i < count; i++) {
		int status = cli_typed_load(
			typed->schema, cli_args_nth(args, places.schema, i));

		if (status != CLI_OK)
			return status;
	}
	if (!cli_bendec_resolve(typed->schema, &error))
		return cli_typed_failed(&error);
	typed->type = cli_bendec_choose(
		typed->schema, cli_args_value(args, places.type), &error);
	return typed->type != NULL ? CLI_OK : cli_typed_failed(&error);
}

int cli_typed_init(struct cli_typed *typed, const struct cli_args *args,
                   struct cli_typed_places places, const char *path)
{
	int status;

	*typed = (struct cli_typed){
		.path = path,
		.enum_numbers = places.numbers != CLI_NO_PLACE &&
	                        cli_args_count(args, places.numbers) > 0,
	};
	if (cli_args_count(args, places.schema) == 0) {
		if (cli_args_count(args, places.type) > 0)
			return cli_usage_error("--type needs --schema");
		if (typed->enum_numbers)
			return cli_usage_error("--enum-numbers needs --schema");
		return CLI_OK;
	}
	status = load_all(typed, args, places);
	if (status != CLI_OK)
		cli_typed_release(typed);
	return status;
}

void cli_typed_release(struct cli_typed *typed)
{
	cli_bendec_free(typed->schema);
	free(typed->scratch);
	typed->schema = NULL;
	typed->type = NULL;
	typed->scratch = NULL;
}

/* ----------------------------------------------------------------- printing */

const struct cli_bendec_type *
cli_typed_match(const struct cli_typed *typed, const struct shmlog_frame *frame,
                struct cli_bendec_error *error_out)
{
	return cli_bendec_match(typed->type, frame->payload, frame->size_bytes,
	                        error_out);
}

void cli_typed_print(const struct cli_typed *typed,
                     const struct cli_bendec_type *type,
                     struct cli_output *output,
                     const struct shmlog_frame *frame, char end)
{
	struct cli_writer writer = cli_output_writer(output);

	cli_bendec_decode(typed->schema, type, typed->enum_numbers, true,
	                  frame->payload, frame->size_bytes, end, &writer);
}

size_t cli_typed_print_plain(const struct cli_typed *typed,
                             struct cli_output *output,
                             const struct shmlog_frame *frames, size_t count,
                             char end)
{
	struct cli_writer writer = cli_output_writer(output);
	size_t i = 0;

	while (i < count &&
	       cli_bendec_decode_plain(typed->schema, typed->type,
	                               typed->enum_numbers, frames[i].payload,
	                               frames[i].size_bytes, end, &writer))
		i++;
	return writer.failed ? count : i;
}

static void print_base64(struct cli_output *output, const unsigned char *bytes,
                         size_t size_bytes)
{
	unsigned char *room = cli_output_reserve(output,
	                                         cli_base64_size(size_bytes));

	if (room != NULL)
		cli_output_advance(
			output,
			cli_base64_encode((char *)room, bytes, size_bytes));
}

void cli_typed_print_members(const struct cli_typed *typed,
                             const struct cli_bendec_type *type,
                             struct cli_output *output,
                             const struct shmlog_frame *frame)
{
	size_t extra_bytes = frame->size_bytes - type->size_bytes;
	struct cli_writer writer = cli_output_writer(output);

	cli_output_string(output, ",\"type\":");
	cli_report_quoted(output, type->name);
	cli_output_string(output, ",\"value\":");
	cli_bendec_decode(typed->schema, type, typed->enum_numbers, false,
	                  frame->payload, frame->size_bytes,
	                  extra_bytes > 0 ? ',' : '}', &writer);
	if (extra_bytes == 0)
		return;
	cli_output_string(output, "\"extra\":\"");
	print_base64(output, frame->payload + type->size_bytes, extra_bytes);
	cli_output_string(output, "\"}");
}

void cli_typed_print_error(struct cli_output *output,
                           const struct cli_bendec_error *error)
{
	cli_output_string(output, ",\"error\":");
	cli_report_quoted(output, error->text);
	cli_output_string(output, "}");
}

void cli_typed_mismatch(struct cli_typed *typed, struct cli_output *output,
                        const struct shmlog_frame *frame,
                        const struct cli_bendec_error *error)
{
	typed->mismatches++;
	/* Flushed first, so that the message follows what was printed
	 * before. */
	(void)cli_output_flush(output);
	cli_message(typed->path,
	            "the frame at cursor %" PRIu64 " does not fit its type: %s",
	            frame->cursor, error->text);
}

int cli_typed_status(const struct cli_typed *typed, int status)
{
	return status == CLI_OK && typed->mismatches > 0 ? CLI_NO : status;
}

/* ------------------------------------------------------------------ reading */

/* The members of an envelope that count where frames have a type; `at` is
 * NULL for one that is missing. */
struct members {
	struct cli_json_scan value;
	struct cli_json_scan extra;
	bool is_event;
};

static void find_members(struct cli_json_scan scan, struct members *found)
{
	struct cli_json_span name;

	memset(found, 0, sizeof(*found));
	cli_json_enter(&scan);
	while (cli_json_next_member(&scan, &name)) {
		if (cli_json_string_is(name, "value"))
			found->value = scan;
		else if (cli_json_string_is(name, "extra"))
			found->extra = scan;
		else if (cli_json_string_is(name, "event"))
			found->is_event = true;
		(void)cli_json_take_value(&scan);
	}
}

static enum cli_typed_read invalid(struct cli_bendec_error *error,
                                   const char *text)
{
	error->failure = CLI_BENDEC_BAD_VALUE;
	snprintf(error->text, sizeof(error->text), "%s", text);
	return CLI_TYPED_INVALID;
}

/* Appends the bytes of an envelope's "extra" to the payload. */
static enum cli_typed_read add_extra(const struct cli_typed *typed,
                                     struct cli_json_scan scan,
                                     unsigned char *payload, size_t *size_bytes,
                                     struct cli_bendec_error *error)
{
	size_t room = SHMLOG_PAYLOAD_MAX_BYTES - *size_bytes;
	struct cli_json_span span;
	size_t extra_bytes;

	if (cli_json_kind(&scan) != CLI_JSON_STRING)
		return invalid(error, "\"extra\" must be a string of base64");
	span = cli_json_take_string(&scan);
	if (span.size_bytes > CLI_BENDEC_SCRATCH_ROOM ||
	    !cli_json_unescape(typed->scratch, span, &extra_bytes) ||
	    !cli_base64_decode(typed->scratch, &extra_bytes,
	                       (const char *)typed->scratch, extra_bytes))
		return invalid(error, "\"extra\" is no valid base64");
	if (extra_bytes > room)
		return invalid(error, "\"extra\" is more than a frame has "
		                      "room for");
	memcpy(payload + *size_bytes, typed->scratch, extra_bytes);
	*size_bytes += extra_bytes;
	return CLI_TYPED_PAYLOAD;
}

enum cli_typed_read cli_typed_read(const struct cli_typed *typed,
                                   enum cli_typed_form form, const char *text,
                                   size_t text_bytes, unsigned char *payload,
                                   size_t *size_out,
                                   struct cli_bendec_error *error_out)
{
	struct members found = {0};
	struct cli_json_error json;
	struct cli_json_scan scan;

	if (!cli_json_check(text, text_bytes, &json)) {
		(void)snprintf(error_out->text, sizeof(error_out->text),
		               "not JSON: %s at byte %zu", json.reason,
		               json.offset + 1);
		return CLI_TYPED_INVALID;
	}
	cli_json_begin(&scan, text, text_bytes);
	if (form == CLI_TYPED_ENVELOPE) {
		if (cli_json_kind(&scan) == CLI_JSON_OBJECT)
			find_members(scan, &found);
		if (found.value.at == NULL || found.is_event)
			return CLI_TYPED_PLAIN;
		scan = found.value;
	}
	if (!cli_bendec_encode(typed->type, &scan, payload, typed->scratch,
	                       size_out, error_out))
		return CLI_TYPED_INVALID;
	if (found.extra.at == NULL)
		return CLI_TYPED_PAYLOAD;
	return add_extra(typed, found.extra, payload, size_out, error_out);
}
