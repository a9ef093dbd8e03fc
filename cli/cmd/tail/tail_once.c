/* Prints logs as they are now. */
#include "tail_once.h"

#include "command.h"
#include "failure.h"
#include "message.h"
#include "name_pattern.h"
#include "scan.h"
#include "tail_merge.h"
#include "tail_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Prints from where the reader stands to the end that it holds. */
static int print_scan(struct tail *tail, struct tail_log *log,
                      struct cli_scan *scan)
{
	int count = 0;
	int result = shmlog_reader_committed_size(log->reader, &scan->end);

	while (result == 0 && tail_is_wanted(tail) &&
	       (count = cli_scan_next(scan, tail_most_frames(tail))) > 0) {
		if (!tail_print(tail, log, scan->frames, (size_t)count))
			break;
	}
	return result != 0 ? result : count;
}

static void close_log(struct tail_log *log)
{
	shmlog_reader_close(log->reader);
	shmlog_close(log->log);
	log->log = NULL;
	log->reader = NULL;
}

static void print_log(struct tail *tail, struct tail_log *log)
{
	struct cli_scan scan;
	int status;

	if (tail->merge != NULL) {
		tail_merge_scan(tail, log);
		return;
	}
	status = cli_scan_open(&scan, log->path);
	tail_note_status(tail, status);
	if (status != CLI_OK)
		return;
	log->log = scan.log;
	log->reader = scan.reader;
	cli_printer_set_log(&tail->printer, log->path);
	if (log->selection == NULL)
		cli_printer_header(&tail->printer);
	if (tail_begin_log(tail, log, false, false)) {
		int result = print_scan(tail, log, &scan);

		if (result < 0)
			tail_stop_log(tail, log, result);
	}
	tail_end_log(log);
	/* Until the cursors are saved, the log may be measured again. */
	if (tail->keeper.path == NULL)
		close_log(log);
}

/* A log that --glob has found. */
static void print_found(void *context, const char *path)
{
	struct tail *tail = context;
	char *own_path = strdup(path);
	struct tail_log *log = own_path != NULL
	                               ? keeper_add(&tail->keeper, own_path)
	                               : NULL;

	if (log == NULL) {
		free(own_path);
		tail_note_status(tail, cli_fail(path, "cannot read", -ENOMEM));
		return;
	}
	log->own_path = own_path;
	if (tail_is_wanted(tail))
		print_log(tail, log);
}

/* No log has a name that matches; a file that cannot be read may be one. */
static int report_none(const struct cli_name_pattern *pattern)
{
	if (pattern->unread != 0)
		return cli_fail(pattern->pattern,
		                "is the name of no log that can be read",
		                pattern->unread);
	cli_message(pattern->pattern, "is the name of no log");
	return CLI_NO;
}

void tail_once(struct tail *tail)
{
	const struct tail_options *options = &tail->options;

	for (size_t i = 0; i < options->log_count && tail_is_wanted(tail);
	     i++) {
		struct tail_log *log = keeper_add(
			&tail->keeper, tail_options_path(options, i));

		/* A message about a log must not overtake those before it. */
		if (i > 0)
			tail_let_out(tail);
		if (log != NULL)
			print_log(tail, log);
		else
			tail_note_status(
				tail, cli_fail(NULL, "cannot start", -ENOMEM));
	}
	for (size_t i = 0; i < options->pattern_count && tail_is_wanted(tail);
	     i++) {
		size_t before = tail->keeper.log_count;
		struct cli_name_pattern pattern;

		cli_pattern_begin(&pattern, tail_options_pattern(options, i),
		                  NULL);
		(void)cli_pattern_expand(&pattern, NULL, print_found, tail);
		if (tail->keeper.log_count == before && tail_is_wanted(tail)) {
			tail_note_status(tail, report_none(&pattern));
		}
	}
	if (tail->merge != NULL)
		tail_merge_print(tail, true);
}

void tail_once_end(struct tail *tail)
{
	for (size_t i = 0; i < tail->keeper.log_count; i++)
		close_log(tail->keeper.logs[i]);
}
