/*
 * Finding the logs under a path: a log by its name, or all that lie in a folder
 * and its subfolders, told from other files by a look at both of their ends.
 */
#ifndef CLI_LOG_SEARCH_H
#define CLI_LOG_SEARCH_H

#include <shmlog.h>
#include <stdbool.h>
#include <sys/stat.h>

/* Where logs are looked for if no path is given. */
#define CLI_LOG_FOLDER "/dev/shm"

/* Valid during the call of `found`. */
struct cli_found_log {
	const char *path;
	const struct stat *file;
	const struct shmlog_look *look;
};

struct cli_log_search {
	/* Called for each log; nonzero, an exit status, ends the search. */
	int (*found)(void *context, const struct cli_found_log *log);
	void *context;
	bool quiet; /* without messages */
	/* Of the first file or folder that could not be read, or that was given
	 * by its name and is no log; CLI_OK if there is none. */
	int status;
};

/*
 * Searches under a path.  What is no log is passed over in a folder, and what
 * is given by its name gets a message, as does each file and each folder that
 * cannot be read.  A symbolic link is followed only if it is `path` itself, and
 * another file system is not entered.  Returns what `found` returned, or
 * CLI_SYSTEM after a message if there is no memory, or CLI_OK.
 */
int cli_search_logs(struct cli_log_search *search, const char *path);

/* Looks at one file, following links.  The status of shmlog_look(), or -errno
 * of what came before it. */
int cli_look_at(const char *path, struct stat *file_out,
                struct shmlog_look *look_out);

/* Reports that a file cannot be looked at: -errno.  The exit status. */
int cli_look_failed(const char *path, int status);

#endif
