/* Creates logs to measure on, and takes their names away. */
#include "bench_log.h"

#include "command.h"
#include "failure.h"
#include "message.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* How many names to try: the same process id on another machine, or in another
 * namespace, may share the folder. */
#define TRIES 100u

#define MODE 0600

static bool is_folder_to_write(const char *path)
{
	struct stat entry;

	return path && stat(path, &entry) == 0 && S_ISDIR(entry.st_mode) &&
	       access(path, W_OK | X_OK) == 0;
}

const char *cli_bench_log_folder(void)
{
	const char *const folders[] = {"/dev/shm", getenv("TMPDIR"), "/tmp"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (is_folder_to_write(folders[i]))
			return folders[i];
	}
	return NULL;
}

int cli_bench_log_check_room(const char *folder, uint64_t capacity)
{
	struct statvfs room;
	uint64_t unit, blocks;

	if (statvfs(folder, &room) != 0)
		return cli_fail(folder, "cannot measure there", -errno);
	unit = room.f_frsize > 0 ? room.f_frsize : 1;
	blocks = (capacity + unit - 1) / unit;
	if (blocks <= room.f_bavail)
		return CLI_OK;
	cli_message(folder,
	            "cannot measure there: a log of %" PRIu64 " bytes does not "
	            "fit in %" PRIu64 " free bytes; nothing was created",
	            capacity, room.f_bavail * unit);
	return CLI_SYSTEM;
}

/* Opens what was just created; a status of the library. */
static int open_handles(const char *path, struct cli_bench_log *bench_log)
{
	int status = shmlog_open(path, &bench_log->log);

	if (status == 0)
		status = shmlog_open(path, &bench_log->read_log);
	if (status == 0)
		status = shmlog_writer_open(bench_log->log, NULL,
		                            &bench_log->writer);
	return status;
}

static int open_once(const char *path, uint64_t capacity,
                     struct cli_bench_log *bench_log)
{
	sigset_t all, before;
	int status;

	/* No signal comes between the name and its end. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	status = shmlog_create(path, capacity, MODE, SHMLOG_CREATE_SPARSE);
	if (status == 0) {
		status = open_handles(path, bench_log);
		unlink(path);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}

int cli_bench_log_open(const char *folder, uint64_t capacity,
                       struct cli_bench_log *bench_log_out)
{
	int status = -EEXIST;

	*bench_log_out = (struct cli_bench_log){.log = NULL};
	for (unsigned try = 0; try < TRIES && status == -EEXIST; try++) {
		char *path;

		if (asprintf(&path, "%s/shmlog-bench.%ld.%u", folder,
		             (long)getpid(), try) < 0)
			return cli_fail(folder, "cannot measure there",
			                -ENOMEM);
		status = open_once(path, capacity, bench_log_out);
		free(path);
	}
	if (status == 0)
		return CLI_OK;
	cli_bench_log_close(bench_log_out);
	return cli_fail(folder, "cannot make a log to measure on", status);
}

void cli_bench_log_close(struct cli_bench_log *bench_log)
{
	shmlog_writer_close(bench_log->writer);
	shmlog_close(bench_log->read_log);
	shmlog_close(bench_log->log);
	*bench_log = (struct cli_bench_log){.log = NULL};
}
