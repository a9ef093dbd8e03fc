/* Says why append ends before its input does, and what became of the data. */
#include "ending.h"

#include "append_state.h"
#include "command.h"
#include "input_format.h"
#include "message.h"
#include "refusal.h"
#include "signals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* Ends the input at a place, with an exit status. */
static int end_at(struct cli_append *append, struct cli_place rest, int status)
{
	append->ended = true;
	append->told = status != CLI_OK;
	append->rest = rest;
	return status;
}

/* How a message about the end of an input goes on. */
struct rest_text {
	char text[600];
};

/* Where the input, or what was read of it, goes from `from` on ("line 4 of
 * 'file'"), if anywhere. */
static const char *describe_rest(const struct cli_append *append,
                                 const char *from, struct rest_text *rest)
{
	struct cli_quoted file;
	bool is_whole = append->input.cutting->whole;
	const char *what = append->input.unreadable ? "what was read from "
	                                            : "the input from ";

	rest->text[0] = '\0';
	if (append->overflow.path != NULL)
		(void)snprintf(rest->text, sizeof(rest->text),
		               "; %s%s%s goes to %s", is_whole ? "" : what,
		               is_whole ? "it" : from, is_whole ? "" : " on",
		               cli_quote(&file, append->overflow.path));
	return rest->text;
}

static int report_full(const struct cli_append *append,
                       const struct cli_refused *refused)
{
	const struct cli_committer *committer = &append->committer;
	struct cli_input_text record = {.text = ""};
	struct rest_text rest;

	if (committer->options.atomic) {
		cli_message(append->options.path,
		            "full: 0 frames committed, the input does not fit "
		            "in %" PRIu64 " free bytes as one commit",
		            committer->free_bytes);
		return CLI_FULL;
	}
	cli_message(
		append->options.path,
		"full: %" PRIu64 " frames committed, %s (%zu bytes) does "
		"not fit in %" PRIu64 " free bytes%s%s",
		committer->committed,
		cli_input_record(&append->input, refused->from.number, &record),
		refused->size_bytes, committer->free_bytes,
		refused->size_bytes <= committer->free_bytes
			? " (a frame takes 4 more than its payload)"
			: "",
		describe_rest(append, "there", &rest));
	return CLI_FULL;
}

int cli_end_at_commit(struct cli_append *append, int status,
                      const struct cli_refused *refused)
{
	struct cli_input_text record = {.text = ""};
	struct rest_text rest;

	if (status == SHMLOG_ERR_FULL)
		return end_at(append, refused->from,
		              report_full(append, refused));
	cli_input_record(&append->input, refused->from.number, &record);
	status = cli_report_refusal(&append->committer, status,
	                            describe_rest(append, record.text, &rest));
	return end_at(append, refused->from, status);
}

int cli_end_at_sync(struct cli_append *append, int status)
{
	struct cli_place here = cli_input_here(&append->input);
	struct cli_input_text record = {.text = ""};
	struct rest_text rest;

	cli_input_record(&append->input, here.number, &record);
	status = cli_report_refusal(&append->committer, status,
	                            describe_rest(append, record.text, &rest));
	return end_at(append, here, status);
}

int cli_end_at_opened_log(struct cli_append *append, int status)
{
	struct cli_quoted file;
	char rest[320] = "";

	if (append->overflow.path != NULL)
		(void)snprintf(rest, sizeof(rest), "; the input goes to %s",
		               cli_quote(&file, append->overflow.path));
	return cli_report_refusal(&append->committer, status, rest);
}

int cli_end_at_record(struct cli_append *append, const char *reason)
{
	const struct cli_committer *committer = &append->committer;
	struct cli_input_text record = {.text = ""};
	struct rest_text rest;

	cli_message(
		append->options.path,
		"bad input: %s: %s; %" PRIu64 " frames committed%s%s",
		cli_input_record(&append->input, append->input.number, &record),
		reason, committer->committed,
		committer->options.atomic ? "" : " before it",
		describe_rest(append, "there", &rest));
	return end_at(append, cli_input_here(&append->input), CLI_INPUT);
}

