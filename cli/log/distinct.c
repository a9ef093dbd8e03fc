/* Tells whether two paths or descriptors lead to the same file, or one to a
 * log. */
#include "distinct.h"

#include "command.h"
#include "message.h"
#include "options.h"

#include <shmlog.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The last part of a path. */
static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Gets the status of the folder that a path lies in. */
static bool look_at_folder(const char *path, struct stat *folder_out)
{
	const char *base = base_of(path);
	char *folder = base == path ? strdup(".")
	                            : strndup(path, (size_t)(base - path));
	bool found = folder != NULL && stat(folder, folder_out) == 0;

	free(folder);
	return found;
}

bool cli_is_same_path(const char *a, const char *b)
{
	struct stat at_a;
	struct stat at_b;
	bool has_a = stat(a, &at_a) == 0;
	bool has_b = stat(b, &at_b) == 0;

	if (has_a || has_b)
		return has_a && has_b && is_same(&at_a, &at_b);
	return strcmp(base_of(a), base_of(b)) == 0 &&
	       look_at_folder(a, &at_a) && look_at_folder(b, &at_b) &&
	       is_same(&at_a, &at_b);
}

bool cli_is_same_file(const struct stat *a, const struct stat *b)
{
	return S_ISREG(a->st_mode) && is_same(a, b);
}

bool cli_is_log(const struct shmlog *log, const struct stat *file)
{
	struct shmlog_identity identity = shmlog_identity(log);

	return identity.device == (uint64_t)file->st_dev &&
	       identity.inode == (uint64_t)file->st_ino;
}

bool cli_is_path_of(const char *path, int fd)
{
	struct stat named;
	struct stat opened;

	return fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
	       cli_is_same_file(&opened, &named);
}

/* Whether a descriptor is open on the file of a log; `log` is NULL while it is
 * not open. */
static bool is_on_log(int fd, const char *path, const struct shmlog *log)
{
	struct stat opened;

	if (log == NULL)
		return cli_is_path_of(path, fd);
	return fstat(fd, &opened) == 0 && cli_is_log(log, &opened);
}

int cli_check_output(const char *path, const struct shmlog *log)
{
	if (is_on_log(STDERR_FILENO, path, log))
		return CLI_USAGE;
	if (!is_on_log(STDOUT_FILENO, path, log))
		return CLI_OK;
	cli_message(path, "standard output leads into it; nothing was written");
	return CLI_USAGE;
}

int cli_check_outputs(const struct cli_args *args)
{
	int status = CLI_OK;

	for (size_t i = 0; i < cli_args_operand_count(args) && status == CLI_OK;
	     i++)
		status = cli_check_output(cli_args_operand(args, i), NULL);
	return status;
}
