/* Makes, opens and appends to the log that is pulled. */
#include "pull_target.h"

#include "clock.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "open_log.h"
#include "patience.h"
#include "replacement.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* How long the lock is kept when nothing comes. */
#define KEEP_NS 100000000

/* A state file: the log's identity, and the ledger. */
#define STATE_IDENTITY_BYTES sizeof(struct shmlog_identity)
#define STATE_BYTES (STATE_IDENTITY_BYTES + LEDGER_BYTES)

void pull_target_begin(struct pull_target *target, const char *path,
                       const char *state_path, uint64_t source)
{
	*target = (struct pull_target){.path = path,
	                               .state_path = state_path,
	                               .state_fd = -1,
	                               .source = source};
}

void pull_target_end(struct pull_target *target)
{
	shmlog_append_session_close(target->session);
	shmlog_close(target->log);
	free(target->frames);
	if (target->state_fd >= 0)
		close(target->state_fd);
}

int pull_target_create(struct pull_target *target, uint64_t capacity,
                       const struct ledger_record *record)
{
	struct shmlog_create_options options = {
		.capacity = capacity,
		.mode = 0664,
	};

	if (target->state_path == NULL) {
		ledger_make(&target->ledger, target->source, record);
		options.metadata = target->ledger.bytes;
		options.metadata_bytes = LEDGER_BYTES;
	}
	int status = shmlog_create_with(target->path, &options);

	if (status == 0)
		cli_warn_of_node(target->path, "created", capacity);
	return status == 0 || status == -EEXIST
	               ? CLI_OK
	               : cli_fail(target->path, "cannot create", status);
}

/* ----------------------------------------------------------------- ledgers */

static int read_end(const struct pull_target *target, uint64_t *end_out)
{
	struct shmlog_header header;
	int status = shmlog_read_header(target->log, &header);

	*end_out = header.size - shmlog_data_offset(target->log);
	return status == 0 ? CLI_OK
	                   : cli_fail(target->path, "cannot read", status);
}

/* What a ledger says that was read from the header or the state file. */
static int judge_ledger(struct pull_target *target, uint64_t end_cursor)
{
	const char *where = target->state_path != NULL ? target->state_path
	                                               : target->path;

	switch (ledger_read(&target->ledger, target->source, end_cursor)) {
	case LEDGER_GOOD: return CLI_OK;
	case LEDGER_NONE:
		cli_message(where, "%s; nothing was changed",
		            target->state_path != NULL
		                    ? "is no state file of a relay"
		                    : "was not made by a relay: --state FILE "
		                      "keeps how far it has come");
		return CLI_OTHER_LOG;
	case LEDGER_OTHER:
		cli_message(where, "belongs to another stream or subject; "
		                   "nothing was changed");
		return CLI_OTHER_LOG;
	case LEDGER_STRANGE: break;
	}
	cli_message(target->path,
	            "ends at cursor %" PRIu64
	            ", where no relay has left it: somebody else has appended "
	            "to it, or it was rotated; nothing was changed",
	            end_cursor);
	return CLI_WRITER;
}

static int load_header_ledger(struct pull_target *target)
{
	int status = 0;

	memset(target->ledger.bytes, 0, LEDGER_BYTES);
	if (shmlog_metadata_size(target->log) >= LEDGER_BYTES)
		status = shmlog_read_metadata(
			target->log, 0, target->ledger.bytes, LEDGER_BYTES);
	return status == 0 ? CLI_OK
	                   : cli_fail(target->path, "cannot read", status);
}

/* Another relay may commit meanwhile, so that the records tell of other ends
 * than the one that was read: reads until the end has stayed where it was. */
static int read_header_ledger(struct pull_target *target)
{
	uint64_t end_cursor, before;
	int status = read_end(target, &end_cursor);

	do {
		before = end_cursor;
		if (status == CLI_OK)
			status = load_header_ledger(target);
		if (status == CLI_OK)
			status = read_end(target, &end_cursor);
	} while (status == CLI_OK && end_cursor != before);
	return status == CLI_OK ? judge_ledger(target, end_cursor) : status;
}

/* Begins a state file for the log as it is. */
static int make_state(struct pull_target *target,
                      const struct ledger_record *record)
{
	struct shmlog_identity identity = shmlog_identity(target->log);
	unsigned char bytes[STATE_BYTES];
	int status;

	ledger_make(&target->ledger, target->source, record);
	memcpy(bytes, &identity, STATE_IDENTITY_BYTES);
	memcpy(bytes + STATE_IDENTITY_BYTES, target->ledger.bytes,
	       LEDGER_BYTES);
	status = cli_replace(target->state_path, bytes, sizeof(bytes));
	return status == 0
	               ? CLI_OK
	               : cli_fail(target->state_path, "cannot write", status);
}

