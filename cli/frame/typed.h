/*
 * Typed frames: the options --schema, --type and --enum-numbers, and frames
 * as JSON values by them.
 */
#ifndef CLI_TYPED_H
#define CLI_TYPED_H

#include "bendec.h"
#include "options.h"
#include "stdout_buffer.h"
#include "type_arguments.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The options, for a command's table: their places in its enum.  A command
 * that prints no values has the first two alone. */
#define CLI_SCHEMA_OPTIONS(schema_place, type_place)                       \
	[schema_place] = {.name = "schema",                                \
	                  .value = "FILE",                                 \
	                  .kind = &cli_takes_file,                         \
	                  .repeatable = true,                              \
	                  .help = "frames have a type that FILE defines"}, \
	[type_place] = {.name = "type",                                    \
	                .value = "NAME",                                   \
	                .kind = &cli_takes_type,                           \
	                .help = "the type of the frames: a struct or a union"}
#define CLI_TYPED_OPTIONS(schema_place, type_place, numbers_place) \
	CLI_SCHEMA_OPTIONS(schema_place, type_place),              \
		[numbers_place] = {                                \
			.name = "enum-numbers",                    \
			.help = "enums and flags as numbers, not names"}

struct cli_typed_places {
	size_t schema;
	size_t type;
	size_t numbers; /* or CLI_NO_PLACE */
};
#define CLI_NO_PLACE SIZE_MAX

/* A type that frames have. */
struct cli_typed {
	struct cli_bendec *schema; /* NULL where frames have no type */
	const struct cli_bendec_type *type;
	bool enum_numbers;
	const char *path;       /* of the log, for messages */
	uint64_t mismatches;    /* frames that did not fit */
	unsigned char *scratch; /* for encoding */
};

/*
 * Reads the options and the files that they name.  Without --schema frames have
 * no type.  Returns CLI_OK, or an exit status after a message; must be released
 * in either case.
 */
int cli_typed_init(struct cli_typed *typed, const struct cli_args *args,
                   struct cli_typed_places places, const char *path);
void cli_typed_release(struct cli_typed *typed);

/* Adds the definitions of a file, "-" being standard input, to a schema.
 * CLI_OK, or an exit status after a message. */
int cli_typed_load(struct cli_bendec *schema, const char *file);
/* Prints what is wrong with definitions or a name; returns the status. */
int cli_typed_failed(const struct cli_bendec_error *error);

/* Finds the struct type of a frame; NULL, with the reason, if it fits none. */
const struct cli_bendec_type *
cli_typed_match(const struct cli_typed *typed, const struct shmlog_frame *frame,
                struct cli_bendec_error *error_out);

/* Prints a frame of a `type` as its value alone, and `end` behind it. */
void cli_typed_print(const struct cli_typed *typed,
                     const struct cli_bendec_type *type,
                     struct cli_output *output,
                     const struct shmlog_frame *frame, char end);

/* Prints the first of the frames as their values alone, up to one that needs
 * more than that, and returns how many it printed. */
size_t cli_typed_print_plain(const struct cli_typed *typed,
                             struct cli_output *output,
                             const struct shmlog_frame *frames, size_t count,
                             char end);

/* Prints the rest of the envelope of such a frame, from a comma to the brace:
 * "type", "value" and, if need be, "extra". */
void cli_typed_print_members(const struct cli_typed *typed,
                             const struct cli_bendec_type *type,
                             struct cli_output *output,
                             const struct shmlog_frame *frame);

/* Prints the rest of the envelope of a frame that does not fit: "error". */
void cli_typed_print_error(struct cli_output *output,
                           const struct cli_bendec_error *error);
/* Reports such a frame, which has been printed. */
void cli_typed_mismatch(struct cli_typed *typed, struct cli_output *output,
                        const struct shmlog_frame *frame,
                        const struct cli_bendec_error *error);

/* The exit status of a command: CLI_NO instead of CLI_OK where a frame did
 * not fit. */
int cli_typed_status(const struct cli_typed *typed, int status);

enum cli_typed_form {
	CLI_TYPED_VALUE,    /* a record is a value */
	CLI_TYPED_ENVELOPE, /* it is an envelope with a value */
};

enum cli_typed_read {
	CLI_TYPED_PAYLOAD,
	CLI_TYPED_PLAIN, /* an envelope without a value: its payload counts */
	CLI_TYPED_INVALID,
};

/* Converts a record to the payload that it stands for; needs room for
 * CLI_BENDEC_PAYLOAD_ROOM bytes. */
enum cli_typed_read cli_typed_read(const struct cli_typed *typed,
                                   enum cli_typed_form form, const char *text,
                                   size_t text_bytes, unsigned char *payload,
                                   size_t *size_out,
                                   struct cli_bendec_error *error_out);

#endif
