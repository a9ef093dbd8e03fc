/* Opens the log that has a name, and the logs that take its place. */
#include "named_log.h"

#include "clock.h"
#include "command.h"
#include "distinct.h"
#include "failure.h"
#include "message.h"
#include "open_log.h"
#include "rotated.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often the name is looked at: where the system tells of changes, where it
 * does not, and where no change of the name would change what is read. */
#define WATCHED_LOOK_NS 200000000
#define UNWATCHED_LOOK_NS 100000000
#define FILE_LOOK_NS 1000000000
/* A file that has just got the name may be ready at any moment: it is looked at
 * after this time, and then again after an eighth of the time that has passed
 * since. */
#define UNREADY_LOOK_NS 1000000
/* A reason to wait that differs from the one in the last message is worth a
 * message of its own once it has lasted this long. */
#define LASTING_NS 1000000000

static int64_t since(int64_t start_ns)
{
	return cli_now_ns() - start_ns;
}

static void close_source(struct cli_source *source)
{
	shmlog_reader_close(source->reader);
	shmlog_close(source->log);
	*source = (struct cli_source){0};
}

/* Closes the log that has the name, or had it. */
static void close_now(struct cli_named_log *named)
{
	if (named->now.log != NULL && named->closing != NULL)
		named->closing(named->context);
	close_source(&named->now);
}

void cli_named_begin(struct cli_named_log *named, const char *path,
                     enum cli_follow_mode mode, struct cli_name_watch *watch)
{
	*named = (struct cli_named_log){
		.path = path, .mode = mode, .watch = watch};
	named->watched.folder = -1;
	named->changed_ns = named->looked_ns = cli_now_ns();
	cli_named_watch(named);
}

void cli_named_end(struct cli_named_log *named)
{
	free(named->first);
	close_now(named);
	close_source(&named->next);
	cli_name_watch_remove(named->watch, &named->watched);
}

void cli_named_watch(struct cli_named_log *named)
{
	if (named->mode == CLI_FOLLOW_NAME && named->watched.folder < 0)
		cli_name_watch_add(named->watch, &named->watched, named->path,
		                   false);
}

/* Whether something happened to the name. */
static bool take_touch(struct cli_named_log *named)
{
	bool touched = named->watched.touched;

	named->watched.touched = false;
	if (touched)
		named->changed_ns = cli_now_ns();
	return touched;
}

/* shmlog_check_name() for the name that is followed: the log may have been
 * opened by the one that a rotation gave it. */
static int check_name(const struct cli_named_log *named)
{
	struct stat file;

	if (stat(named->path, &file) != 0)
		return -errno;
	return cli_is_log(named->now.log, &file) ? 0 : SHMLOG_ERR_REPLACED;
}

/* --------------------------------------------------------------- messages */

static bool is_absent(int status)
{
	return status == -ENOENT || status == -ENOTDIR;
}

static const char *describe(int status)
{
	return status == -EWOULDBLOCK ? "another process has a lease on it"
	                              : shmlog_strerror(status);
}

/* Whether a message about a reason is due: for the first one at once, for
 * another one when it lasts, as a name that comes and goes is not worth a line
 * each time. */
static bool is_worth_saying(struct cli_named_log *named, int status)
{
	if (named->reported == status) {
		named->unreported = 0;
		return false;
	}
	if (named->reported != 0 && named->unreported != status) {
		named->unreported = status;
		named->unreported_ns = cli_now_ns();
	}
	if (named->reported != 0 && since(named->unreported_ns) < LASTING_NS)
		return false;
	named->reported = status;
	named->unreported = 0;
	return true;
}

static void forget_reports(struct cli_named_log *named)
{
	named->reported = named->unreported = 0;
	named->unready = false;
}

/* Says that the name does not lead to the open log any more.  `found` is what
 * the look at the name returned, and `status` says why the file that is there
 * instead cannot be followed. */
static void report_lost(struct cli_named_log *named, int found, int status)
{
	bool by_name = named->mode == CLI_FOLLOW_NAME;

	if (!is_worth_saying(named, status))
		return;
	if (found == SHMLOG_ERR_REPLACED && by_name)
		cli_message(named->path,
		            "is gone; the file in its place cannot be followed "
		            "yet: %s; waiting",
		            describe(status));
	else if (found == SHMLOG_ERR_REPLACED)
		cli_message(named->path, "is another file now; still "
		                         "following the old log");
	else if (!is_absent(found))
		cli_message(named->path,
		            "cannot be looked at: %s; still following the log "
		            "that was there",
		            describe(found));
	else
		cli_message(named->path, "is gone; %s",
		            named->from_pattern ? "its last frames follow"
		            : by_name ? "waiting for a new log of that name"
		                      : "still following the old log");
}

