/* Compares and appends. */
#include "reply_log.h"

#include "bounded_text.h"
#include "clock.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "open_log.h"
#include "signals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long another process may have the lock. */
#define LOCK_TIMEOUT_NS INT64_C(5000000000)

/* After so long without a reply nothing is kept any more. */
#define KEEP_NS INT64_C(100000000)

/* ------------------------------------------------------------------ opening */

static int find_appender(void *context, const struct shmlog_process *process)
{
	char *text = context;
	struct cli_quoted command;

	if (!process->appends && !process->maps_writable)
		return 0;
	(void)snprintf(text, 384, "pid %" PRId64 " (%s)", process->pid,
	               cli_quote(&command, process->command));
	return 1;
}

int reply_log_open(struct reply_log *replies, const char *path)
{
	char who[384] = "";
	int status;

	*replies = (struct reply_log){.path = path};
	status = cli_open_log(path, &replies->log);
	if (status != CLI_OK)
		return status;
	/* What it does not show, the first append does. */
	(void)shmlog_processes(replies->log, find_appender, who);
	if (who[0] != '\0') {
		cli_message(path,
		            "another process appends to it: %s; nothing was "
		            "sent or appended",
		            who);
		return CLI_WRITER;
	}
	status = shmlog_append_session_open(replies->log, &replies->session);
	return status == 0 ? CLI_OK : cli_fail(path, "cannot append", status);
}

void reply_log_close(struct reply_log *replies)
{
	reply_log_release(replies);
	shmlog_append_session_close(replies->session);
	shmlog_close(replies->log);
	bytes_free(&replies->frames);
	free(replies->groups);
}

/* ---------------------------------------------------------------- appending */

void reply_log_group(struct reply_log *replies, bool is_reply)
{
	if (replies->group_count == replies->group_room) {
		size_t room = replies->group_room > 0 ? 2 * replies->group_room
		                                      : 64;
		struct reply_group *larger = realloc(replies->groups,
		                                     room * sizeof(*larger));

		if (larger == NULL) {
			replies->frames.failed = true;
			return;
		}
		replies->groups = larger;
		replies->group_room = room;
	}
	replies->groups[replies->group_count++] = (struct reply_group){
		replies->frames.used, is_reply};
}

static void note_kept(struct reply_log *replies)
{
	replies->keeps_lock = shmlog_append_session_fd(replies->session) >= 0;
	replies->used_ns = cli_now_ns();
	if (cli_signals_stop_asked())
		reply_log_release(replies);
	cli_signals_defer_stop(replies->keeps_lock);
}

void reply_log_release(struct reply_log *replies)
{
	if (!replies->keeps_lock)
		return;
	replies->keeps_lock = false;
	shmlog_append_session_release(replies->session);
	cli_signals_defer_stop(false);
}

int reply_log_fd(const struct reply_log *replies)
{
	return replies->keeps_lock ? shmlog_append_session_fd(replies->session)
	                           : -1;
}

int64_t reply_log_due_ns(const struct reply_log *replies)
{
	return replies->keeps_lock ? replies->used_ns + KEEP_NS : INT64_MAX;
}

/* struct shmlog_append_options.waiting; nothing is held meanwhile. */
static int wait_for(void *context, int status)
{
	struct reply_log *replies = context;

	replies->keeps_lock = false;
	cli_signals_defer_stop(false);
	status = cli_patience_wait(&replies->patience, status);
	cli_signals_defer_stop(true);
	return status;
}

static int append(struct reply_log *replies, size_t from, size_t to)
{
	struct shmlog_append_result result;
	struct shmlog_append_options options = {
		.flags = SHMLOG_APPEND_EXPECT | SHMLOG_APPEND_WHOLE |
	                 SHMLOG_APPEND_WAKE,
		.session = replies->session,
		.waiting = wait_for,
		.context = replies,
		.expected_end_cursor = replies->end,
	};
	int status;

	replies->patience = (struct cli_patience){.log = replies->log,
	                                          .path = replies->path};
	cli_patience_begin(&replies->patience, LOCK_TIMEOUT_NS);
	do {
		if (cli_signals_stop_asked()) {
			reply_log_release(replies);
			cli_signals_defer_stop(false);
		}
		cli_signals_defer_stop(true);
		options.lock_timeout_ns = cli_patience_left(&replies->patience);
		status = shmlog_append_frames(replies->log,
		                              replies->frames.at + from,
		                              to - from, &options, &result);
	} while (status == -EINTR && cli_patience_goes_on(&replies->patience));
	cli_patience_end(&replies->patience);
	note_kept(replies);
	if (status == 0)
		replies->end = result.end_cursor;
	return status;
}

/* Says why replies were not appended. */
static int report(const struct reply_log *replies, int status)
{
	struct cli_culprit culprit;

	if (status == SHMLOG_ERR_FULL) {
		cli_message(replies->path,
		            "full: %" PRIu64 " replies were appended, and the "
		            "next one does not fit; no more prompts are read "
		            "('shmlog grow' makes the log longer, and another "
		            "run goes on)",
		            replies->appended);
		return CLI_FULL;
	}
	if (status == SHMLOG_ERR_MOVED) {
		cli_message(replies->path,
		            "another process appends to it: it does not end at "
		            "cursor %" PRIu64 " any more; %" PRIu64
		            " replies were appended before, and this one was "
		            "not",
		            replies->end, replies->appended);
		return CLI_WRITER;
	}
	cli_culprit_find(replies->log, status, &culprit);
	cli_message(replies->path,
	            "cannot append: %s%s; %" PRIu64
	            " replies were appended before",
	            shmlog_strerror(status), culprit.text, replies->appended);
	return cli_exit_status(status);
}

/* One group after the other, up to the first that does not fit. */
static int append_one_by_one(struct reply_log *replies)
{
	size_t from = 0;

	for (size_t i = 0; i < replies->group_count; i++) {
		const struct reply_group *group = &replies->groups[i];
		int status = append(replies, from, group->end);

		if (status != 0)
			return status;
		replies->appended += group->is_reply;
		from = group->end;
	}
	return 0;
}

int reply_log_flush(struct reply_log *replies)
{
	int status = 0;

	if (replies->frames.failed)
		status = -ENOMEM;
	else if (replies->frames.used > 0)
		status = append(replies, 0, replies->frames.used);
	for (size_t i = 0; status == 0 && i < replies->group_count; i++)
		replies->appended += replies->groups[i].is_reply;
	if (status == SHMLOG_ERR_FULL && replies->group_count > 1)
		status = append_one_by_one(replies);
	bytes_clear(&replies->frames);
	replies->group_count = 0;
	return status == 0 ? CLI_OK : report(replies, status);
}
