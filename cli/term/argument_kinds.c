/* Offers values that have to do with neither logs nor frames. */
#include "argument_kinds.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct cli_argument_kind cli_takes_text = {.words = NULL};
const struct cli_argument_kind cli_takes_number = {.words = NULL};
const struct cli_argument_kind cli_takes_mode = CLI_ONE_OF(
	"0600", "0640", "0660", "0644", "0664", "0666");
const struct cli_argument_kind cli_takes_follow = CLI_ONE_OF("name",
                                                             "descriptor");

/* ------------------------------------------------------ numbers with a unit */

struct unit {
	const char *name;
	const char *description;
};

/* Offers `examples` for no number at all, and the units behind one. */
static void offer_units(struct cli_completion *completion,
                        const char *const *examples, const struct unit *units)
{
	const char *value = cli_completion_value(completion);
	size_t sign = value[0] == '+';
	size_t digits = strspn(value + sign, "0123456789.");
	char text[64];

	for (; digits == 0 && *examples != NULL; examples++)
		cli_offer(completion, *examples, NULL);
	if (digits == 0 || digits > 40)
		return;
	for (; units->name != NULL; units++) {
		(void)snprintf(text, sizeof(text), "%.*s%s",
		               (int)(sign + digits), value, units->name);
		cli_offer(completion, text, units->description);
	}
}

static void offer_sizes(struct cli_completion *completion)
{
	static const char *const examples[] = {"64K",  "1M", "16M",
	                                       "256M", "1G", NULL};
	static const struct unit units[] = {
		{"K", "KiB"}, {"M", "MiB"}, {"G", "GiB"}, {"T", "TiB"}, {0}};

	offer_units(completion, examples, units);
}

static void offer_durations(struct cli_completion *completion)
{
	static const char *const examples[] = {"10ms", "200ms", "1s",
	                                       "10s",  "1m",    NULL};
	static const struct unit units[] = {
		{"us", "microseconds"}, {"ms", "milliseconds"},
		{"s", "seconds"},       {"m", "minutes"},
		{"h", "hours"},         {0}};

	offer_units(completion, examples, units);
}

const struct cli_argument_kind cli_takes_size = {.offer = offer_sizes};
const struct cli_argument_kind cli_takes_duration = {.offer = offer_durations};

/* ------------------------------------------------------- files and folders */

/* So many files of a folder are asked about; of more, all are offered. */
#define ASKED_MOST 256u

/* The entries of a folder that begin as the path at the cursor does. */
struct entry {
	char *path; /* as it is to be typed; a folder has a slash behind it */
	const char *name; /* the rest of it */
	bool folder;
};

struct listing {
	DIR *directory;
	const char *value;
	size_t folder_bytes; /* of the value */
	struct entry *entries;
	size_t count;
	size_t room;
	size_t files;
};

/* fish and zsh choose by themselves among those that are alike but for case. */
static bool is_alike(const char *name, const char *beginning)
{
	for (; *beginning != '\0'; name++, beginning++) {
		if (tolower((unsigned char)*name) !=
		    tolower((unsigned char)*beginning))
			return false;
	}
	return true;
}

static bool is_candidate(const struct listing *listing, const char *name)
{
	const char *beginning = listing->value + listing->folder_bytes;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	return (name[0] != '.' || beginning[0] == '.') &&
	       is_alike(name, beginning);
}

static bool is_folder(int directory, const struct dirent *entry)
{
	struct stat file;

	if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
		return entry->d_type == DT_DIR;
	return fstatat(directory, entry->d_name, &file, 0) == 0 &&
	       S_ISDIR(file.st_mode);
}

/* False when there is no memory. */
static bool add_entry(struct listing *listing, const char *name, bool folder)
{
	size_t bytes = listing->folder_bytes + strlen(name) + 2;
	struct entry *entry;
	char *path;

	if (listing->count == listing->room) {
		size_t room = listing->room * 2 + 64;
		struct entry *longer = realloc(listing->entries,
		                               room * sizeof(*longer));

		if (longer == NULL)
			return false;
		listing->entries = longer;
		listing->room = room;
	}
	path = malloc(bytes);
	if (path == NULL)
		return false;
	(void)snprintf(path, bytes, "%.*s%s%s", (int)listing->folder_bytes,
	               listing->value, name, folder ? "/" : "");
	entry = &listing->entries[listing->count++];
	entry->path = path;
	entry->name = path + listing->folder_bytes;
	entry->folder = folder;
	listing->files += !folder;
	return true;
}

static void read_entries(struct listing *listing)
{
	struct dirent *entry;

	while ((entry = readdir(listing->directory)) != NULL) {
		if (is_candidate(listing, entry->d_name) &&
		    !add_entry(listing, entry->d_name,
		               is_folder(dirfd(listing->directory), entry)))
			return;
	}
}

