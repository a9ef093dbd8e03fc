/* Verifies the framing of logs, checks payloads on request, and salvages the
 * good frames. */
#include "command.h"
#include "distinct.h"
#include "failure.h"
#include "fault_text.h"
#include "json_write.h"
#include "log_arguments.h"
#include "message.h"
#include "open_log.h"
#include "options.h"
#include "payload_check.h"
#include "progress.h"
#include "rows.h"
#include "shared_options.h"
#include "signals.h"
#include "spool.h"
#include "stdout_buffer.h"

#include <errno.h>
#include <inttypes.h>
#include <shmlog.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	OPTION_QUIET,
	OPTION_OUTPUT,
	OPTION_SALVAGE,
	OPTION_PAYLOAD,
	OPTION_SCHEMA,
	OPTION_TYPE,
	OPTION_PROGRESS,
};

static const struct cli_argument_kind payload_words = CLI_ONE_OF("json",
                                                                 "utf8");

static const struct cli_option verify_options[] = {
	CLI_QUIET_OPTION(OPTION_QUIET),
	CLI_REPORT_FORMAT_OPTION(OPTION_OUTPUT),
	[OPTION_SALVAGE] = {.name = "salvage",
                            .value = "FILE",
                            .kind = &cli_takes_file,
                            .help = "copy the good frames to a new log"},
	[OPTION_PAYLOAD] = {.name = "payload",
                            .value = "KIND",
                            .kind = &payload_words,
                            .help = "check that each payload is json or utf8"},
	CLI_SCHEMA_OPTIONS(OPTION_SCHEMA, OPTION_TYPE),
	CLI_PROGRESS_OPTION(OPTION_PROGRESS),
};

static const struct payload_places payload_places = {
	OPTION_PAYLOAD, {OPTION_SCHEMA, OPTION_TYPE, CLI_NO_PLACE}};

/* The most damaged ranges, and the most payloads that fail the check, that a
 * JSON report lists; all are counted. */
#define MOST_LISTED 1000u

struct verify {
	bool quiet;
	bool json;
	const char *salvage; /* NULL: none */
	const char *path;    /* of the log at hand */
	struct cli_output output;
	struct cli_object *object;  /* of the log at hand, for JSON */
	struct cli_object *damages; /* its list */
	uint64_t listed;
	struct payload_check payloads;
	struct cli_object *faults; /* the list of payloads that are wrong */
	uint64_t fault_count;
	struct cli_progress progress;
};

