/* Follows a file, or the logs that have a name one after the other. */
#include "follow.h"

#include "clock.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "open_log.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often the name is looked at, where the system tells of changes; where
 * it does not; and where nobody waits for a change. */
#define NUDGED_LOOK_NS 200000000
#define BLIND_LOOK_NS 100000000
#define FILE_LOOK_NS 1000000000
/* What has just got the name may be ready at any moment: it is looked at
 * after this time, then after an eighth of the time that has passed. */
#define UNREADY_LOOK_NS 1000000
/* A reason to wait that differs from what was said is said as well if it
 * lasts that long. */
#define NEWS_NS 1000000000

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

/* --------------------------------------------------------- the name's watch */

/* Descriptors for two logs, a cursor file and a look into /proc come first. */
#define SPARE_DESCRIPTORS 4

static void start_name_watch(struct cli_follow *follow)
{
	if (follow->mode != CLI_FOLLOW_NAME || follow->watch.fd >= 0 ||
	    follow->no_watch)
		return;
	cli_name_watch_begin(&follow->watch, follow->path);
	if (follow->watch.fd < 0)
		return;
	int last = fcntl(follow->watch.fd, F_DUPFD_CLOEXEC,
	                 follow->watch.fd + SPARE_DESCRIPTORS);

	if (last >= 0)
		close(last);
	else
		(void)cli_follow_spare(follow);
}

bool cli_follow_spare(struct cli_follow *follow)
{
	bool has_one = follow->watch.fd >= 0;

	cli_name_watch_end(&follow->watch);
	follow->no_watch = true;
	return has_one;
}

void cli_follow_begin(struct cli_follow *follow, const char *path,
                      enum cli_follow_mode mode)
{
	*follow = (struct cli_follow){.path = path, .mode = mode};
	follow->watch.fd = -1;
	follow->changed_ns = follow->looked_ns = cli_now_ns();
	start_name_watch(follow);
}

void cli_follow_end(struct cli_follow *follow)
{
	close_source(&follow->now);
	close_source(&follow->next);
	cli_name_watch_end(&follow->watch);
}

/* Whether something happened to the name. */
static bool is_name_touched(struct cli_follow *follow)
{
	if (!cli_name_watch_came(&follow->watch))
		return false;
	follow->changed_ns = cli_now_ns();
	return true;
}

/* ----------------------------------------------------------------- words */

static bool is_absent(int status)
{
	return status == -ENOENT || status == -ENOTDIR;
}

static const char *describe(int status)
{
	return status == -EWOULDBLOCK ? "another process has a lease on it"
	                              : shmlog_strerror(status);
}

/* Whether a reason is to be said: the first one at once, another one once it
 * lasts.  A name that flickers is not worth a line each time. */
static bool is_news(struct cli_follow *follow, int status)
{
	if (follow->told == status) {
		follow->untold = 0;
		return false;
	}
	if (follow->told != 0 && follow->untold != status) {
		follow->untold = status;
		follow->untold_ns = cli_now_ns();
	}
	if (follow->told != 0 && since(follow->untold_ns) < NEWS_NS)
		return false;
	follow->told = status;
	follow->untold = 0;
	return true;
}

static void forget_words(struct cli_follow *follow)
{
	follow->told = follow->untold = 0;
	follow->unready = false;
}

/* The name does not lead to the open log any more: what `found` says, and
 * `status` of what is there instead. */
static void tell_lost(struct cli_follow *follow, int found, int status)
{
	bool by_name = follow->mode == CLI_FOLLOW_NAME;

	if (!is_news(follow, status))
		return;
	if (found == SHMLOG_ERR_REPLACED && by_name)
		cli_message(follow->path,
		            "is gone; the file in its place cannot be followed "
		            "yet: %s; waiting",
		            describe(status));
	else if (found == SHMLOG_ERR_REPLACED)
		cli_message(follow->path, "is another file now; still "
		                          "following the old log");
	else if (!is_absent(found))
		cli_message(follow->path,
		            "cannot be looked at: %s; still following the log "
		            "that was there",
		            describe(found));
	else
		cli_message(follow->path, "is gone; %s",
		            by_name ? "waiting for a new log of that name"
		                    : "still following the old log");
}