/* Opens the state file, which belongs to one relay at a time. */
static int open_state(struct pull_target *target)
{
	target->state_fd = open(target->state_path, O_RDWR | O_CLOEXEC);
	if (target->state_fd < 0)
		return cli_system_failed(target->state_path, "cannot open",
		                         errno);
	if (flock(target->state_fd, LOCK_EX | LOCK_NB) == 0)
		return CLI_OK;
	if (errno != EWOULDBLOCK)
		return cli_system_failed(target->state_path, "cannot lock",
		                         errno);
	cli_message(target->state_path, "another relay is using it");
	return CLI_WRITER;
}

static int read_state(struct pull_target *target)
{
	struct shmlog_identity now = shmlog_identity(target->log), kept;
	unsigned char bytes[STATE_BYTES];
	uint64_t end_cursor;
	int status = read_end(target, &end_cursor);

	if (status != CLI_OK)
		return status;

	if (pread(target->state_fd, bytes, sizeof(bytes), 0) !=
	    (ssize_t)sizeof(bytes))
		memset(bytes, 0, sizeof(bytes));
	memcpy(&kept, bytes, STATE_IDENTITY_BYTES);
	memcpy(target->ledger.bytes, bytes + STATE_IDENTITY_BYTES,
	       LEDGER_BYTES);
	status = judge_ledger(target, end_cursor);
	if (status == CLI_OTHER_LOG || shmlog_same_file(&now, &kept))
		return status;
	cli_message(target->state_path,
	            "belongs to another log; nothing was changed");
	return CLI_OTHER_LOG;
}

static int read_ledger(struct pull_target *target)
{
	return target->state_path != NULL ? read_state(target)
	                                  : read_header_ledger(target);
}

int pull_target_open(struct pull_target *target,
                     const struct ledger_record *record)
{
	struct ledger_record first = *record;
	int status = cli_open_log(target->path, &target->log);

	if (status == CLI_OK)
		status = read_end(target, &first.end_cursor);
	if (status == CLI_OK && target->state_path != NULL) {
		if (access(target->state_path, F_OK) != 0)
			status = make_state(target, &first);
		if (status == CLI_OK)
			status = open_state(target);
	}
	if (status == CLI_OK)
		status = read_ledger(target);
	if (status == CLI_OK &&
	    shmlog_append_session_open(target->log, &target->session) != 0)
		status = cli_fail(target->path, "cannot start", -ENOMEM);
	return status;
}

int pull_target_reload(struct pull_target *target)
{
	target->used = target->count = 0;
	shmlog_append_session_release(target->session);
	return read_ledger(target);
}

/* ------------------------------------------------------------------ frames */

uint64_t pull_target_end_cursor(const struct pull_target *target)
{
	return target->ledger.now.end_cursor + target->used;
}

bool pull_target_has_room(const struct pull_target *target, size_t bytes)
{
	return target->count < PULL_COMMIT_MESSAGES &&
	       (target->used == 0 || target->used + bytes <= PULL_COMMIT_BYTES);
}

static bool reserve(struct pull_target *target, size_t bytes)
{
	size_t capacity = target->used + bytes < PULL_COMMIT_BYTES
	                          ? PULL_COMMIT_BYTES
	                          : target->used + bytes;

	if (capacity <= target->capacity)
		return true;
	unsigned char *larger = realloc(target->frames, capacity);

	if (larger == NULL)
		return false;
	target->frames = larger;
	target->capacity = capacity;
	return true;
}

bool pull_target_add(struct pull_target *target,
                     const struct engine_message *message)
{
	size_t bytes = message->size_bytes + SHMLOG_FRAME_OVERHEAD_BYTES;

	if (!reserve(target, bytes))
		return false;
	if (message->frames > 0) {
		memcpy(target->frames + target->used, message->bytes,
		       message->size_bytes);
		target->used += message->size_bytes;
	} else {
		target->used += shmlog_frame_encode(
			target->frames + target->used, message->bytes,
			message->size_bytes);
	}
	target->marks[target->count++] = (struct pull_mark){target->used,
	                                                    message->sequence};
	return true;
}

/* Stages the record for a commit of the first `bytes` bytes. */
static int stage(struct pull_target *target, const struct ledger_record *record,
                 struct shmlog_append_options *options)
{
	size_t at = ledger_stage(&target->ledger, record);
	const unsigned char *bytes = target->ledger.bytes + at;

	if (target->state_path == NULL) {
		options->metadata = bytes;
		options->metadata_bytes = LEDGER_RECORD_BYTES;
		options->metadata_at = at;
		return CLI_OK;
	}
	if (pwrite(target->state_fd, bytes, LEDGER_RECORD_BYTES,
	           (off_t)(STATE_IDENTITY_BYTES + at)) ==
	    (ssize_t)LEDGER_RECORD_BYTES)
		return CLI_OK;
	return cli_system_failed(target->state_path, "cannot write", errno);
}

/* One append under the lock, however long that takes. */
static int append(struct pull_target *target, size_t bytes,
                  const struct shmlog_append_options *metadata,
                  struct shmlog_append_result *result)
{
	struct cli_patience patience = {.log = target->log,
	                                .path = target->path};
	struct shmlog_append_options options = *metadata;
	int status;