/* --------------------------------------------------------------- opening */

/* Whether a header is just being written word by word: some words are missing,
 * and all others are sound. */
static bool is_half_written(const struct shmlog_header *header)
{
	const uint64_t words[] = {header->header_size, header->data_offset,
	                          header->size};
	bool missing = false;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i] == 0)
			missing = true;
		else if (words[i] < SHMLOG_HEADER_BYTES ||
		         words[i] > header->capacity)
			return false;
	}
	return missing;
}

/* Whether opening would fail for any other file as well: this process lacks
 * descriptors or memory, unless the old log holds the descriptor that is
 * needed, or a device fails. */
static bool is_own_failure(const struct cli_named_log *named, int status)
{
	if (status == -EMFILE)
		return named->now.log == NULL;
	return status == -ENFILE || status == -ENOMEM || status == -EIO;
}

/*
 * Whether a log that cannot be opened is worth waiting for.  By name it is,
 * whatever is there: another file may take the name at any time.  A file
 * that is followed itself must be one whose header is being written.
 */
static bool is_worth_waiting(const struct cli_named_log *named, int status)
{
	struct shmlog_header header;

	if (is_own_failure(named, status))
		return false;
	if (named->mode == CLI_FOLLOW_NAME || named->waits ||
	    status == -EWOULDBLOCK)
		return true;
	if (status < SHMLOG_ERR_SIZE || status > SHMLOG_ERR_TOO_SHORT)
		return false;
	/* Good by now, of no length yet, or with words to come. */
	return shmlog_inspect(named->path, &header) == 0 ||
	       header.capacity == 0 ||
	       (header.capacity >= SHMLOG_HEADER_BYTES &&
	        is_half_written(&header));
}

/* Whether another process has a lease on the file, for which the library would
 * wait: a follow must see its own ends meanwhile. */
static bool is_leased(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return errno == EWOULDBLOCK;
	close(fd);
	return false;
}

static int try_log(const char *path, struct shmlog **log_out)
{
	if (is_leased(path))
		return -EWOULDBLOCK;
	return shmlog_open(path, log_out);
}

/*
 * Opens a log, by the name or by that of a rotated one.  *ready_out is false if
 * that is worth waiting for, because of *reason_out.  CLI_OK, or an exit status
 * after a message.
 */
static int open_path(struct cli_named_log *named, const char *path,
                     struct cli_source *source, bool *ready_out,
                     int *reason_out)
{
	/* Shown: who keeps or removes rotated logs has to see where a follower
	 * is, and who looks after a log how far behind. */
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED | SHMLOG_READER_SHOWN};
	int status = try_log(path, &source->log);

	if (status == -EMFILE && cli_name_watch_spare(named->watch))
		status = try_log(path, &source->log);
	*reason_out = status;
	*ready_out = status == 0;
	if (status != 0 && is_worth_waiting(named, status))
		return CLI_OK;
	*ready_out = true;
	if (status != 0)
		return cli_open_reader(path, &source->log, &source->reader);
	if (named->opened != NULL) {
		int checked = named->opened(named->context, named->path,
		                            source->log);

		if (checked != CLI_OK) {
			close_source(source);
			return checked;
		}
	}
	status = shmlog_reader_open(source->log, &options, &source->reader);
	if (status == 0)
		return CLI_OK;
	shmlog_close(source->log);
	return cli_fail(named->path, "cannot read", status);
}

/* The path of the log to be read behind the one that was left, if that is not
 * the one that has the name. */
static char *find_after(const struct cli_named_log *named)
{
	size_t passed;
	char *after;

	if (!named->has_left)
		return NULL;
	after = cli_rotated_after(named->path, &named->left, &passed);
	if (passed > 0)
		cli_message(named->path,
		            "%zu log%s that had the name before %s archived "
		            "already and will not be followed",
		            passed, passed == 1 ? "" : "s",
		            passed == 1 ? "is" : "are");
	return after;
}

/*
 * Opens the log that the name leads to or, behind one that was left, the one
 * that was rotated next.  That one is looked for once the name was opened: a
 * log that had the name between the two has been rotated by then, so it is
 * found.
 */
static int open_source(struct cli_named_log *named, struct cli_source *source,
                       bool *ready_out, int *reason_out)
{
	int status = open_path(named, named->path, source, ready_out,
	                       reason_out);
	char *after = status == CLI_OK && *ready_out ? find_after(named) : NULL;

	if (after != NULL) {
		close_source(source);
		status = open_path(named, after, source, ready_out, reason_out);
		free(after);
	}
	return status;
}

