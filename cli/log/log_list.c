/* Gathers the logs under some paths, and who holds them. */
#include "log_list.h"

#include "command.h"
#include "failure.h"
#include "log_search.h"
#include "log_table.h"
#include "message.h"

#include <errno.h>
#include <shmlog.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As much of a name as shmlog_remove() takes into the one that it uses. */
#define HIDDEN_NAME_BYTES 100

/* Where the entry of a file is. */
struct key {
	uint64_t device;
	uint64_t inode;
	size_t place;
};

struct list {
	struct cli_log_table table;
	struct key *keys; /* of the first `indexed`, in the order of files */
	size_t indexed;
	bool wants_deleted;
	bool quiet;
	bool short_of_memory;
	int status;
};

/* The exit status, after a message if there are any. */
static int fail(const struct list *list, const char *path, const char *what,
                int status)
{
	return list->quiet ? cli_exit_status(status)
	                   : cli_fail(path, what, status);
}

/* -------------------------------------------------------------- gathering */

static struct cli_listed_log *add_entry(struct list *list, const char *path,
                                        const struct stat *file)
{
	if (list->table.count == list->table.room) {
		size_t room = list->table.room * 2 + 64;
		void *all = realloc(list->table.all,
		                    room * sizeof(*list->table.all));

		if (!all)
			return NULL;
		list->table.all = all;
		list->table.room = room;
	}
	struct cli_listed_log *entry = &list->table.all[list->table.count];

	*entry = (struct cli_listed_log){
		.path = strdup(path),
		.device = (uint64_t)file->st_dev,
		.inode = (uint64_t)file->st_ino,
		.uid = (uint32_t)file->st_uid,
	};
	if (!entry->path)
		return NULL;
	list->table.count++;
	return entry;
}

static void note_look(struct cli_listed_log *entry,
                      const struct shmlog_look *look)
{
	entry->is_log = true;
	entry->header = look->header;
	entry->damaged = look->first_frame != 0 || look->last_frame != 0;
}

static int keep_found(void *context, const struct cli_found_log *found)
{
	struct cli_listed_log *entry = add_entry(context, found->path,
	                                         found->file);

	if (!entry)
		return fail(context, NULL, "cannot list", -ENOMEM);
	note_look(entry, found->look);
	return CLI_OK;
}

/* ---------------------------------------------------------------- holders */

static int compare_keys(const void *one, const void *other)
{
	const struct key *a = one;
	const struct key *b = other;

	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return 0;
}

static int make_index(struct list *list)
{
	list->keys = calloc(list->table.count + 1, sizeof(*list->keys));
	if (!list->keys)
		return fail(list, NULL, "cannot list", -ENOMEM);
	for (size_t i = 0; i < list->table.count; i++)
		list->keys[i] = (struct key){list->table.all[i].device,
		                             list->table.all[i].inode, i};
	list->indexed = list->table.count;
	qsort(list->keys, list->table.count, sizeof(*list->keys), compare_keys);
	return CLI_OK;
}