int cli_end_at_read(struct cli_append *append, int error)
{
	struct cli_input_text name = {.text = ""};
	struct cli_input_text record = {.text = ""};
	struct rest_text rest;

	cli_input_record(&append->input, append->input.number, &record);
	cli_message(append->options.path,
	            "cannot read %s: %s; %" PRIu64 " frames committed%s",
	            cli_input_name(&append->input, &name),
	            shmlog_strerror(error), append->committer.committed,
	            describe_rest(append, record.text, &rest));
	return end_at(append, cli_input_here(&append->input), CLI_SYSTEM);
}

int cli_end_at_open(struct cli_append *append, const char *name, int error)
{
	struct cli_place here = cli_input_here(&append->input);
	struct cli_quoted file;
	bool kept = append->overflow.path != NULL;

	if (error == -EINTR)
		return end_at(append, here, CLI_OK);
	cli_message(name, "cannot open: %s; %" PRIu64 " frames committed%s%s",
	            shmlog_strerror(error), append->committer.committed,
	            kept ? "; the input behind it goes to " : "",
	            kept ? cli_quote(&file, append->overflow.path) : "");
	return end_at(append, here, CLI_SYSTEM);
}

/* Whether something of the input is neither in the log nor known to be its
 * end: in the input at hand, or in the FILEs behind it. */
static bool has_rest(const struct cli_append *append)
{
	return append->overflow.kept > 0 ||
	       !cli_input_is_used_up(&append->input) ||
	       cli_append_file(&append->options, append->file + 1) != NULL;
}

/* The frames that were committed, and those of them whose acknowledgement was
 * not written. */
static const char *describe_committed(const struct cli_append *append,
                                      struct rest_text *text)
{
	const struct cli_committer *committer = &append->committer;
	uint64_t unknown = committer->committed - committer->acknowledged;
	const char *reported = committer->options.tee.wanted ? "printed"
	                                                     : "acknowledged";
	int used = snprintf(text->text, sizeof(text->text),
	                    "%" PRIu64 " frames committed",
	                    committer->committed);

	if ((!committer->options.ack && !committer->options.tee.wanted) ||
	    unknown == 0)
		return text->text;
	used += snprintf(text->text + used, sizeof(text->text) - (size_t)used,
	                 " up to cursor %" PRIu64, committer->end_cursor);
	if (unknown == committer->committed)
		(void)snprintf(text->text + used,
		               sizeof(text->text) - (size_t)used, " but not %s",
		               reported);
	else
		(void)snprintf(text->text + used,
		               sizeof(text->text) - (size_t)used,
		               ", the last %" PRIu64 " of them not %s", unknown,
		               reported);
	return text->text;
}

void cli_report_stopped(struct cli_append *append)
{
	int error = append->committer.output->error;
	bool is_signal = error == 0 || cli_signal_caught() != 0;
	bool is_lost = append->overflow.path == NULL && has_rest(append);
	struct cli_input_text record = {.text = ""};
	struct rest_text committed = {.text = ""};
	struct rest_text rest = {.text = ""};

	cli_input_record(&append->input, append->rest.number, &record);
	if (append->overflow.path != NULL && has_rest(append))
		describe_rest(append, record.text, &rest);
	cli_message(
		append->options.path, "%s%s; %s%s%s%s%s",
		is_signal                            ? "ended by a signal"
		: append->options.commits.tee.wanted ? "cannot print: "
						     : "cannot acknowledge: ",
		is_signal ? "" : shmlog_strerror(-error),
		describe_committed(append, &committed), rest.text,
		is_lost ? "; the input from " : "", is_lost ? record.text : "",
		is_lost ? " on was not appended" : "");
	append->told = true;
	append->told_unacknowledged = !is_signal;
}

int cli_end_at_stop(struct cli_append *append)
{
	end_at(append, cli_input_here(&append->input), CLI_OK);
	/* Keeping the rest may take long.  After a signal it takes no longer
	 * than there is some, and that may be nothing. */
	if (cli_signal_caught() == 0 && append->overflow.path != NULL &&
	    !cli_input_is_used_up(&append->input))
		cli_report_stopped(append);
	return CLI_OK;
}
