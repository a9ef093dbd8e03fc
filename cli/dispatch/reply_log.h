/* Appends replies to REPLIES, at the place where the last append of this
 * process ended or not at all. */
#ifndef DISPATCH_REPLY_LOG_H
#define DISPATCH_REPLY_LOG_H

#include "bytes.h"
#include "patience.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reply_log {
	const char *path;
	struct shmlog *log;
	struct shmlog_append_session *session;
	uint64_t end; /* where the log must end */
	/* Frames that wait, and the ends of those that belong together. */
	struct bytes frames;
	struct reply_group {
		size_t end;
		bool is_reply; /* not a piece of one */
	} * groups;
	size_t group_count;
	size_t group_room;
	uint64_t appended; /* replies */
	bool keeps_lock;   /* and write access, from one append to the next */
	int64_t used_ns;   /* of the last append */
	struct cli_patience patience; /* of an append */
};

/* Opens REPLIES, which no other process may append to.  CLI_OK, or an exit
 * status after a message. */
int reply_log_open(struct reply_log *replies, const char *path);
void reply_log_close(struct reply_log *replies);

/* Ends a group of frames that was added to replies->frames: they are appended
 * together or not at all. */
void reply_log_group(struct reply_log *replies, bool is_reply);

/* Appends all that waits.  CLI_OK, or an exit status after a message; what was
 * not appended is dropped. */
int reply_log_flush(struct reply_log *replies);

/* A descriptor to poll for POLLIN, or -1: another process wants the log, and
 * reply_log_release() is due. */
int reply_log_fd(const struct reply_log *replies);
/* When it is due in any case; INT64_MAX: nothing is kept. */
int64_t reply_log_due_ns(const struct reply_log *replies);
void reply_log_release(struct reply_log *replies);

#endif
