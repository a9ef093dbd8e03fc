/* Finds the logs that rotations have left. */
#include "rotated.h"

#include "archive.h"

#include <dirent.h>
#include <errno.h>
#include <shmlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Whether two digits are a number in a range. */
static bool is_within(const char *digits, int least, int most)
{
	int number = (digits[0] - '0') * 10 + digits[1] - '0';

	return number >= least && number <= most;
}

/* Whether a text begins with a time. */
static bool is_time(const char *text)
{
	static const char form[] = "dddddddd"
				   "T"
				   "dddddd"
				   "Z";

	for (size_t i = 0; form[i] != '\0'; i++) {
		bool right = form[i] == 'd' ? text[i] >= '0' && text[i] <= '9'
		                            : text[i] == form[i];

		if (!right)
			return false;
	}
	/* A second may be a leap second. */
	return is_within(text + 4, 1, 12) && is_within(text + 6, 1, 31) &&
	       is_within(text + 9, 0, 23) && is_within(text + 11, 0, 59) &&
	       is_within(text + 13, 0, 60);
}

/* Reads what stands behind "LOG." in a name: a time, perhaps a number, perhaps
 * the suffix of an archive, and nothing else. */
static bool read_name(const char *text, struct cli_rotated *entry_out)
{
	size_t time_length = sizeof(entry_out->time) - 1;
	char *end;

	if (!is_time(text))
		return false;
	memcpy(entry_out->time, text, time_length);
	text += time_length;
	if (text[0] == '.' && text[1] >= '1' && text[1] <= '9') {
		entry_out->number = strtoul(text + 1, &end, 10);
		text = end;
	}
	entry_out->archived = strcmp(text, CLI_ARCHIVE_SUFFIX) == 0;
	return entry_out->archived || text[0] == '\0';
}

size_t cli_rotated_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash == NULL ? path : slash + 1;
	struct cli_rotated entry = {.path = NULL};

	for (const char *dot = file; (dot = strchr(dot, '.')) != NULL; dot++) {
		if (dot > file && read_name(dot + 1, &entry))
			return (size_t)(dot - path);
	}
	return 0;
}

bool cli_rotated_is_log(const struct cli_rotated *entry)
{
	struct shmlog_header header;

	return entry->archived ? cli_is_archive(entry->path)
	                       : shmlog_inspect(entry->path, &header) == 0;
}

static int compare(const void *a, const void *b)
{
	const struct cli_rotated *one = a;
	const struct cli_rotated *other = b;
	int order = strcmp(one->time, other->time);

	if (order != 0)
		return order;
	return (one->number > other->number) - (one->number < other->number);
}

/* Adds a file of the folder if it is one. */
static int add(struct cli_rotated_list *list, const char *name,
               const char *folder_end, const char *found)
{
	size_t file_length = strlen(folder_end);
	struct cli_rotated entry = {.path = NULL};

	if (strncmp(found, folder_end, file_length) != 0 ||
	    found[file_length] != '.' ||
	    !read_name(found + file_length + 1, &entry))
		return 0;
	if (asprintf(&entry.path, "%.*s%s", (int)(folder_end - name), name,
	             found) < 0)
		return -ENOMEM;
	struct cli_rotated *all = realloc(list->all,
	                                  (list->count + 1) * sizeof(*all));

	if (all == NULL) {
		free(entry.path);
		return -ENOMEM;
	}
	list->all = all;
	all[list->count++] = entry;
	return 0;
}