/* The first key of a file, or the one that would stand behind it. */
static size_t find_key(const struct list *list,
                       const struct shmlog_held_file *file)
{
	const struct key wanted = {file->device, file->inode, 0};
	size_t low = 0;
	size_t high = list->indexed;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_keys(&list->keys[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct list *list, size_t at,
                  const struct shmlog_held_file *file)
{
	return at < list->indexed && list->keys[at].device == file->device &&
	       list->keys[at].inode == file->inode;
}

static bool wants_file(void *context, const struct shmlog_held_file *file)
{
	const struct list *list = context;

	return (!file->named && list->wants_deleted) ||
	       is_at(list, find_key(list, file), file);
}

static void count_hold(struct cli_listed_log *entry,
                       const struct shmlog_process *process)
{
	uint64_t size = entry->header.size;
	uint64_t at = process->follower_offset;

	if (process->writes || process->appends)
		entry->writers++;
	else
		entry->readers++;
	if (process->followers == 0)
		return;
	if (at < entry->header.data_offset)
		at = entry->header.data_offset;

	uint64_t lag = at < size ? size - at : 0;

	if (!entry->has_lag || lag > entry->lag)
		entry->lag = lag;
	entry->has_lag = true;
}

/* The end of a text without the number at its end and the point before that;
 * NULL if it has none. */
static char *end_without_number(const char *text, char *end)
{
	char *digits = end;

	while (digits > text && digits[-1] >= '0' && digits[-1] <= '9')
		digits--;
	return digits < end && digits > text && digits[-1] == '.' ? digits - 1
	                                                          : NULL;
}

/*
 * Takes away what shmlog_remove() adds to a name before it removes that:
 * "/a/.name.PID.N" becomes "/a/name".  What is only like that is left, and so
 * is a name that it may have cut.
 */
static void restore_name(char *path)
{
	char *base = strrchr(path, '/');

	if (base == NULL || base[1] != '.')
		return;
	char *name = base + 2;
	char *end = end_without_number(name, name + strlen(name));

	if (end != NULL)
		end = end_without_number(name, end);
	if (end == NULL || end == name || end - name >= HIDDEN_NAME_BYTES)
		return;
	*end = '\0';
	memmove(base + 1, name, (size_t)(end - name) + 1);
}

/* The name that a file without one had, as its link in /proc tells. */
static char *read_former_path(const char *path)
{
	static const char mark[] = " (deleted)";
	char text[4096];
	ssize_t length = readlink(path, text, sizeof(text) - 1);
	size_t rest = sizeof(mark) - 1;

	if (length <= 0)
		return NULL;
	text[length] = '\0';
	if ((size_t)length > rest &&
	    strcmp(text + (size_t)length - rest, mark) == 0)
		text[(size_t)length - rest] = '\0';
	restore_name(text);
	return strdup(text);
}

/* Looks at a file that has lost its name, when it is met first. */
static struct cli_listed_log *add_deleted(struct list *list,
                                          const struct shmlog_hold *hold)
{
	struct shmlog_look look;
	struct stat file;
	int status = cli_look_at(hold->path, &file, &look);
	struct cli_listed_log *entry;

	/* Let go of since, or the number was used again. */
	if (status == -ENOENT || status == -ESRCH ||
	    (status == 0 && ((uint64_t)file.st_ino != hold->file.inode ||
	                     (uint64_t)file.st_dev != hold->file.device)))
		return NULL;
	if (cli_is_errno(status))
		file = (struct stat){.st_dev = (dev_t)hold->file.device,
		                     .st_ino = (ino_t)hold->file.inode};
	entry = add_entry(list, hold->path, &file);
	if (!entry) {
		list->short_of_memory = true;
		return NULL;
	}
	entry->deleted = true;
	if (status == 0) {
		note_look(entry, &look);
		entry->former_path = read_former_path(hold->path);
	} else if (cli_is_errno(status)) {
		int one = list->quiet ? cli_exit_status(status)
		                      : cli_look_failed(hold->path, status);

		if (list->status == CLI_OK)
			list->status = one;
	}
	return entry;
}

/* The entry of a file without a name, which is made if there is none. */
static struct cli_listed_log *find_deleted(struct list *list,
                                           const struct shmlog_hold *hold)
{
	for (size_t i = list->indexed; i < list->table.count; i++) {
		if (list->table.all[i].device == hold->file.device &&
		    list->table.all[i].inode == hold->file.inode)
			return &list->table.all[i];
	}
	return add_deleted(list, hold);
}

static int visit_hold(void *context, const struct shmlog_hold *hold)
{
	struct list *list = context;
	const struct shmlog_held_file *file = &hold->file;
	size_t at = find_key(list, file);
	bool known = is_at(list, at, file);
	struct cli_listed_log *entry;

	for (; is_at(list, at, file); at++)
		count_hold(&list->table.all[list->keys[at].place],
		           hold->process);
	if (known || file->named || !list->wants_deleted)
		return 0;
	entry = find_deleted(list, hold);
	if (entry && entry->is_log)
		count_hold(entry, hold->process);
	return list->short_of_memory ? -ENOMEM : 0;
}

static int find_holders(struct list *list)
{
	int status = make_index(list);

	if (status != CLI_OK)
		return status;
	list->table.unseen = shmlog_holds(wants_file, visit_hold, list);
	list->table.hidden = shmlog_processes_hidden();
	if (list->short_of_memory)
		return fail(list, NULL, "cannot list", -ENOMEM);
	/* Where the system has no such list, nothing has gone wrong, unless
	 * what it tells was asked for. */
	if (list->table.unseen < 0 &&
	    (list->table.unseen != -ENOTSUP || list->wants_deleted))
		return fail(list, "/proc", "cannot tell who holds a log",
		            list->table.unseen);
	return CLI_OK;
}

static int compare_names(const void *one, const void *other)
{
	return strcmp(((const struct cli_listed_log *)one)->path,
	              ((const struct cli_listed_log *)other)->path);
}

/* Leaves out what turned out to be no log, and sorts the rest by name. */
static void arrange(struct list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->table.count; i++) {
		struct cli_listed_log entry = list->table.all[i];

		if (entry.is_log)
			list->table.all[kept++] = entry;
		else
			free(entry.path);
	}
	list->table.count = kept;
	if (kept > 1)
		qsort(list->table.all, kept, sizeof(*list->table.all),
		      compare_names);
}

void cli_log_table_release(struct cli_log_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		free(table->all[i].path);
		free(table->all[i].former_path);
	}
	free(table->all);
	*table = (struct cli_log_table){.all = NULL};
}

static int gather(struct list *list, const struct cli_log_wanted *wanted)
{
	struct cli_log_search search = {
		.found = keep_found, .context = list, .quiet = wanted->quiet};
	int status = CLI_OK;

	for (size_t i = 0; i < wanted->path_count && status == CLI_OK; i++)
		status = cli_search_logs(&search, wanted->paths[i]);
	if (wanted->path_count == 0)
		status = cli_search_logs(&search, CLI_LOG_FOLDER);
	list->status = search.status;
	return status;
}

int cli_log_table_fill(struct cli_log_table *table,
                       const struct cli_log_wanted *wanted)
{
	struct list list = {.wants_deleted = wanted->deleted,
	                    .quiet = wanted->quiet};
	int status = gather(&list, wanted);

	if (status == CLI_OK && wanted->holders)
		status = find_holders(&list);
	if (list.status == CLI_OK)
		list.status = status;
	arrange(&list);
	free(list.keys);
	*table = list.table;
	return list.status;
}

int cli_list_logs(const struct cli_log_list_options *options,
                  const struct cli_args *args)
{
	size_t count = cli_args_operand_count(args);
	const char **paths = calloc(count + 1, sizeof(*paths));
	const struct cli_log_wanted wanted = {
		.paths = paths,
		.path_count = count,
		.deleted = options->deleted,
		.holders = true,
	};
	struct cli_log_table table;

	if (paths == NULL)
		return cli_fail(NULL, "cannot list", -ENOMEM);
	for (size_t i = 0; i < count; i++)
		paths[i] = cli_args_operand(args, i);
	int listed = cli_log_table_fill(&table, &wanted);
	int status = cli_print_logs(&table, options->json, options->color);

	cli_log_table_release(&table);
	free(paths);
	return status == CLI_OK ? listed : status;
}
