/*
 * A committer: frames that wait for their commit, the commits, and their
 * acknowledgements.
 */
#ifndef CLI_COMMITTER_H
#define CLI_COMMITTER_H

#include "origins.h"
#include "patience.h"
#include "retention.h"
#include "stdout_buffer.h"
#include "tee.h"

#include <shmlog.h>

struct cli_committer_options {
	bool atomic;               /* all that is put is one commit */
	bool ack;                  /* print a line per commit */
	struct cli_tee tee;        /* print what was committed */
	bool needs_output;         /* stdout serves another purpose */
	bool force;                /* even where another writer is seen */
	uint64_t commit_every;     /* frames per commit; 0: as they come */
	int64_t lock_timeout_ns;   /* negative: without limit */
	int64_t writer_timeout_ns; /* 0: a foreign writer ends it */
	bool follow;      /* go on in the log that takes the place of another */
	bool sync;        /* commits have to last beyond a power cut */
	int64_t group_ns; /* and are this far apart; 0: as they come */
	bool rotate;      /* a log that is full, */
	struct cli_retention retention; /* and keep so much of the old ones */
};

struct cli_committer {
	struct shmlog *log; /* another one perhaps after each commit */
	struct shmlog_append_session *session;
	bool keeps_lock;    /* and write access, since the last commit */
	bool was_small;     /* the last commit was, so more of these may come */
	bool spared_output; /* stdout was closed: its descriptor was needed */
	const char *path;   /* for messages */
	struct cli_committer_options options;
	struct cli_output *output;  /* for acknowledgements, or for --tee */
	struct shmlog_batch *batch; /* frames that wait in memory */
	size_t used;                /* bytes of them, before a commit */
	size_t ahead;               /* of these, written ahead of a sync */
	uint64_t waiting;           /* frames of them */
	struct cli_origins origins; /* of them, unless atomic */
	int spool;                  /* file for an input that is too large for
	                             * memory; or -1 */
	uint64_t spooled_bytes;
	uint64_t committed;       /* frames, so far */
	uint64_t unacknowledged;  /* of them, waiting for that */
	int64_t waiting_since_ns; /* when the first that waits came */
	uint64_t acknowledged;    /* of them, or printed by --tee */
	uint64_t end_cursor;      /* behind the last of them */
	uint64_t capacity;   /* of the file, when the committer was opened */
	uint64_t free_bytes; /* in the log, after the last try */
	struct shmlog_append_result last; /* of that try */
	bool overwrote; /* frames that another writer had committed */
	bool unrotated; /* what failed last was a rotation */
	bool unsynced;  /* or a sync */
	bool untidy;    /* old logs were not removed or archived as asked */
	struct cli_patience patience;
};

/* Looks at once whether an append would be refused.  0 or the library's
 * status, as of cli_committer_commit().  The log is closed by the committer as
 * soon as that goes over to another one, and by the caller otherwise. */
int cli_committer_open(struct cli_committer *committer, struct shmlog *log,
                       const char *path,
                       const struct cli_committer_options *options,
                       struct cli_output *output);
void cli_committer_release(struct cli_committer *committer);

/* Whether something can be put or added, of any size, without a commit. */
bool cli_committer_has_room(struct cli_committer *committer);

/* Adds a payload of at most 65,531 bytes; there is room.  `from` and `surplus`
 * as for cli_committer_add().  An atomic committer may write to its spool: 0,
 * or -errno. */
int cli_committer_put(struct cli_committer *committer,
                      const unsigned char *payload, size_t size_bytes,
                      struct cli_place from, unsigned surplus);

/*
 * Where frames may be added instead, up to *most_out until a commit is due.
 * cli_committer_add() says how many were, where the first of their records
 * starts, and how many bytes fewer than its frame each record has.
 */
struct shmlog_batch *cli_committer_batch(const struct cli_committer *committer,
                                         uint64_t *most_out);
void cli_committer_add(struct cli_committer *committer, uint64_t frames,
                       struct cli_place from, unsigned surplus);

/* With --sync: lets the system begin to write what waits, while more of it is
 * made. */
void cli_committer_write_ahead(struct cli_committer *committer);

/* Whether --commit-every or the time of --sync asks for a commit now. */
bool cli_committer_is_due(const struct cli_committer *committer);

/* The first waiting frame that a commit did not take. */
struct cli_refused {
	struct cli_place from; /* its record; nowhere for an atomic commit */
	size_t size_bytes;     /* of its payload */
};

/*
 * Commits all that waits.  Returns 0, or the library's status and, in
 * *refused_out, from where on the input is not in the log: whatever the
 * status, frames before that may have been committed.  Nothing waits
 * afterwards.
 */
int cli_committer_commit(struct cli_committer *committer,
                         struct cli_refused *refused_out);

/*
 * The committer may keep the lock and its write access for the next commit,
 * while other appenders wait.  This function is called before a read that may
 * wait, and waits in its place: it releases the lock as soon as another process
 * asks for it, or when no input has come for a moment.  It returns early when a
 * signal comes.
 */
void cli_committer_wait(struct cli_committer *committer, int fd);

/* Whether what is put waits for others, however little the input has now. */
bool cli_committer_gathers(const struct cli_committer *committer);

/* With the time of --sync: waits for input until a commit is due.  False if it
 * is, and there is none. */
bool cli_committer_gather(const struct cli_committer *committer, int fd);

/* With --sync: makes the last commit last and acknowledges it.  0, or -errno
 * with that commit not acknowledged, which is final. */
int cli_committer_sync(struct cli_committer *committer);

/* Whether an input has nothing to be read at once, so that a commit that is not
 * synced yet would wait for the next one. */
bool cli_committer_must_sync(const struct cli_committer *committer, int fd);

/* Releases the lock.  To be called before anything else that may take long. */
void cli_committer_release_lock(struct cli_committer *committer);

#endif
