/* The options of append: what they are, what they say, and which of them
 * exclude each other. */
#ifndef CLI_APPEND_OPTIONS_H
#define CLI_APPEND_OPTIONS_H

#include "committer.h"
#include "options.h"
#include "typed.h"

#include <stdbool.h>
#include <stdint.h>

struct cli_input_format;

enum {
	CLI_APPEND_INPUT,
	CLI_APPEND_MESSAGE,
	CLI_APPEND_CREATE,
	CLI_APPEND_ATOMIC,
	CLI_APPEND_COMMIT_EVERY,
	CLI_APPEND_ACK,
	CLI_APPEND_TEE,
	CLI_APPEND_SKIP_INVALID,
	CLI_APPEND_OVERFLOW,
	CLI_APPEND_FORCE,
	CLI_APPEND_LOCK_TIMEOUT,
	CLI_APPEND_WRITER_TIMEOUT,
	CLI_APPEND_ROTATE,
	CLI_APPEND_KEEP,
	CLI_APPEND_COMPRESS,
	CLI_APPEND_NO_FOLLOW,
	CLI_APPEND_SYNC,
	CLI_APPEND_SCHEMA,
	CLI_APPEND_TYPE,
	CLI_APPEND_ENUM_NUMBERS,
	CLI_APPEND_PROGRESS,
	CLI_APPEND_OPTION_COUNT,
};

/* The table, for the command's descriptor. */
extern const struct cli_option cli_append_option_table[CLI_APPEND_OPTION_COUNT];

struct cli_append_options {
	const struct cli_args *args;
	const char *path;                      /* of the log */
	const struct cli_input_format *format; /* of the records */
	struct cli_typed typed;                /* what they are values of */
	bool skip_invalid;
	bool has_capacity;    /* a missing log is created */
	uint64_t capacity;    /* of it, bytes */
	const char *overflow; /* where the rest of the input goes, or NULL */
	struct cli_committer_options commits;
};

/*
 * Reads the options, and the definitions that they name.  CLI_OK, or an exit
 * status after a message; what was made is released in either case.
 */
int cli_append_options_read(struct cli_append_options *options,
                            const struct cli_args *args);
void cli_append_options_release(struct cli_append_options *options);

/* The texts of -m. */
size_t cli_append_message_count(const struct cli_append_options *options);
const char *cli_append_message(const struct cli_append_options *options,
                               size_t n);

/* The nth FILE, from 1 on, "-" being standard input; NULL if there is none.
 * Without -m and FILE, standard input is the first. */
const char *cli_append_file(const struct cli_append_options *options, size_t n);

#endif
