/* Opening logs for commands, with messages that say what is wrong. */
#ifndef CLI_LOGS_H
#define CLI_LOGS_H

#include "header_text.h"

#include <shmlog.h>
#include <stdbool.h>

/* Opens a log to change it.  Returns CLI_OK, or the exit status after a message
 * that gives the header's words where they are what is wrong. */
int cli_open_log(const char *path, struct shmlog **log_out);

/* The same for a command that only reads: its messages do not say that nothing
 * was changed, and `path` may be "-" or lead to a zstd archive; see spool.h. */
int cli_open_to_read(const char *path, struct shmlog **log_out);

/* How messages about a log that is not there end from now on: with the option
 * that makes it, or waits for it, where its folder is there.  NULL: with
 * nothing. */
void cli_missing_log_hint(const char *hint);

/* shmlog_create() with a warning where some versions of Node cannot open the
 * log.  Returns a status of the library. */
int cli_create_log(const char *path, uint64_t capacity, mode_t mode,
                   unsigned flags);

/* Warns of a capacity that a log has got by what was done, "created", where
 * some versions of Node cannot open it. */
void cli_warn_of_node(const char *path, const char *done, uint64_t capacity);

/* Opens a log to read it, and a buffered reader at its start.  CLI_OK, or the
 * exit status after a message. */
int cli_open_reader(const char *path, struct shmlog **log_out,
                    struct shmlog_reader **reader_out);

/* Reports a failed call on a reader: a damaged frame with its details, a log
 * that shrank, or any other status.  Returns the exit status. */
int cli_reader_failed(const char *path, const struct shmlog_reader *reader,
                      int status);

/* Whether a status says that a frame is damaged, with the details in
 * shmlog_reader_fault(). */
bool cli_is_damage(int status);

/* How many of the frames, which ascend, start before the cursor `end`. */
size_t cli_frames_before(const struct shmlog_frame *frames, size_t count,
                         uint64_t end);

#endif
