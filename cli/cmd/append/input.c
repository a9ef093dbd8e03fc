/* Opens and reads the input at hand. */
#include "input.h"

#include "append_options.h"
#include "blocking.h"
#include "input_format.h"
#include "message.h"
#include "read_ahead.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that are asked of the input at a time, and so committed together. */
#define READ_BYTES 524288u
/* And where a thread reads them ahead, whose reads stay in the cache until they
 * are taken; unless a commit is dear. */
#define AHEAD_BYTES 262144u

int cli_input_init(struct cli_input *input,
                   const struct cli_input_format *cutting, size_t record_max,
                   bool sync)
{
	*input = (struct cli_input){
		.fd = -1,
		.cutting = cutting,
		.record_max = record_max,
		.ahead_bytes = sync ? READ_BYTES : AHEAD_BYTES,
		.memory = malloc(record_max + READ_BYTES),
	};
	input->buffer = input->memory;
	return input->memory != NULL ? 0 : -ENOMEM;
}

void cli_input_release(struct cli_input *input)
{
	cli_read_ahead_end(input->ahead);
	free(input->memory);
	input->ahead = NULL;
	input->memory = input->buffer = NULL;
}

/* Begins another input with the same buffer. */
static void begin(struct cli_input *input, const char *name, int fd)
{
	*input = (struct cli_input){
		.name = name,
		.fd = fd,
		.cutting = input->cutting,
		.record_max = input->record_max,
		.ahead_bytes = input->ahead_bytes,
		.is_one_of_several = input->is_one_of_several,
		.memory = input->memory,
		.buffer = input->memory,
		.number = 1,
	};
}

int cli_input_open(struct cli_input *input, const char *name)
{
	bool is_stdin = strcmp(name, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO
	                  : cli_open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
	int status = fd < 0 ? -errno : 0;
	struct stat file;

	begin(input, is_stdin ? NULL : name, fd);
	input->unopened = fd < 0;
	input->is_file = fd >= 0 && fstat(fd, &file) == 0 &&
	                 S_ISREG(file.st_mode);
#ifdef F_SETPIPE_SZ
	/* Larger reads make fewer commits. */
	if (fd >= 0)
		(void)fcntl(fd, F_SETPIPE_SZ, 1 << 20);
#endif
	return status;
}

uint64_t cli_input_length(const struct cli_input *input)
{
	struct stat file;
	off_t at = lseek(input->fd, 0, SEEK_CUR);

	return at >= 0 && fstat(input->fd, &file) == 0 &&
	                       S_ISREG(file.st_mode) && at < file.st_size
	               ? (uint64_t)(file.st_size - at)
	               : 0;
}

/* Goes back to a buffer of its own, with what is in the other one. */
static void end_ahead(struct cli_input *input)
{
	if (input->ahead == NULL)
		return;
	memcpy(input->memory, input->buffer, input->used);
	input->buffer = input->memory;
	cli_read_ahead_end(input->ahead);
	input->ahead = NULL;
}

void cli_input_close(struct cli_input *input)
{
	end_ahead(input);
	if (input->name != NULL && input->fd >= 0)
		close(input->fd);
	input->fd = -1;
}

/* They are cut apart by the one byte that none of them can hold. */
int cli_input_load_messages(struct cli_input *input,
                            const struct cli_append_options *options)
{
	size_t count = cli_append_message_count(options);
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += strlen(cli_append_message(options, i)) + 1;
	free(input->memory);
	input->memory = malloc(bytes);
	input->buffer = NULL;
	if (input->memory == NULL)
		return -ENOMEM;
	begin(input, NULL, -1);
	input->cutting = &cli_input_messages;
	input->at_end = true;
	for (size_t i = 0; i < count; i++) {
		const char *text = cli_append_message(options, i);

		memcpy(input->buffer + input->used, text, strlen(text) + 1);
		input->used += strlen(text) + 1;
	}
	return 0;
}

void cli_input_drop_committed(struct cli_input *input)
{
	if (input->committed_end == 0)
		return;
	input->base += input->committed_end;
	input->used -= input->committed_end;
	input->parsed -= input->committed_end;
	memmove(input->buffer, input->buffer + input->committed_end,
	        input->used);
	input->committed_end = 0;
}

/* Has the next bytes from the thread that reads ahead. */
static ssize_t take_ahead(struct cli_input *input)
{
	cli_signals_answer();
	return cli_read_ahead_next(input->ahead, input->buffer, input->used,
	                           &input->buffer);
}

static ssize_t read_at_once(struct cli_input *input)
{
	size_t room = input->record_max + READ_BYTES - input->used;
	ssize_t got;

	end_ahead(input);
	if (room > READ_BYTES)
		room = READ_BYTES;
	got = cli_read(input->fd, input->buffer + input->used, room);
	return got < 0 ? -errno : got;
}

int cli_input_read(struct cli_input *input)
{
	ssize_t got;

	if (input->is_file && !input->began)
		input->ahead = cli_read_ahead_begin(
			input->fd, input->ahead_bytes, input->record_max);
	got = input->ahead != NULL && input->used <= input->record_max
	              ? take_ahead(input)
	              : read_at_once(input);
	if (got < 0)
		return (int)got;
	input->at_end = got == 0;
	input->used += (size_t)got;
	return 0;
}

void cli_input_skip(struct cli_input *input)
{
	size_t skipped;

	input->skipping = !cli_record_find_end(
		input->cutting, input->buffer + input->parsed,
		input->used - input->parsed, &skipped);
	input->parsed += skipped;
	if (!input->skipping)
		input->number++;
}

/* Whether there is something to read; after a signal nobody waits for it. */
static bool may_read(const struct cli_input *input)
{
	struct pollfd request = {.fd = input->fd, .events = POLLIN};

	return !input->at_end &&
	       (cli_signal_caught() == 0 || poll(&request, 1, 0) > 0);
}

void cli_input_skip_rest(struct cli_input *input)
{
	ssize_t got = 1;

	end_ahead(input);
	cli_input_skip(input);
	while (input->skipping && got > 0 && may_read(input)) {
		got = cli_read(input->fd, input->buffer, READ_BYTES);
		input->base += input->used;
		input->used = got > 0 ? (size_t)got : 0;
		input->parsed = 0;
		cli_input_skip(input);
	}
}

bool cli_input_is_used_up(const struct cli_input *input)
{
	return input->at_end && input->parsed == input->used;
}

struct cli_place cli_input_here(const struct cli_input *input)
{
	return (struct cli_place){input->base + input->parsed, input->number};
}

const char *cli_input_name(const struct cli_input *input,
                           struct cli_input_text *text)
{
	struct cli_quoted name;

	(void)snprintf(text->text, sizeof(text->text), "%s",
	               input->name == NULL ? "standard input"
	                                   : cli_quote(&name, input->name));
	return text->text;
}

const char *cli_input_record(const struct cli_input *input, uint64_t number,
                             struct cli_input_text *text)
{
	struct cli_quoted name;

	if (input->cutting->whole)
		return cli_input_name(input, text);
	if (input->name == NULL && !input->is_one_of_several)
		(void)snprintf(text->text, sizeof(text->text), "%s %" PRIu64,
		               input->cutting->noun, number);
	else
		(void)snprintf(
			text->text, sizeof(text->text), "%s %" PRIu64 " of %s",
			input->cutting->noun, number,
			input->name == NULL ? "standard input"
					    : cli_quote(&name, input->name));
	return text->text;
}