/* --------------------------------------------------------------- opening */

/* Whether all words that are there are sound, and some are not there yet: a
 * header that is being written word by word. */
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

/* Whether opening fails for something that no other file would change: what
 * this process lacks, unless the old log holds the descriptor that is needed,
 * or a device that fails. */
static bool is_own_failure(const struct cli_follow *follow, int status)
{
	if (status == -EMFILE)
		return follow->now.log == NULL;
	return status == -ENFILE || status == -ENOMEM || status == -EIO;
}

/*
 * Whether a log that cannot be opened is worth waiting for.  By name it is,
 * whatever is there: another file may take the name at any time.  A file
 * that is followed itself must be one whose header is being written.
 */
static bool is_worth_waiting(const struct cli_follow *follow, int status)
{
	struct shmlog_header header;

	if (is_own_failure(follow, status))
		return false;
	if (follow->mode == CLI_FOLLOW_NAME || status == -EWOULDBLOCK)
		return true;
	if (follow->mode == CLI_FOLLOW_NOT || status < SHMLOG_ERR_SIZE ||
	    status > SHMLOG_ERR_TOO_SHORT)
		return false;
	/* Good by now, of no length yet, or with words to come. */
	return shmlog_inspect(follow->path, &header) == 0 ||
	       header.capacity == 0 ||
	       (header.capacity >= SHMLOG_HEADER_BYTES &&
	        is_half_written(&header));
}

/* Whether the library would wait for another process's lease: a follow has
 * its own ends to look at meanwhile. */
static bool is_leased(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return errno == EWOULDBLOCK;
	close(fd);
	return false;
}

static int try_log(const struct cli_follow *follow, struct shmlog **log_out)
{
	if (follow->mode != CLI_FOLLOW_NOT && is_leased(follow->path))
		return -EWOULDBLOCK;
	return shmlog_open(follow->path, log_out);
}

/*
 * Opens the log that the name leads to.  *ready_out is false if that is worth
 * waiting for, because of *reason_out.  CLI_OK, or an exit status after a
 * message.
 */
static int open_source(struct cli_follow *follow, struct cli_source *source,
                       bool *ready_out, int *reason_out)
{
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED};
	int status = try_log(follow, &source->log);

	if (status == -EMFILE && cli_follow_spare(follow))
		status = try_log(follow, &source->log);
	*reason_out = status;
	*ready_out = status == 0;
	if (status != 0 && is_worth_waiting(follow, status))
		return CLI_OK;
	*ready_out = true;
	if (status != 0)
		return cli_open_reader(follow->path, &source->log,
		                       &source->reader);
	if (follow->opened != NULL) {
		int checked = follow->opened(follow->context, source->log);

		if (checked != CLI_OK) {
			close_source(source);
			return checked;
		}
	}
	status = shmlog_reader_open(source->log, &options, &source->reader);
	if (status == 0)
		return CLI_OK;
	shmlog_close(source->log);
	return cli_fail(follow->path, "cannot read", status);
}

int cli_follow_open(struct cli_follow *follow, bool *ready_out)
{
	struct cli_source source = {0};
	int reason;
	int status = open_source(follow, &source, ready_out, &reason);

	follow->looked_ns = cli_now_ns();
	if (status != CLI_OK)
		return status;
	if (*ready_out) {
		forget_words(follow);
		follow->now = source;
		return CLI_OK;
	}
	if (is_news(follow, reason))
		cli_message(follow->path, "waiting for the log: %s",
		            describe(reason));
	follow->unready = !is_absent(reason);
	return CLI_OK;
}

