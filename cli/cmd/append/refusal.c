/* Says why a commit was refused. */
#include "refusal.h"

#include "command.h"
#include "committer.h"
#include "failure.h"
#include "fault_text.h"
#include "message.h"
#include "open_log.h"
#include "signals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* How far into a log the damage is looked for: a fraction of a second. */
#define LOOK_BYTES ((uint64_t)256 << 20)

struct reason {
	char text[1024]; /* a fault_text, and the words around it */
};

/* Where frames are that may be overwritten, or have been. */
static void describe_doubt(const struct cli_committer *committer,
                           struct reason *doubt)
{
	const struct shmlog_append_result *result = &committer->last;

	doubt->text[0] = '\0';
	if (result->doubtful_frames > 0)
		(void)snprintf(doubt->text, sizeof(doubt->text),
		               "; %" PRIu64 " frames at cursor %" PRIu64
		               " to %" PRIu64 " are in doubt",
		               result->doubtful_frames, result->doubtful_cursor,
		               result->doubtful_end_cursor);
}

/* A size beyond the file: the file was cut, or the word is wrong. */
static const char *explain_length(const struct cli_committer *committer,
                                  struct reason *reason)
{
	struct shmlog_header header;
	int status = shmlog_read_header(committer->log, &header);

	if (status == 0 || cli_is_errno(status) ||
	    header.capacity < committer->capacity ||
	    header.size <= header.capacity)
		return shmlog_strerror(SHMLOG_ERR_MAPPING_GONE);
	(void)snprintf(reason->text, sizeof(reason->text),
	               "the size word of the log is damaged: it says %" PRIu64
	               ", and the file has %" PRIu64 " bytes",
	               header.size, header.capacity);
	return reason->text;
}

/* Walks to the first damage, and describes it.  Its status; 0 if it is not
 * found. */
static int find_damage(struct shmlog_reader *reader,
                       struct cli_fault_text *text)
{
	struct shmlog_frame frame;
	int got = 1;

	while (got == 1 && shmlog_reader_cursor(reader) < LOOK_BYTES)
		got = shmlog_reader_next(reader, &frame);
	if (got >= 0 || !cli_is_damage(got))
		return 0;
	(void)cli_describe_fault(text, shmlog_reader_fault(reader));
	return got;
}

/* Says what was found in the place of a frame. */
static const char *explain_damage(const struct cli_committer *committer,
                                  int status, struct reason *reason)
{
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED};
	struct cli_fault_text text = {.text = ""};
	struct shmlog_reader *reader;
	int found = 0;

	if (shmlog_reader_open(committer->log, &options, &reader) == 0) {
		found = find_damage(reader, &text);
		shmlog_reader_close(reader);
	}
	(void)snprintf(reason->text, sizeof(reason->text), "%s%s%s",
	               (found != 0 ? found : status) == SHMLOG_ERR_TORN
	                       ? shmlog_strerror(SHMLOG_ERR_TORN)
	                       : "the committed data is damaged, and no "
	                         "reader gets past that",
	               found != 0 ? ": " : "", text.text);
	return reason->text;
}

static const char *explain(const struct cli_committer *committer, int status,
                           struct reason *reason)
{
	switch (status) {
	case -EOPNOTSUPP:
		return "the log is in memory, of which nothing outlasts a "
		       "power cut";
	case SHMLOG_ERR_WENT_BACK:
		return "the log was overwritten: the end of the committed data "
		       "went back";
	case SHMLOG_ERR_MAPPING_GONE: return explain_length(committer, reason);
	case SHMLOG_ERR_TORN:
	case SHMLOG_ERR_FRAME_CORRUPT:
		return explain_damage(committer, status, reason);
	default: return shmlog_strerror(status);
	}
}

int cli_report_refusal(const struct cli_committer *committer, int status,
                       const char *rest)
{
	struct cli_culprit culprit;
	struct reason reason;
	struct reason doubt;

	if (status == -EINTR && cli_signal_caught() != 0) {
		cli_message(committer->path,
		            "ended by a signal while another process held the "
		            "lock; %" PRIu64 " frames committed%s",
		            committer->committed, rest);
		return CLI_SYSTEM;
	}
	cli_culprit_find(committer->log, status, &culprit);
	describe_doubt(committer, &doubt);
	if (committer->unacknowledged > 0 && committer->unsynced)
		(void)snprintf(doubt.text, sizeof(doubt.text),
		               "; the last %" PRIu64
		               " frames committed may not "
		               "be on the disk",
		               committer->unacknowledged);
	cli_message(committer->path,
	            "cannot %s: %s%s%s; %" PRIu64 " frames committed%s%s",
	            committer->unsynced    ? "sync"
	            : committer->unrotated ? "rotate"
	                                   : "append",
	            explain(committer, status, &reason), culprit.text,
	            doubt.text, committer->committed,
	            committer->committed > 0 ? " before" : "", rest);
	return status == SHMLOG_ERR_FRAME_CORRUPT ? CLI_NOT_LOG
	                                          : cli_exit_status(status);
}
