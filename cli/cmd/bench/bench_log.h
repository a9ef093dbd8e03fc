/* Logs to measure on.  They have no name, so that none is left behind, however
 * the process ends. */
#ifndef CLI_BENCH_LOG_H
#define CLI_BENCH_LOG_H

#include <shmlog.h>
#include <stdint.h>

struct cli_bench_log {
	struct shmlog *log;
	struct shmlog_writer *writer;
	/* The same file once more: its readers share no mapping with the
	 * writer, like the readers of another process. */
	struct shmlog *read_log;
};

/* Where the logs go if the user does not say: the first of /dev/shm,
 * $TMPDIR and /tmp that is a folder and may be written to.  NULL if none. */
const char *cli_bench_log_folder(void);

/* Whether a log of so many bytes fits into a folder's file system: CLI_OK, or
 * the exit status after a message. */
int cli_bench_log_check_room(const char *folder, uint64_t capacity);

/*
 * Makes a sparse log, as the Node package does, opens it, and takes its name
 * away.  CLI_OK, or the exit status after a message.
 */
int cli_bench_log_open(const char *folder, uint64_t capacity,
                       struct cli_bench_log *bench_log_out);
void cli_bench_log_close(struct cli_bench_log *bench_log);

#endif