/* Prints a line of text about a log; nothing in JSON or with --quiet. */
__attribute__((format(printf, 2, 3))) static void say(struct verify *verify,
                                                      const char *format, ...)
{
	char text[1024];
	va_list arguments;

	if (verify->json || verify->quiet)
		return;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	cli_report_escaped(&verify->output, verify->path);
	cli_output_format(&verify->output, ": %s\n", text);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static int tell_damage(void *context, const struct shmlog_damage *damage)
{
	struct verify *verify = context;
	struct cli_fault_text text;

	if (verify->json && verify->listed++ < MOST_LISTED)
		cli_add_damage(verify->damages, damage);
	say(verify,
	    "%s; damaged range: cursor %" PRIu64 " to %" PRIu64 " (%" PRIu64
	    " bytes)",
	    cli_describe_fault(&text, &damage->fault), damage->fault.cursor,
	    damage->end_cursor, damage->end_cursor - damage->fault.cursor);
	cli_progress_set(&verify->progress, damage->end_cursor);
	/* A caught signal ends the walk. */
	return cli_signal_caught() != 0 ? -EINTR : 0;
}

/* Called where no frames are met: behind damage, and in the proof of a copy,
 * which is made once all of the log is done. */
static int pass_time(void *context)
{
	struct verify *verify = context;
	struct cli_progress *progress = &verify->progress;

	progress->is_apart = progress->done < progress->total;
	progress->note = progress->done < progress->total
	                         ? "looking for frames behind damage"
	                         : "verifying the copy";
	cli_progress_set(progress, progress->done);
	return cli_signal_caught() != 0 ? -EINTR : 0;
}

static void tell_payload(struct verify *verify,
                         const struct shmlog_frame *frame,
                         const struct payload_reason *reason)
{
	if (verify->json && verify->fault_count < MOST_LISTED) {
		struct cli_object *entry = cli_array_object(verify->faults);

		cli_object_u64(entry, "cursor", frame->cursor);
		cli_object_string(entry, "reason", reason->text);
	}
	say(verify, "payload of the frame at cursor %" PRIu64 " is %s",
	    frame->cursor, reason->text);
	verify->fault_count++;
}

static int pass_bytes(void *context, uint64_t bytes)
{
	struct verify *verify = context;

	verify->progress.note = NULL;
	verify->progress.is_apart = false;
	cli_progress_set(&verify->progress, bytes);
	return cli_signal_caught() != 0 ? -EINTR : 0;
}

static int pass_frames(void *context, const struct shmlog_frame *frames,
                       size_t count)
{
	struct verify *verify = context;
	struct payload_reason reason;

	for (size_t i = 0;
	     verify->payloads.kind != PAYLOAD_ANYTHING && i < count; i++) {
		if (!payload_check_frame(&verify->payloads, &frames[i],
		                         &reason))
			tell_payload(verify, &frames[i], &reason);
	}
	return pass_bytes(context, frames[count - 1].next_cursor);
}

/* Reports what is suspicious about the header, and frames behind the committed
 * data. */
static void tell_notes(struct verify *verify,
                       const struct shmlog_verify_report *report)
{
	const struct shmlog_header *header = &report->header;

	if (header->header_size > header->data_offset)
		say(verify,
		    "headerSize %" PRIu64 " lies beyond dataOffset %" PRIu64
		    ": one of them is wrong",
		    header->header_size, header->data_offset);
	if (report->frames_in_gap > 0)
		say(verify,
		    "%" PRIu64 " well-formed frame%s between headerSize and "
		    "dataOffset %" PRIu64
		    ", which readers do not see: dataOffset is likely wrong",
		    report->frames_in_gap, plural(report->frames_in_gap),
		    header->data_offset);
	if (report->leftover_frames > 0)
		say(verify,
		    "note: %" PRIu64 " well-formed frame%s beyond the commit: "
		    "a writer is at work, or ended before its commit",
		    report->leftover_frames, plural(report->leftover_frames));
}

static void tell_verdict(struct verify *verify, int found,
                         const struct shmlog_verify_report *report)
{
	tell_notes(verify, report);
	if (found == 0) {
		say(verify,
		    "framing is sound: %" PRIu64 " frame%s, %" PRIu64
		    " payload bytes",
		    report->frames, plural(report->frames),
		    report->payload_bytes);
		return;
	}
	if (report->damaged_ranges == 0) {
		say(verify,
		    "damaged header; %" PRIu64 " frame%s behind it, which are "
		    "sound in themselves",
		    report->frames, plural(report->frames));
		return;
	}
	say(verify,
	    "damaged: %" PRIu64 " range%s with %" PRIu64 " bytes; %" PRIu64
	    " good frame%s, %" PRIu64 " of them behind the first damage%s",
	    report->damaged_ranges, plural(report->damaged_ranges),
	    report->damaged_bytes, report->frames, plural(report->frames),
	    report->frames_after_damage,
	    report->torn ? "; the commit ends inside a frame" : "");
}

/* Reports the result of the check of payloads, apart from the framing. */
static void tell_payloads(struct verify *verify,
                          const struct shmlog_verify_report *report)
{
	const char *name = verify->payloads.name;
	struct cli_quoted quoted;

	if (verify->payloads.kind == PAYLOAD_ANYTHING)
		return;
	if (verify->fault_count == 0)
		say(verify, "each payload is %s",
		    verify->payloads.kind == PAYLOAD_TYPED
		            ? cli_quote(&quoted, name)
		            : name);
	else
		say(verify,
		    "payloads: %" PRIu64 " of %" PRIu64
		    " frame%s fail the check",
		    verify->fault_count, report->frames,
		    plural(report->frames));
}

static void add_payloads(struct verify *verify)
{
	struct cli_object *object = verify->object;

	if (verify->payloads.kind == PAYLOAD_ANYTHING)
		return;
	if (verify->payloads.kind == PAYLOAD_TYPED)
		cli_object_string(object, "payload_type",
		                  verify->payloads.name);
	else
		cli_object_string(object, "payload_kind",
		                  verify->payloads.name);
	cli_object_u64(object, "payload_faults", verify->fault_count);
}

static void add_report(struct verify *verify, int found,
                       const struct shmlog_verify_report *report)
{
	struct cli_object *object = verify->object;
	const struct shmlog_header *header = &report->header;

	cli_object_bool(object, "sound", found == 0);
	cli_object_u64(object, "capacity", header->capacity);
	cli_object_u64(object, "header_size", header->header_size);
	cli_object_u64(object, "data_offset", header->data_offset);
	cli_object_u64(object, "size", header->size);
	cli_object_u64(object, "frames", report->frames);
	cli_object_u64(object, "payload_bytes", report->payload_bytes);
	cli_object_u64(object, "damaged_ranges", report->damaged_ranges);
	cli_object_u64(object, "damaged_bytes", report->damaged_bytes);
	cli_object_u64(object, "frames_after_damage",
	               report->frames_after_damage);
	cli_object_bool(object, "torn", report->torn);
	cli_object_u64(object, "frames_in_gap", report->frames_in_gap);
	cli_object_u64(object, "leftover_frames", report->leftover_frames);
	cli_object_bool(object, "leftover_bytes", report->leftover_bytes);
	add_payloads(verify);
}

/* Ends the JSON object of a log and prints it. */
static int print_object(struct verify *verify, int status)
{
	char *text = cli_object_print(verify->object);

	if (text == NULL)
		return cli_fail(verify->path, "cannot report", -ENOMEM);
	if (!verify->quiet) {
		cli_output_string(&verify->output, text);
		cli_output_string(&verify->output, "\n");
	}
	free(text);
	return status;
}

/* Reports a log that cannot be walked in the same JSON list as the others. */
static int report_failure(struct verify *verify, const char *error, int status)
{
	if (!verify->json)
		return status;
	cli_object_bool(verify->object, "sound", false);
	cli_object_string(verify->object, "error", error);
	return print_object(verify, status);
}

static int report_salvage(struct verify *verify,
                          const struct shmlog_verify_report *report)
{
	struct cli_quoted file;

	if (verify->json) {
		struct cli_object *salvage = cli_object_child(verify->object,
		                                              "salvage");

		cli_object_string(salvage, "path", verify->salvage);
		cli_object_u64(salvage, "frames", report->frames);
		cli_object_u64(salvage, "payload_bytes", report->payload_bytes);
		cli_object_u64(salvage, "lost_ranges", report->damaged_ranges);
		cli_object_u64(salvage, "lost_bytes", report->damaged_bytes);
		cli_object_u64(salvage, "left_out_frames",
		               report->frames_in_gap);
	}
	char left_out[64] = "";

	if (report->frames_in_gap > 0)
		snprintf(left_out, sizeof(left_out),
		         ", and %" PRIu64 " frame%s before dataOffset",
		         report->frames_in_gap, plural(report->frames_in_gap));
	say(verify,
	    "salvaged %" PRIu64 " frame%s with %" PRIu64
	    " payload bytes to %s, verified; lost %" PRIu64
	    " range%s with %" PRIu64 " bytes%s",
	    report->frames, plural(report->frames), report->payload_bytes,
	    cli_quote(&file, verify->salvage), report->damaged_ranges,
	    plural(report->damaged_ranges), report->damaged_bytes, left_out);
	return report->damaged_ranges > 0 || report->frames_in_gap > 0
	               ? CLI_LOSS
	               : CLI_OK;
}

/* Whether a status of shmlog_salvage() is about the log and not about the copy:
 * the library's own statuses, except for a capacity that no file can have. */
static bool is_of_source(int status)
{
	return status <= SHMLOG_ERR_NOT_REGULAR &&
	       status != SHMLOG_ERR_CAPACITY;
}

/* Reports that nothing was salvaged; the log itself may be sound or not. */
static int report_no_salvage(struct verify *verify, int failure)
{
	struct cli_quoted file;

	if (is_of_source(failure)) {
		cli_message(verify->path,
		            "cannot salvage it: %s; nothing was left at %s",
		            shmlog_strerror(failure),
		            cli_quote(&file, verify->salvage));
		return report_failure(verify, shmlog_strerror(failure),
		                      cli_exit_status(failure));
	}
	int status = cli_exit_status(failure);

	cli_message(verify->salvage, "cannot salvage to it: %s; %s",
	            shmlog_strerror(failure),
	            failure == -EEXIST ? "left as it is"
	                               : "nothing was left behind");
	if (!verify->json)
		return status;
	struct cli_object *salvage = cli_object_child(verify->object,
	                                              "salvage");

	cli_object_string(salvage, "path", verify->salvage);
	cli_object_string(salvage, "error", shmlog_strerror(failure));
	return print_object(verify, status);
}

/* The permission bits of the log, which its copy gets as well. */
static mode_t mode_of(const char *path)
{
	struct stat file;
	int failed = cli_is_standard_input(path) ? fstat(STDIN_FILENO, &file)
	                                         : stat(path, &file);

	return failed == 0 && S_ISREG(file.st_mode) ? file.st_mode & 0777
	                                            : 0600;
}

/* Walks over the frames in the way that the request needs. */
static int visit(struct verify *verify, struct shmlog *log,
                 struct shmlog_verify_report *report)
{
	const struct shmlog_verify_visitor visitor = {
		.frames = pass_frames,
		.damage = tell_damage,
		.context = verify,
		.keep_going = pass_time,
	};
	const struct shmlog_counter counter = {
		.passed = pass_bytes,
		.damage = tell_damage,
		.keep_going = pass_time,
		.context = verify,
	};

	if (verify->salvage != NULL)
		return shmlog_salvage(log, verify->salvage,
		                      mode_of(verify->path), &visitor, report);
	return verify->payloads.kind != PAYLOAD_ANYTHING
	               ? shmlog_verify(log, &visitor, report)
	               : shmlog_count(log, &counter, report);
}

static int walk(struct verify *verify, struct shmlog *log)
{
	struct shmlog_verify_report report = {0};
	bool salvages = verify->salvage != NULL;
	struct shmlog_header header = {0};

	(void)shmlog_read_header(log, &header);
	cli_progress_begin(&verify->progress, verify->path,
	                   header.size - header.data_offset);
	int found = visit(verify, log, &report);

	cli_progress_end(&verify->progress, found >= 0);
	if (found == -EINTR && cli_signal_caught() != 0)
		return CLI_SYSTEM; /* and then the signal's own end */
	if (found < 0 && salvages)
		return report_no_salvage(verify, found);
	if (found < 0) {
		int status = cli_fail(verify->path, "cannot verify", found);

		return report_failure(verify, shmlog_strerror(found), status);
	}
	int status = found > 0 || verify->fault_count > 0 ? CLI_NO : CLI_OK;

	if (verify->json) {
		add_report(verify, found, &report);
	} else {
		tell_verdict(verify, found, &report);
		tell_payloads(verify, &report);
	}
	if (salvages)
		status = report_salvage(verify, &report);
	return verify->json ? print_object(verify, status) : status;
}

/* Verifies one log and returns its exit status. */
static int verify_log(struct verify *verify, const char *path)
{
	struct shmlog_header header;
	struct shmlog *log;

	verify->path = path;
	verify->listed = 0;
	verify->fault_count = 0;
	if (verify->json) {
		verify->object = cli_object_new();
		cli_object_string(verify->object, "path", path);
		verify->damages = cli_object_array(verify->object, "damage");
		if (verify->payloads.kind != PAYLOAD_ANYTHING)
			verify->faults = cli_object_array(verify->object,
			                                  "payload_fault");
	}
	int status = cli_open_to_read(path, &log);

	if (status == CLI_OK) {
		status = walk(verify, log);
		shmlog_close(log);
	} else {
		int reason = cli_is_spooled(path)
		                     ? 0
		                     : shmlog_inspect(path, &header);

		status = report_failure(verify,
		                        reason != 0 ? shmlog_strerror(reason)
		                                    : "cannot be read as a log",
		                        status);
	}
	cli_object_free(verify->object);
	verify->object = NULL;
	return status;
}

static int parse_options(const struct cli_args *args, struct verify *verify)
{
	verify->quiet = cli_args_count(args, OPTION_QUIET) > 0;
	verify->salvage = cli_args_value(args, OPTION_SALVAGE);
	if (cli_report_format(args, OPTION_OUTPUT, &verify->json) != CLI_OK)
		return CLI_USAGE;
	if (verify->salvage != NULL && strcmp(verify->salvage, "-") == 0)
		return cli_usage_error("--salvage takes the name of a new "
		                       "file, not standard output");
	if (verify->salvage != NULL && cli_args_operand_count(args) > 1)
		return cli_usage_error("--salvage takes one LOG at a time");
	if (verify->salvage != NULL &&
	    verify->payloads.kind != PAYLOAD_ANYTHING)
		return cli_usage_error("--salvage saves frames whatever their "
		                       "payloads are: it goes with neither "
		                       "--payload nor --schema");
	return CLI_OK;
}

static int verify_logs(struct verify *verify, const struct cli_args *args)
{
	int status = CLI_OK;
	int result = cli_output_init(&verify->output, STDOUT_FILENO);

	if (result != 0)
		return cli_fail(NULL, "cannot start", result);
	cli_signals_catch();
	cli_signals_guard_mappings();
	for (size_t i = 0;
	     i < cli_args_operand_count(args) && cli_signal_caught() == 0;
	     i++) {
		int one = verify_log(verify, cli_args_operand(args, i));

		status = status == CLI_OK ? one : status;
	}
	return cli_output_finish(&verify->output, status);
}

static int verify_run(const struct cli_args *args)
{
	struct verify verify = {0};
	int status = payload_check_init(&verify.payloads, args, payload_places);

	if (status == CLI_OK)
		status = parse_options(args, &verify);
	if (status == CLI_OK)
		status = cli_progress_init(
			cli_args_value(args, OPTION_PROGRESS));
	if (status == CLI_OK)
		status = cli_check_outputs(args);
	if (status == CLI_OK)
		status = verify_logs(&verify, args);
	payload_check_release(&verify.payloads);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return status;
}

const struct cli_command cmd_verify = {
	.name = "verify",
	.summary = "prove the framing of logs",
	.operands = "LOG...",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_log),
	.options = verify_options,
	.option_count = sizeof(verify_options) / sizeof(verify_options[0]),
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.notes = "Payload bytes carry no checksum and cannot be checked.",
	.run = verify_run,
};
