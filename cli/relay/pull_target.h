/* The log that is pulled: made with room for a ledger or opened, and appended
 * to together with that. */
#ifndef RELAY_PULL_TARGET_H
#define RELAY_PULL_TARGET_H

#include "engine.h"
#include "ledger.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes and messages of a commit, unless one message is larger. */
#define PULL_COMMIT_BYTES (256u << 10)
#define PULL_COMMIT_MESSAGES 4096u

/* Where a message that waits ends. */
struct pull_mark {
	size_t end_bytes;
	uint64_t sequence;
};

struct pull_target {
	const char *path;
	const char *state_path; /* NULL: the ledger is in the log's header */
	int state_fd;           /* -1: not open */
	uint64_t source;        /* of the ledger */
	struct shmlog *log;     /* NULL: not open yet */
	struct shmlog_append_session *session;
	int64_t committed_ns; /* when the last commit was made */
	struct ledger ledger;
	/* What waits to be committed. */
	unsigned char *frames;
	size_t capacity;
	size_t used;
	struct pull_mark marks[PULL_COMMIT_MESSAGES];
	size_t count;
};

void pull_target_begin(struct pull_target *target, const char *path,
                       const char *state_path, uint64_t source);
void pull_target_end(struct pull_target *target);

/* Makes the log, unless it is there. */
int pull_target_create(struct pull_target *target, uint64_t capacity,
                       const struct ledger_record *record);

/* Opens the log and reads its ledger; without a state file, that is begun with
 * `record`.  CLI_OK, or an exit status after a message, as of all here. */
int pull_target_open(struct pull_target *target,
                     const struct ledger_record *record);

/* Drops what waits, and reads the ledger again. */
int pull_target_reload(struct pull_target *target);

/* Where the log will end with what waits. */
uint64_t pull_target_end_cursor(const struct pull_target *target);

/* Adds the frames of a message to what waits.  False if memory is short. */
bool pull_target_add(struct pull_target *target,
                     const struct engine_message *message);

bool pull_target_has_room(const struct pull_target *target, size_t bytes);

/*
 * Commits what waits; `sequence` is that of the last message which is in it or
 * was passed over.  *moved_out: somebody else has appended, and nothing was
 * committed.
 */
int pull_target_commit(struct pull_target *target, uint64_t sequence,
                       bool *moved_out);

/* Whether the lock is kept for the next commit; it is let go where somebody
 * asks for it, or nothing has come for a while. */
bool pull_target_keeps(struct pull_target *target);

/* Reads the last frame of the log, as the ledger tells where that is, for a
 * comparison; it is valid until the reader is closed. */
int pull_target_last(const struct pull_target *target,
                     struct shmlog_reader **reader_out,
                     struct shmlog_frame *frame_out, bool *found_out);

#endif