void cli_follow_rest(struct cli_follow *follow, int64_t most_ns)
{
	/* The folder may not have been there before. */
	start_name_watch(follow);
	if (is_name_touched(follow))
		return;
	int64_t pause = cli_follow_pause(follow);

	cli_signals_sleep(pause < most_ns ? pause : most_ns);
}

/* -------------------------------------------------------------- the name */

/* Lets the new log of that name take the place of the old one, unless the
 * name has been given back. */
static void switch_log(struct cli_follow *follow, bool *switched_out)
{
	forget_words(follow);
	cli_follow_look_soon(follow); /* it may have gone on since */
	if (shmlog_check_name(follow->now.log) == 0) {
		close_source(&follow->next);
		return;
	}
	close_source(&follow->now);
	follow->now = follow->next;
	follow->next = (struct cli_source){0};
	*switched_out = true;
}

/* Where only one log can be open at a time: whether what has the name is
 * likely one, which must be known before the old one is closed. */
static bool is_likely_log(const char *path)
{
	struct stat file;

	return stat(path, &file) == 0 && S_ISREG(file.st_mode) &&
	       file.st_size >= (off_t)SHMLOG_HEADER_BYTES &&
	       access(path, R_OK) == 0;
}

/* Opens the log that the name leads to now, if it is ready. */
static int open_next(struct cli_follow *follow, int found)
{
	struct cli_source source = {0};
	int reason;
	bool ready;
	int status = open_source(follow, &source, &ready, &reason);

	if (status != CLI_OK)
		return status;
	follow->unready = !ready && !is_absent(reason);
	if (ready) {
		follow->next = source;
		return CLI_OK;
	}
	follow->must_swap = reason == -EMFILE && is_likely_log(follow->path);
	if (!follow->must_swap)
		tell_lost(follow, is_absent(reason) ? reason : found, reason);
	return CLI_OK;
}

/* A change that no watch told of: the folder is another one by now, or was
 * not there before. */
static void renew_name_watch(struct cli_follow *follow)
{
	cli_name_watch_end(&follow->watch);
	start_name_watch(follow);
	follow->changed_ns = cli_now_ns();
}

int cli_follow_look(struct cli_follow *follow, bool *switched_out)
{
	*switched_out = false;
	if (follow->next.log != NULL) {
		switch_log(follow, switched_out);
		return CLI_OK;
	}
	if (follow->must_swap) {
		follow->must_swap = false;
		if (shmlog_check_name(follow->now.log) == 0)
			return CLI_OK;
		close_source(&follow->now);
		*switched_out = true;
		return CLI_OK;
	}
	bool touched = is_name_touched(follow);

	if (!touched && cli_follow_pause(follow) > 0)
		return CLI_OK;
	int found = shmlog_check_name(follow->now.log);

	if (found != follow->found && !touched)
		renew_name_watch(follow);
	follow->found = found;
	follow->looked_ns = cli_now_ns();
	if (found == 0) {
		forget_words(follow);
		return CLI_OK;
	}
	if (found == SHMLOG_ERR_REPLACED && follow->mode == CLI_FOLLOW_NAME)
		return open_next(follow, found);
	follow->unready = false;
	tell_lost(follow, found, found);
	return CLI_OK;
}

void cli_follow_look_soon(struct cli_follow *follow)
{
	follow->looked_ns = INT64_MIN;
}

int64_t cli_follow_pause(const struct cli_follow *follow)
{
	int64_t pause = follow->mode != CLI_FOLLOW_NAME ? FILE_LOOK_NS
	                : follow->watch.fd >= 0         ? NUDGED_LOOK_NS
	                                                : BLIND_LOOK_NS;

	if (follow->next.log != NULL || follow->must_swap ||
	    follow->looked_ns == INT64_MIN)
		return 0;
	if (follow->unready) {
		int64_t soon = since(follow->changed_ns) / 8;

		if (soon < UNREADY_LOOK_NS)
			soon = UNREADY_LOOK_NS;
		pause = soon < pause ? soon : pause;
	}
	pause -= since(follow->looked_ns);
	return pause > 0 ? pause : 0;
}