	options.flags = SHMLOG_APPEND_EXPECT | SHMLOG_APPEND_WAKE |
	                SHMLOG_APPEND_WHOLE;
	options.expected_end_cursor = target->ledger.now.end_cursor;
	options.session = target->session;
	options.waiting = cli_patience_wait;
	options.context = &patience;
	cli_patience_begin(&patience, -1);
	do {
		options.lock_timeout_ns = cli_patience_left(&patience);
		status = shmlog_append_frames(target->log, target->frames,
		                              bytes, &options, result);
	} while (status == -EINTR && cli_patience_goes_on(&patience));
	cli_patience_end(&patience);
	return status;
}

/* How many of the messages that wait fit into so many bytes. */
static size_t count_fitting(const struct pull_target *target, uint64_t bytes)
{
	size_t count = target->count;

	while (count > 0 && target->marks[count - 1].end_bytes > bytes)
		count--;
	return count;
}

static int commit_bytes(struct pull_target *target, size_t bytes,
                        uint64_t sequence, struct shmlog_append_result *result,
                        int *failure_out)
{
	struct shmlog_append_options options = {0};
	struct ledger_record record = target->ledger.now;

	record.end_cursor += bytes;
	record.sequence = sequence;
	int status = stage(target, &record, &options);

	*failure_out = 0;
	if (status != CLI_OK)
		return status;
	*failure_out = append(target, bytes, &options, result);
	if (*failure_out == 0)
		ledger_turn(&target->ledger, &record);
	return CLI_OK;
}

/* The log has no room for all: commits the messages that fit. */
static int commit_fitting(struct pull_target *target, uint64_t free_bytes)
{
	struct shmlog_append_result result;
	size_t count = count_fitting(target, free_bytes);
	int failure = 0, status = CLI_OK;

	if (count > 0)
		status = commit_bytes(
			target, target->marks[count - 1].end_bytes,
			target->marks[count - 1].sequence, &result, &failure);
	if (status != CLI_OK)
		return status;
	if (failure != 0)
		return cli_fail(target->path, "cannot append", failure);
	cli_message(target->path,
	            "full: message %" PRIu64
	            " does not fit; all up to message %" PRIu64
	            " is in the log, which ends at cursor %" PRIu64,
	            target->marks[count].sequence, target->ledger.now.sequence,
	            target->ledger.now.end_cursor);
	return CLI_FULL;
}

static int report(const struct pull_target *target, int failure)
{
	struct cli_culprit culprit;

	cli_culprit_find(target->log, failure, &culprit);
	if (culprit.text[0] == '\0')
		return cli_fail(target->path, "cannot append", failure);
	cli_message(target->path,
	            "%s%s; all up to message %" PRIu64 " is in the log",
	            shmlog_strerror(failure), culprit.text,
	            target->ledger.now.sequence);
	return cli_exit_status(failure);
}

int pull_target_commit(struct pull_target *target, uint64_t sequence,
                       bool *moved_out)
{
	struct shmlog_append_result result = {0};
	int failure;

	*moved_out = false;
	if (target->used == 0 && sequence == target->ledger.now.sequence)
		return CLI_OK;
	int status = commit_bytes(target, target->used, sequence, &result,
	                          &failure);

	if (status != CLI_OK)
		return status;
	*moved_out = failure == SHMLOG_ERR_MOVED;
	if (*moved_out)
		return CLI_OK;
	if (failure == SHMLOG_ERR_FULL)
		status = commit_fitting(target, result.free_bytes);
	else if (failure != 0)
		status = report(target, failure);
	target->committed_ns = cli_now_ns();
	target->used = target->count = 0;
	return status;
}

bool pull_target_keeps(struct pull_target *target)
{
	struct pollfd asked = {.fd = shmlog_append_session_fd(target->session),
	                       .events = POLLIN};

	if (asked.fd < 0)
		return false;
	if (cli_now_ns() - target->committed_ns < KEEP_NS &&
	    poll(&asked, 1, 0) == 0)
		return true;
	shmlog_append_session_release(target->session);
	return false;
}

int pull_target_last(const struct pull_target *target,
                     struct shmlog_reader **reader_out,
                     struct shmlog_frame *frame_out, bool *found_out)
{
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED};
	int status = shmlog_reader_open(target->log, &options, reader_out);

	*found_out = false;
	if (status != 0)
		return cli_fail(target->path, "cannot read", status);
	/* Another relay may have gone on since the ledger was read. */
	status = shmlog_reader_seek(*reader_out, target->ledger.now.end_cursor,
	                            NULL);
	if (status == 0)
		status = shmlog_reader_prev(*reader_out, frame_out);
	*found_out = status > 0;
	if (status < 0)
		return cli_reader_failed(target->path, *reader_out, status);
	return CLI_OK;
}