int cli_rotated_find(const char *path, struct cli_rotated_list *list_out)
{
	char *name = realpath(path, NULL);
	int status = 0;

	*list_out = (struct cli_rotated_list){.all = NULL};
	if (name == NULL)
		return -errno;
	const char *file = strrchr(name, '/') + 1;
	char *folder = strndup(name, (size_t)(file - name));
	DIR *directory = folder == NULL ? NULL : opendir(folder);

	if (directory == NULL)
		status = folder == NULL ? -ENOMEM : -errno;
	for (struct dirent *entry; directory != NULL && status == 0 &&
	                           (entry = readdir(directory)) != NULL;)
		status = add(list_out, name, file, entry->d_name);
	if (directory != NULL)
		closedir(directory);
	free(folder);
	free(name);
	if (status == 0 && list_out->count > 1)
		qsort(list_out->all, list_out->count, sizeof(*list_out->all),
		      compare);
	return status;
}

void cli_rotated_check(struct cli_rotated_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (cli_rotated_is_log(&list->all[i]))
			list->all[kept++] = list->all[i];
		else
			free(list->all[i].path);
	}
	list->count = kept;
}

void cli_rotated_release(struct cli_rotated_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->all[i].path);
	free(list->all);
	*list = (struct cli_rotated_list){.all = NULL};
}

static bool is_file(const char *path, const struct shmlog_identity *log)
{
	struct stat file;

	return stat(path, &file) == 0 && (uint64_t)file.st_dev == log->device &&
	       (uint64_t)file.st_ino == log->inode;
}

static bool is_log(const char *path, const struct shmlog_identity *log)
{
	struct shmlog *opened;

	if (!is_file(path, log) || shmlog_open(path, &opened) != 0)
		return false;
	struct shmlog_identity identity = shmlog_identity(opened);

	shmlog_close(opened);
	return shmlog_same_file(log, &identity);
}

char *cli_rotated_path(const char *path, const struct shmlog_identity *log)
{
	struct cli_rotated_list list = {.all = NULL};
	char *found = NULL;

	if (!is_file(path, log) && cli_rotated_find(path, &list) == 0) {
		for (size_t i = list.count; i > 0 && found == NULL; i--) {
			const struct cli_rotated *entry = &list.all[i - 1];

			if (!entry->archived && is_log(entry->path, log))
				found = strdup(entry->path);
		}
	}
	cli_rotated_release(&list);
	return found;
}

/* What a path leads to. */
struct found {
	struct shmlog_identity identity;
	bool empty;
};

static bool look_at(const char *path, struct found *found_out)
{
	struct shmlog_header header;
	struct shmlog *log;

	if (shmlog_open(path, &log) != 0)
		return false;
	bool known = shmlog_read_header(log, &header) == 0;

	found_out->identity = shmlog_identity(log);
	found_out->empty = known && header.size == header.data_offset;
	shmlog_close(log);
	return known;
}

/*
 * Whether a log that has the name of a rotated one has frames and was rotated.
 * While a rotation is under way, its new log has that name for a moment, and is
 * empty; once that has frames, the name leads to another file.  A rotated log
 * without frames may be passed over as well.
 */
static bool is_worth_reading(const struct cli_rotated *entry)
{
	struct found found;

	return look_at(entry->path, &found) && !found.empty &&
	       is_file(entry->path, &found.identity);
}

/* The first log behind the place `next` that is worth reading: its path, or
 * NULL. */
static char *find_readable(const struct cli_rotated_list *list, size_t next,
                           size_t *passed)
{
	for (size_t i = next; i < list->count; i++) {
		const struct cli_rotated *entry = &list->all[i];

		if (entry->archived)
			*passed += cli_rotated_is_log(entry);
		else if (is_worth_reading(entry))
			return strdup(entry->path);
	}
	return NULL;
}

char *cli_rotated_after(const char *path, const struct shmlog_identity *log,
                        size_t *passed_out)
{
	struct cli_rotated_list list;
	char *after = NULL;
	size_t next = 0;

	*passed_out = 0;
	if (cli_rotated_find(path, &list) == 0)
		next = list.count;
	/* From the end, as it was rotated a moment ago. */
	while (next > 0 && !is_file(list.all[next - 1].path, log))
		next--;
	if (next > 0)
		after = find_readable(&list, next, passed_out);
	cli_rotated_release(&list);
	return after;
}