/* Opens the rotated log that comes first, once, or what open_source() does. */
static int open_first(struct cli_named_log *named, struct cli_source *source,
                      bool *ready_out, int *reason_out)
{
	char *first = named->first;
	int status = CLI_OK;

	named->first = NULL;
	*ready_out = false;
	if (first != NULL)
		status = open_path(named, first, source, ready_out, reason_out);
	free(first);
	return status == CLI_OK && !*ready_out
	               ? open_source(named, source, ready_out, reason_out)
	               : status;
}

int cli_named_open(struct cli_named_log *named, bool *ready_out)
{
	struct cli_source source = {0};
	int reason;

	(void)take_touch(named);
	int status = open_first(named, &source, ready_out, &reason);

	named->looked_ns = cli_now_ns();
	if (status != CLI_OK)
		return status;
	if (*ready_out) {
		forget_reports(named);
		named->now = source;
		named->has_left = false;
		return CLI_OK;
	}
	if (is_worth_saying(named, reason))
		cli_message(named->path, "waiting for the log: %s",
		            describe(reason));
	named->unready = !is_absent(reason);
	return CLI_OK;
}

/* -------------------------------------------------------------- the name */

/* Lets the new log of that name take the place of the old one, unless the name
 * leads to the old one again. */
static void switch_log(struct cli_named_log *named, bool *switched_out)
{
	forget_reports(named);
	cli_named_look_soon(named); /* it may have gone on since */
	if (check_name(named) == 0) {
		close_source(&named->next);
		return;
	}
	close_now(named);
	named->now = named->next;
	named->next = (struct cli_source){0};
	named->has_left = false;
	*switched_out = true;
}

/* Whether the file that has the name is likely a log.  Where only one log can
 * be open at a time, that must be known before the old one is closed. */
static bool is_likely_log(const char *path)
{
	struct stat file;

	return stat(path, &file) == 0 && S_ISREG(file.st_mode) &&
	       file.st_size >= (off_t)SHMLOG_HEADER_BYTES &&
	       access(path, R_OK) == 0;
}

/* Opens the log that the name leads to now, if it is ready. */
static int open_next(struct cli_named_log *named, int found)
{
	struct cli_source source = {0};
	int reason;
	bool ready;

	named->has_left = true;
	named->left = shmlog_identity(named->now.log);
	int status = open_source(named, &source, &ready, &reason);

	if (status != CLI_OK)
		return status;
	named->unready = !ready && !is_absent(reason);
	if (ready) {
		named->next = source;
		return CLI_OK;
	}
	named->must_swap = reason == -EMFILE && is_likely_log(named->path);
	if (!named->must_swap)
		report_lost(named, is_absent(reason) ? reason : found, reason);
	return CLI_OK;
}

/* The name changed although its watch saw nothing: the folder is another one by
 * now, or was not there before. */
static void renew_name_watch(struct cli_named_log *named)
{
	cli_name_watch_remove(named->watch, &named->watched);
	cli_named_watch(named);
	named->changed_ns = cli_now_ns();
}

int cli_named_look(struct cli_named_log *named, bool *switched_out)
{
	*switched_out = false;
	if (named->next.log != NULL) {
		switch_log(named, switched_out);
		return CLI_OK;
	}
	if (named->must_swap) {
		named->must_swap = false;
		if (check_name(named) == 0)
			return CLI_OK;
		close_now(named);
		*switched_out = true;
		return CLI_OK;
	}
	bool touched = take_touch(named);

	if (!touched && cli_named_pause(named) > 0)
		return CLI_OK;
	int found = check_name(named);

	if (found != named->found && !touched)
		renew_name_watch(named);
	named->found = found;
	named->looked_ns = cli_now_ns();
	if (found == 0) {
		forget_reports(named);
		return CLI_OK;
	}
	if (found == SHMLOG_ERR_REPLACED && named->mode == CLI_FOLLOW_NAME)
		return open_next(named, found);
	named->unready = false;
	report_lost(named, found, found);
	return CLI_OK;
}

bool cli_named_is_leaving(const struct cli_named_log *named)
{
	return named->next.log != NULL || named->must_swap;
}

void cli_named_look_soon(struct cli_named_log *named)
{
	named->looked_ns = INT64_MIN;
}

int64_t cli_named_pause(const struct cli_named_log *named)
{
	int64_t pause = named->mode != CLI_FOLLOW_NAME ? FILE_LOOK_NS
	                : named->watched.folder >= 0   ? WATCHED_LOOK_NS
	                                               : UNWATCHED_LOOK_NS;

	if (cli_named_is_leaving(named) || named->looked_ns == INT64_MIN)
		return 0;
	if (named->unready) {
		int64_t soon = since(named->changed_ns) / 8;

		if (soon < UNREADY_LOOK_NS)
			soon = UNREADY_LOOK_NS;
		pause = soon < pause ? soon : pause;
	}
	pause -= since(named->looked_ns);
	return pause > 0 ? pause : 0;
}
