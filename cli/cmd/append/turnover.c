/* Rotates a log that is full, and opens the one that takes the place of
 * another. */
#include "turnover.h"

#include "message.h"
#include "patience.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_turnover_reopen(struct cli_target *target, const char *path)
{
	struct cli_target fresh = {.log = NULL};
	int status = shmlog_open(path, &fresh.log);

	if (status != 0)
		return status;
	status = shmlog_append_session_open(fresh.log, &fresh.session);
	if (status != 0) {
		shmlog_close(fresh.log);
		return status;
	}
	shmlog_append_session_close(target->session);
	shmlog_close(target->log);
	*target = fresh;
	return 0;
}

int cli_turnover_sync_name(struct shmlog *log, const char *path)
{
	int status = shmlog_sync(log);

	if (status != 0)
		return status;
	/* The folder of the file itself, wherever a link to it is. */
	char *name = realpath(path, NULL);

	if (name == NULL)
		return -errno;
	strrchr(name, '/')[1] = '\0';
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		status = -errno;
	if (fd >= 0)
		close(fd);
	free(name);
	return status;
}

/* Waits for a writer that takes no lock, as a commit would: it is a commit of
 * nothing. */
static int await_writer(struct shmlog *log,
                        const struct cli_turnover_terms *terms)
{
	const struct shmlog_append_options options = {
		.lock_timeout_ns = cli_patience_left(terms->patience),
		.writer_timeout_ns = terms->writer_timeout_ns,
		.waiting = cli_patience_wait,
		.context = terms->patience,
	};

	if (terms->writer_timeout_ns == 0)
		return SHMLOG_ERR_WRITER_ACTIVE;
	return shmlog_append_frames(log, NULL, 0, &options, NULL);
}

int cli_turnover_rotate(struct shmlog *log, const char *path,
                        const struct cli_turnover_terms *terms)
{
	struct shmlog_change_options options = {
		.flags = terms->force ? SHMLOG_CHANGE_FORCE : 0u,
		.waiting = cli_patience_wait,
		.context = terms->patience,
	};
	struct shmlog_rotate_result result;
	struct cli_quoted old;
	int status;

	cli_patience_begin(terms->patience, terms->lock_timeout_ns);
	do {
		options.lock_timeout_ns = cli_patience_left(terms->patience);
		status = shmlog_rotate(log, &options, &result);
		if (status == SHMLOG_ERR_WRITER_ACTIVE &&
		    await_writer(log, terms) == 0)
			status = -EAGAIN;
	} while (status == -EAGAIN ||
	         (status == -EINTR && cli_patience_goes_on(terms->patience)));
	cli_patience_end(terms->patience);
	if (status != SHMLOG_ERR_IN_DOUBT)
		return status;
	cli_message(path,
	            "rotated, but another writer opened the log at the same "
	            "moment: what it commits goes to %s",
	            cli_quote(&old, result.path));
	return 0;
}
