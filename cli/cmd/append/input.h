/*
 * The input at hand: a FILE, standard input, or the texts of -m.  It is read
 * into one buffer, where records are cut from it, and what is not committed
 * stays there until it is.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "origins.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_append_options;
struct cli_input_format;
struct cli_read_ahead;

struct cli_input {
	const char *name;       /* NULL for standard input and -m */
	bool is_one_of_several; /* inputs, so that messages name it */
	int fd;                 /* -1 for -m */
	bool is_file;           /* which nobody has to wait for */
	/* How records are cut apart; what they stand for is another matter. */
	const struct cli_input_format *cutting;
	unsigned char *memory;        /* its own buffer */
	struct cli_read_ahead *ahead; /* or NULL; has buffers of its own */
	unsigned char *buffer;        /* the one in use */
	size_t record_max;    /* bytes; the buffer has room for one and for
	                        * what is read */
	uint64_t base;        /* bytes of the input before the buffer's */
	size_t used;          /* bytes in the buffer */
	size_t parsed;        /* of them, put into the committer or skipped */
	size_t committed_end; /* of them, committed or skipped */
	uint64_t number;      /* of the record at `parsed`, from 1 */
	size_t ahead_bytes;   /* of a read that is made ahead */
	bool began;           /* to be read */
	bool at_end;          /* all of it is in the buffer */
	bool unreadable;      /* reading failed */
	bool unopened;        /* opening failed */
	bool skipping; /* inside a record that is too long, at `parsed` */
};

/* Makes the buffer, for records of that size.  With `sync` each commit, and so
 * each read, waits for a disk.  0 or -ENOMEM. */
int cli_input_init(struct cli_input *input,
                   const struct cli_input_format *cutting, size_t record_max,
                   bool sync);
void cli_input_release(struct cli_input *input);

/* Opens a FILE; "-" is standard input.  0 or -errno. */
int cli_input_open(struct cli_input *input, const char *name);
void cli_input_close(struct cli_input *input);

/* How many bytes a file has still to give; 0 where nobody knows. */
uint64_t cli_input_length(const struct cli_input *input);

/* Makes the texts of -m the input.  0 or -ENOMEM. */
int cli_input_load_messages(struct cli_input *input,
                            const struct cli_append_options *options);

/* Drops what is committed from the buffer, so that there is room to read. */
void cli_input_drop_committed(struct cli_input *input);

/* Reads once.  0 or -errno, -EINTR after a signal that was caught. */
int cli_input_read(struct cli_input *input);

/* Skips what the buffer has of a record that is too long. */
void cli_input_skip(struct cli_input *input);

/* Skips all that is left of it; after a signal, what is there without
 * waiting. */
void cli_input_skip_rest(struct cli_input *input);

/* Whether nothing of it is left. */
bool cli_input_is_used_up(const struct cli_input *input);

/* The place of the next record. */
struct cli_place cli_input_here(const struct cli_input *input);

/* Names for messages, in the caller's buffer: of the input, and of a record of
 * it ("line 4", "line 4 of 'file'"). */
struct cli_input_text {
	char text[320];
};
const char *cli_input_name(const struct cli_input *input,
                           struct cli_input_text *text);
const char *cli_input_record(const struct cli_input *input, uint64_t number,
                             struct cli_input_text *text);

#endif
