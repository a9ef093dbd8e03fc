/* Offers logs, and positions in them. */
#include "log_arguments.h"

#include "argument_kinds.h"
#include "log_search.h"
#include "position.h"
#include "rotated.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <shmlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A Tab must not wait: so much of CLI_LOG_FOLDER is looked at, and of what lies
 * deeper nothing. */
#define ENTRIES_MOST 4096u
#define LOOKS_MOST 256u
#define DEPTH_MOST 3

/* Whether a file is a log.  It is asked for once: a process that has a lease on
 * it holds a log. */
static bool is_plain_log(int folder, const char *name)
{
	struct shmlog_look look;
	struct stat file;
	bool answer;
	int fd;

	/* To open a FIFO or a device may have effects. */
	if (fstatat(folder, name, &file, 0) != 0 || !S_ISREG(file.st_mode))
		return false;
	fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == EWOULDBLOCK;
	answer = shmlog_look(fd, &look) == 0;
	close(fd);
	return answer;
}

/* ... or could be read as one: an archive is taken by its usual name. */
static bool is_log(int folder, const char *name)
{
	size_t bytes = strlen(name);
	size_t suffix = strlen(CLI_ARCHIVE_SUFFIX);

	return (bytes > suffix &&
	        strcmp(name + bytes - suffix, CLI_ARCHIVE_SUFFIX) == 0) ||
	       is_plain_log(folder, name);
}

/* A search for logs below a folder that ends before it takes long. */
struct quick_search {
	struct cli_completion *completion;
	unsigned entries;
	unsigned looks;
};

static bool search_below(struct quick_search *search, const char *folder,
                         int depth);

/* False when it is enough. */
static bool take_entry(struct quick_search *search, int folder,
                       const char *path, const struct dirent *entry, int depth)
{
	if (entry->d_type == DT_DIR)
		return depth >= DEPTH_MOST ||
		       search_below(search, path, depth + 1);
	if (entry->d_type != DT_REG)
		return true;
	if (search->looks++ >= LOOKS_MOST)
		return false;
	if (is_log(folder, entry->d_name))
		cli_offer_file(search->completion, path);
	return true;
}

static bool search_below(struct quick_search *search, const char *folder,
                         int depth)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	char path[1024];
	bool whole = true;

	while (whole && directory != NULL &&
	       (entry = readdir(directory)) != NULL) {
		int length = snprintf(path, sizeof(path), "%s/%s", folder,
		                      entry->d_name);

		if (search->entries++ >= ENTRIES_MOST)
			whole = false;
		else if (entry->d_name[0] != '.' && length < (int)sizeof(path))
			whole = take_entry(search, dirfd(directory), path,
			                   entry, depth);
	}
	if (directory != NULL)
		closedir(directory);
	return whole;
}

/* Where logs usually are, for a value that may become a path there. */
static void offer_usual_logs(struct cli_completion *completion)
{
	static const char place[] = CLI_LOG_FOLDER "/";
	const char *value = cli_completion_value(completion);
	struct quick_search search = {.completion = completion};

	if (strncmp(place, value, strlen(value)) != 0 ||
	    strlen(value) == strlen(place))
		return;
	/* What was not looked at must not make the rest look like all. */
	if (!search_below(&search, CLI_LOG_FOLDER, 0))
		cli_offer_folder(completion, place);
}

static void offer_logs(struct cli_completion *completion)
{
	offer_usual_logs(completion);
	cli_offer_paths(completion,
	                &(struct cli_path_choice){.wanted = is_log});
}

static void offer_plain_logs(struct cli_completion *completion)
{
	offer_usual_logs(completion);
	cli_offer_paths(completion,
	                &(struct cli_path_choice){.wanted = is_plain_log});
}

static void offer_new_log(struct cli_completion *completion)
{
	if (cli_completion_value(completion)[0] == '\0')
		cli_offer_folder(completion, CLI_LOG_FOLDER "/");
	cli_offer_paths(completion, &(struct cli_path_choice){.wanted = NULL});
}

const struct cli_argument_kind cli_takes_log = {.offer = offer_logs};
const struct cli_argument_kind cli_takes_plain_log = {
	.offer = offer_plain_logs};
const struct cli_argument_kind cli_takes_new_log = {.offer = offer_new_log};

/* ---------------------------------------------------------------- positions */

static void offer_positions(struct cli_completion *completion)
{
	const char *value = cli_completion_value(completion);

	cli_offer(completion, "start", "the first frame");
	cli_offer(completion, "end", "behind the last frame");
	cli_offer(completion, "-1", "the last frame; -N: the Nth from the end");
	if (strncmp(value, "frame:", strlen("frame:")) == 0) {
		cli_offer(completion, "frame:0", "the first frame");
		cli_offer(completion, "frame:-1", "the last frame");
	} else {
		cli_offer_part(completion, "frame:", "the Nth frame, from 0");
	}
	if (strncmp(value, "offset:", strlen("offset:")) == 0)
		cli_offer_part(completion, "offset:0x", "in hexadecimal");
	else
		cli_offer_part(completion, "offset:", "a place in the file");
}

static void offer_logs_or_positions(struct cli_completion *completion)
{
	const char *operand = cli_completion_operand(completion, 0);
	bool placed = false;

	for (size_t i = 0; operand != NULL && !placed; i++) {
		placed = cli_position_is_valid(operand);
		operand = cli_completion_operand(completion, i + 1);
	}
	/* The first one is a log. */
	if (cli_completion_operand(completion, 0) != NULL)
		offer_positions(completion);
	if (!placed)
		offer_logs(completion);
}

const struct cli_argument_kind cli_takes_position = {.offer = offer_positions};
const struct cli_argument_kind cli_takes_log_or_position = {
	.offer = offer_logs_or_positions};