static void offer_entries(struct cli_completion *completion,
                          const struct listing *listing,
                          const struct cli_path_choice *choice)
{
	bool asked = choice->wanted != NULL && listing->files <= ASKED_MOST;

	for (size_t i = 0; i < listing->count; i++) {
		const struct entry *entry = &listing->entries[i];

		if (entry->folder)
			cli_offer_folder(completion, entry->path);
		else if (!choice->folders_only &&
		         (!asked || choice->wanted(dirfd(listing->directory),
		                                   entry->name)))
			cli_offer_file(completion, entry->path);
	}
	if (!asked || choice->folders_only || cli_completion_found(completion))
		return;
	for (size_t i = 0; i < listing->count; i++)
		cli_offer_file(completion, listing->entries[i].path);
}

void cli_offer_paths(struct cli_completion *completion,
                     const struct cli_path_choice *choice)
{
	const char *value = cli_completion_value(completion);
	const char *slash = strrchr(value, '/');
	char *folder = cli_completion_folder(completion);
	struct listing listing = {
		.directory = folder != NULL ? opendir(folder) : NULL,
		.value = value,
		.folder_bytes = slash != NULL ? (size_t)(slash + 1 - value) : 0,
	};

	/* "~" or "~name", which the shell knows more about. */
	if (folder == NULL)
		cli_offer_native(completion);
	free(folder);
	if (listing.directory == NULL)
		return;
	read_entries(&listing);
	offer_entries(completion, &listing, choice);
	for (size_t i = 0; i < listing.count; i++)
		free(listing.entries[i].path);
	free(listing.entries);
	closedir(listing.directory);
}

static void offer_files(struct cli_completion *completion)
{
	cli_offer_paths(completion, &(struct cli_path_choice){.wanted = NULL});
}

static void offer_folders(struct cli_completion *completion)
{
	cli_offer_paths(completion,
	                &(struct cli_path_choice){.folders_only = true});
}

const struct cli_argument_kind cli_takes_file = {.offer = offer_files};
const struct cli_argument_kind cli_takes_folder = {.offer = offer_folders};

/* ------------------------------------------------- programs and processes */

static void offer_programs_of(struct cli_completion *completion,
                              const char *folder)
{
	const char *value = cli_completion_value(completion);
	DIR *directory = opendir(folder);
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] != '.' && is_alike(entry->d_name, value) &&
		    !is_folder(dirfd(directory), entry) &&
		    faccessat(dirfd(directory), entry->d_name, X_OK, 0) == 0)
			cli_offer(completion, entry->d_name, NULL);
	}
	if (directory != NULL)
		closedir(directory);
}

/* The programs in PATH that begin so, or a file. */
static void offer_shell_command(struct cli_completion *completion)
{
	const char *value = cli_completion_value(completion);
	const char *path = getenv("PATH");
	char *copy, *rest, *folder;

	/* Of an empty word all are the beginning, and of a line none. */
	if (value[0] == '\0' || strchr(value, '/') != NULL) {
		offer_files(completion);
		return;
	}
	copy = rest = strdup(path != NULL ? path : "");
	while (rest != NULL && (folder = strsep(&rest, ":")) != NULL)
		offer_programs_of(completion, folder);
	free(copy);
}

/* The name of a process, in the caller's buffer. */
static const char *process_name(int proc, const char *pid, char *buffer,
                                size_t size_bytes)
{
	char path[64];
	ssize_t got = -1;
	int fd;

	(void)snprintf(path, sizeof(path), "%.20s/comm", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, buffer, size_bytes - 1);
		close(fd);
	}
	buffer[got > 0 ? got : 0] = '\0';
	buffer[strcspn(buffer, "\n")] = '\0';
	return buffer;
}

/* Those of this user; root may mean any. */
static void offer_processes(struct cli_completion *completion)
{
	DIR *proc = opendir("/proc");
	char name[64];
	struct dirent *entry;
	struct stat file;

	while (proc != NULL && (entry = readdir(proc)) != NULL) {
		const char *pid = entry->d_name;

		if (pid[strspn(pid, "0123456789")] != '\0' ||
		    !is_alike(pid, cli_completion_value(completion)) ||
		    fstatat(dirfd(proc), pid, &file, 0) != 0 ||
		    (getuid() != 0 && file.st_uid != getuid()))
			continue;
		cli_offer(completion, pid,
		          process_name(dirfd(proc), pid, name, sizeof(name)));
	}
	if (proc != NULL)
		closedir(proc);
}

const struct cli_argument_kind cli_takes_shell_command = {
	.offer = offer_shell_command};
const struct cli_argument_kind cli_takes_process = {.offer = offer_processes};
