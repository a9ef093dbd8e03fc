/* Takes records from the input at hand, and commits them as they come. */
#include "intake.h"

#include "append_state.h"
#include "clash.h"
#include "command.h"
#include "ending.h"
#include "failure.h"
#include "input_format.h"
#include "message.h"
#include "signals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* Whether the input at hand is the log that took the place of another one. */
static int check_new_log(struct cli_append *append)
{
	const char *name = append->input.name;

	return append->input.fd < 0
	               ? CLI_OK
	               : cli_check_opened(append, name == NULL
	                                                  ? "standard input"
	                                                  : name);
}

int cli_take_commit(struct cli_append *append)
{
	struct cli_refused refused;
	int status = cli_committer_commit(&append->committer, &refused);
	bool turned = append->log != append->committer.log;

	append->log = append->committer.log;
	if (status != 0) {
		/* What was committed before is to be acknowledged first. */
		(void)cli_committer_sync(&append->committer);
		return cli_end_at_commit(append, status, &refused);
	}
	/* Nothing up to `parsed` is of interest any more. */
	append->input.committed_end = append->input.parsed;
	return turned ? check_new_log(append) : CLI_OK;
}

int cli_take_sync(struct cli_append *append)
{
	int status = cli_committer_sync(&append->committer);

	return status == 0 ? CLI_OK : cli_end_at_sync(append, status);
}

/* Whether to end before the input does: after a signal, or once nobody reads
 * the acknowledgements. */
static bool is_stopped(const struct cli_append *append)
{
	return cli_signal_caught() != 0 || append->committer.output->error != 0;
}

/* ----------------------------------------------------------- one by one */

/* Cuts the first record from what the buffer has at `parsed`. */
static enum cli_split split_next(const struct cli_append *append,
                                 struct cli_record *record_out)
{
	const struct cli_input *input = &append->input;
	const struct cli_typed *typed = &append->options.typed;
	const unsigned char *bytes = input->buffer + input->parsed;
	size_t size_bytes = input->used - input->parsed;

	if (typed->type != NULL)
		return cli_value_split(input->cutting, typed, bytes, size_bytes,
		                       input->at_end, record_out);
	return cli_record_split(input->cutting, bytes, size_bytes,
	                        input->at_end, record_out);
}

static enum cli_convert convert(const struct cli_append *append,
                                const struct cli_record *record,
                                struct cli_payload *payload_out)
{
	const struct cli_append_options *options = &append->options;

	if (options->typed.type != NULL)
		return cli_value_convert(options->format, &options->typed,
		                         record, append->scratch, payload_out);
	return cli_record_convert(options->format, record, append->scratch,
	                          payload_out);
}

/* Puts one payload into the committer. */
static int put(struct cli_append *append, const struct cli_payload *payload)
{
	int status = cli_committer_put(
		&append->committer, payload->bytes, payload->size_bytes,
		cli_input_here(&append->input), append->input.cutting->surplus);

	if (status == 0)
		return CLI_OK;
	cli_message(append->options.path,
	            "cannot hold the input back for one commit: %s; 0 frames "
	            "committed",
	            shmlog_strerror(status));
	return cli_exit_status(status);
}

/* A record that cannot be appended.  CLI_OK if it is skipped. */
static int reject(struct cli_append *append, const char *reason)
{
	struct cli_input_text record = {.text = ""};
	int status = CLI_OK;

	cli_committer_release_lock(&append->committer);
	if (append->options.skip_invalid) {
		cli_message(append->options.path, "skipped %s: %s",
		            cli_input_record(&append->input,
		                             append->input.number, &record),
		            reason);
		append->skipped++;
		return CLI_OK;
	}
	if (!append->options.commits.atomic)
		status = cli_take_commit(append);
	return status == CLI_OK ? cli_end_at_record(append, reason) : status;
}

static int reject_size(struct cli_append *append, size_t size_bytes, bool exact)
{
	char reason[128];

	(void)snprintf(reason, sizeof(reason),
	               "%s%zu bytes are more than the %u that a frame holds",
	               exact ? "" : "at least ", size_bytes,
	               SHMLOG_PAYLOAD_MAX_BYTES);
	return reject(append, reason);
}

static int take_record(struct cli_append *append,
                       const struct cli_record *record)
{
	struct cli_payload payload;

	switch (convert(append, record, &payload)) {
	case CLI_CONVERT_NOTHING: return CLI_OK;
	case CLI_CONVERT_INVALID: return reject(append, payload.reason);
	default: break;
	}
	if (payload.size_bytes > SHMLOG_PAYLOAD_MAX_BYTES)
		return reject_size(append, payload.size_bytes, true);
	return put(append, &payload);
}

/* A record whose end is out of sight and which is too long already. */
static int take_too_long(struct cli_append *append,
                         const struct cli_record *record)
{
	int status = append->options.typed.type != NULL
	                     ? reject(append, "longer than any value of its "
	                                      "type is")
	                     : reject_size(append, record->size_bytes,
	                                   record->consumed > 0);

	if (status == CLI_OK && record->consumed == 0)
		cli_input_skip(&append->input);
	return status;
}

static int take_broken_frame(struct cli_append *append, bool cut)
{
	/* Behind a broken frame nothing can be told apart, whatever may be
	 * skipped. */
	append->options.skip_invalid = false;
	return reject(append, cut ? "the input ends inside this frame"
	                          : "its two size words make no frame");
}

/* Takes the first record at `parsed`; *more_out: it is not all there. */
static int take_next(struct cli_append *append, bool *more_out)
{
	struct cli_record record;
	int status = CLI_OK;
	enum cli_split split = split_next(append, &record);

	switch (split) {
	case CLI_SPLIT_MORE: *more_out = true; return CLI_OK;
	case CLI_SPLIT_RECORD: status = take_record(append, &record); break;
	case CLI_SPLIT_TOO_LONG: status = take_too_long(append, &record); break;
	default: return take_broken_frame(append, split == CLI_SPLIT_CUT);
	}
	if (status == CLI_OK && record.consumed > 0) {
		append->input.parsed += record.consumed;
		append->input.number++;
	}
	return status;
}

/* --------------------------------------------------------- many at once */

/* Takes the records at `parsed` that need no closer look, all in one go.
 * False if the next one is not of these. */
static bool take_simple(struct cli_append *append)
{
	const struct cli_input_format *format = append->options.format;
	struct cli_input *input = &append->input;
	struct cli_framing framing = {0};

	/* The texts of -m are cut apart in another way than they are meant. */
	if (append->options.typed.type != NULL || format != input->cutting)
		return false;
	framing.batch = cli_committer_batch(&append->committer, &framing.most);
	cli_records_frame(format, input->buffer + input->parsed,
	                  input->used - input->parsed, &framing);
	cli_committer_add(&append->committer, framing.count,
	                  cli_input_here(input), format->surplus);
	input->parsed += framing.consumed;
	input->number += framing.count;
	return framing.count > 0;
}

/* Takes all whole records in the buffer, and commits as they come: also after
 * a signal, as nobody can read them again. */
static int take_buffer(struct cli_append *append)
{
	const struct cli_committer_options *commits = &append->options.commits;
	struct cli_input *input = &append->input;
	bool more = false;
	int status = CLI_OK;

	if (input->skipping)
		cli_input_skip(input);
	while (status == CLI_OK && !more && input->parsed < input->used &&
	       !input->skipping && append->committer.output->error == 0) {
		if (!cli_committer_has_room(&append->committer))
			status = cli_take_commit(append);
		if (status == CLI_OK && take_simple(append))
			cli_committer_write_ahead(&append->committer);
		else if (status == CLI_OK)
			status = take_next(append, &more);
		if (status == CLI_OK &&
		    cli_committer_is_due(&append->committer))
			status = cli_take_commit(append);
	}
	if (status == CLI_OK && !commits->atomic &&
	    !cli_committer_gathers(&append->committer))
		status = cli_take_commit(append);
	return status;
}

/* --------------------------------------------------------------- reading */

/* Makes room to read.  What waits for --commit-every is kept until it is
 * committed, but must not stop the reading. */
static int make_room(struct cli_append *append)
{
	struct cli_input *input = &append->input;
	int status = CLI_OK;

	if (append->options.commits.atomic)
		input->committed_end = input->parsed;
	if (input->used - input->committed_end > input->record_max &&
	    input->committed_end < input->parsed)
		status = cli_take_commit(append);
	if (status == CLI_OK)
		cli_input_drop_committed(input);
	return status;
}

/* Whether the input is what a follower of the log prints, after a message.  A
 * follower that is started at the same time has said so before it prints. */
static bool is_fed(const struct cli_append *append)
{
	struct cli_input_text name = {.text = ""};

	if (append->options.commits.force ||
	    shmlog_is_fed(append->log, append->input.fd) != 1)
		return false;
	cli_message(append->options.path,
	            "%s comes from a tail that follows this log: what is "
	            "appended would come back without end; %" PRIu64
	            " frames committed",
	            cli_input_name(&append->input, &name),
	            append->committer.committed);
	return true;
}

/* What is complete is committed, as it is where a signal ends the input. */
static int end_unreadable(struct cli_append *append, int error)
{
	int status = append->options.commits.atomic ? CLI_OK
	                                            : cli_take_commit(append);

	append->input.unreadable = true;
	return status == CLI_OK ? cli_end_at_read(append, error) : status;
}

/* Reads once.  CLI_OK, or an exit status after a message; a signal counts as
 * the end. */
static int read_more(struct cli_append *append)
{
	struct cli_input *input = &append->input;
	size_t had = input->used;
	int ended = CLI_OK;

	if (!cli_committer_gather(&append->committer, input->fd))
		ended = cli_take_commit(append);
	if (ended == CLI_OK &&
	    cli_committer_must_sync(&append->committer, input->fd))
		ended = cli_take_sync(append);
	if (ended != CLI_OK)
		return ended;
	/* A file has its bytes at once. */
	if (!input->is_file)
		cli_committer_wait(&append->committer, input->fd);
	/* A signal that ended that wait would end no other one. */
	if (cli_signal_caught() != 0)
		return CLI_OK;
	int status = cli_input_read(input);

	if (status != 0 && status != -EINTR)
		return end_unreadable(append, status);
	if (input->used > had && !input->began && is_fed(append))
		return CLI_USAGE;
	input->began = true;
	return CLI_OK;
}

/* An empty input is one empty payload where the whole of it is one. */
static int take_empty_whole(struct cli_append *append)
{
	struct cli_payload payload = {.bytes = append->input.buffer};

	return put(append, &payload);
}

static bool is_empty_whole(const struct cli_append *append)
{
	const struct cli_input *input = &append->input;

	return input->at_end && input->used == 0 && input->cutting->whole &&
	       !input->skipping && append->options.typed.type == NULL;
}

/* Commits what an input leaves waiting: it comes from this buffer. */
static int finish(struct cli_append *append, int status)
{
	if (status == CLI_OK && !append->options.commits.atomic)
		status = cli_take_commit(append);
	if (status == CLI_OK)
		status = cli_take_sync(append);
	if (status == CLI_OK && is_stopped(append))
		status = cli_end_at_stop(append);
	return status;
}

int cli_take_input(struct cli_append *append)
{
	int status = CLI_OK;

	while (status == CLI_OK && !append->input.at_end &&
	       !is_stopped(append)) {
		status = make_room(append);
		if (status == CLI_OK)
			status = read_more(append);
		if (status == CLI_OK && is_empty_whole(append))
			status = take_empty_whole(append);
		if (status == CLI_OK)
			status = take_buffer(append);
		cli_progress_set(&append->progress,
		                 cli_input_here(&append->input).at);
	}
	return finish(append, status);
}

int cli_take_loaded(struct cli_append *append)
{
	return finish(append, take_buffer(append));
}
