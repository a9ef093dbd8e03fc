/* Finds, lists and runs the commands that are programs of their own. */
#include "programs.h"

#include "command.h"
#include "mention.h"
#include "message.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "shmlog-"
/* Where the shell looks when PATH is not set. */
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* The programs of this project, each in a package of its own. */
struct known_program {
	const char *name;
	const char *summary;
	const char *package;
};

static const struct known_program known_programs[] = {
	{"dispatch", "answer each frame by a model or a command",
         "shmlog-dispatch"},
	{"relay", "carry a log to and from NATS JetStream", "shmlog-relay"},
};

#define KNOWN_COUNT (sizeof(known_programs) / sizeof(known_programs[0]))

static const struct known_program *find_known(const char *name)
{
	for (size_t i = 0; i < KNOWN_COUNT; i++) {
		if (strcmp(known_programs[i].name, name) == 0)
			return &known_programs[i];
	}
	return NULL;
}

const char *cli_program_known(size_t n)
{
	return n < KNOWN_COUNT ? known_programs[n].name : NULL;
}

const char *cli_program_summary(size_t n)
{
	return known_programs[n].summary;
}

/* Lower-case letters, digits and dashes: no path, no option. */
static bool is_program_name(const char *name)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyz"
					 "0123456789-";

	return name[0] != '\0' && name[0] != '-' &&
	       name[strspn(name, characters)] == '\0';
}

/* The folders to look in, one call each: false when there are no more. */
struct search {
	unsigned place;   /* 0 beside the executable, 1 libexec, 2 PATH */
	const char *rest; /* of PATH */
	char folder[PATH_MAX];
};

static void search_begin(struct search *search)
{
	const char *path = getenv("PATH");

	search->place = 0;
	search->rest = path != NULL ? path : DEFAULT_PATH;
}

/* The folder of this executable with `suffix` behind it. */
static bool own_folder(struct search *search, const char *suffix)
{
	ssize_t length = readlink("/proc/self/exe", search->folder,
	                          sizeof(search->folder) - 1);

	if (length <= 0)
		return false;
	search->folder[length] = '\0';
	char *slash = strrchr(search->folder, '/');

	if (slash == NULL)
		return false;
	size_t used = (size_t)(slash - search->folder);

	if (used + strlen(suffix) >= sizeof(search->folder))
		return false;
	memcpy(slash, suffix, strlen(suffix) + 1);
	return true;
}

/* The next folder of PATH; one that is not absolute is passed over, as it
 * would make what runs depend on where somebody stands. */
static bool next_of_path(struct search *search)
{
	while (search->rest != NULL) {
		size_t length = strcspn(search->rest, ":");
		const char *from = search->rest;

		search->rest = from[length] == ':' ? from + length + 1 : NULL;
		if (from[0] != '/' || length >= sizeof(search->folder))
			continue;
		memcpy(search->folder, from, length);
		search->folder[length] = '\0';
		return true;
	}
	return false;
}

static bool search_next(struct search *search)
{
	while (search->place < 2) {
		const char *suffix = search->place++ == 0
		                             ? ""
		                             : "/../libexec/shmlog";

		if (own_folder(search, suffix))
			return true;
	}
	return next_of_path(search);
}

/* The path of a program in the folder at hand; false if it is too long. */
static bool path_of(const struct search *search, const char *name, char *path)
{
	int length = snprintf(path, PATH_MAX, "%s/" PREFIX "%s", search->folder,
	                      name);

	return length > 0 && length < PATH_MAX;
}

static bool is_program(const char *path)
{
	struct stat file;

	return stat(path, &file) == 0 && S_ISREG(file.st_mode) &&
	       access(path, X_OK) == 0;
}

/* Tries to become the program; returns only when that failed. */
static void become(const char *path, char **argv)
{
	/* main has this process ignore it; a new program begins afresh. */
	signal(SIGXFSZ, SIG_DFL);
	execv(path, argv);
	signal(SIGXFSZ, SIG_IGN);
}

static int report_missing(const char *name)
{
	const struct known_program *known = find_known(name);

	cli_message_command(name);
	cli_message(NULL,
	            "not installed: the package %s brings the program " PREFIX
	            "%s",
	            known->package, name);
	return CLI_SYSTEM;
}

int cli_program_run(const char *name, char **argv, bool *unknown_out)
{
	struct search search;
	char path[PATH_MAX], failed[PATH_MAX];
	int error = 0;

	*unknown_out = false;
	search_begin(&search);
	while (is_program_name(name) && search_next(&search)) {
		struct stat file;

		if (!path_of(&search, name, path) || stat(path, &file) != 0)
			continue;
		become(path, argv);
		/* As execvp(3) does: another folder may have a better one. */
		if (error == 0) {
			error = errno;
			memcpy(failed, path, strlen(path) + 1);
		}
	}
	if (error != 0) {
		cli_message_command(name);
		return cli_system_failed(failed, "cannot run", error);
	}
	if (find_known(name) != NULL)
		return report_missing(name);
	*unknown_out = true;
	return CLI_USAGE;
}

bool cli_programs_print_mentions(const char *word)
{
	bool found = false;

	for (size_t i = 0; i < KNOWN_COUNT; i++) {
		const struct known_program *known = &known_programs[i];

		if (!cli_mentions(known->name, word) &&
		    !cli_mentions(known->summary, word))
			continue;
		printf("%-*s  %s\n", CLI_NAME_COLUMN, known->name,
		       known->summary);
		found = true;
	}
	return found;
}

/* A program that is known or was found. */
struct program {
	char *name;
	bool installed;
};

struct programs {
	struct program *list;
	size_t count;
};

static int compare_programs(const void *a, const void *b)
{
	return strcmp(((const struct program *)a)->name,
	              ((const struct program *)b)->name);
}

/* Adds a name, once.  Without the memory it is left out. */
static void add_program(struct programs *programs, const char *name,
                        bool installed)
{
	for (size_t i = 0; i < programs->count; i++) {
		if (strcmp(programs->list[i].name, name) == 0)
			return;
	}
	struct program *longer = realloc(
		programs->list, (programs->count + 1) * sizeof(*longer));
	char *copy = strdup(name);

	if (longer != NULL)
		programs->list = longer;
	if (longer == NULL || copy == NULL) {
		free(copy);
		return;
	}
	programs->list[programs->count++] = (struct program){copy, installed};
}

/* Adds the programs in the folder at hand. */
static void add_folder(struct programs *programs, const struct search *search)
{
	DIR *folder = opendir(search->folder);
	struct dirent *file;
	char path[PATH_MAX];

	if (folder == NULL)
		return;
	while ((file = readdir(folder)) != NULL) {
		if (strncmp(file->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		const char *name = file->d_name + strlen(PREFIX);

		if (is_program_name(name) && path_of(search, name, path) &&
		    is_program(path))
			add_program(programs, name, true);
	}
	closedir(folder);
}

static void print_program(FILE *stream, const struct program *program)
{
	const struct known_program *known = find_known(program->name);

	fprintf(stream, "  %-*s  ", CLI_NAME_COLUMN, program->name);
	if (known == NULL)
		fprintf(stream, "run " PREFIX "%s\n", program->name);
	else if (program->installed)
		fprintf(stream, "%s\n", known->summary);
	else
		fprintf(stream, "%s (not installed)\n", known->summary);
}

void cli_programs_list(FILE *stream)
{
	struct programs programs = {0};
	struct search search;

	search_begin(&search);
	while (search_next(&search))
		add_folder(&programs, &search);
	for (size_t i = 0; i < KNOWN_COUNT; i++)
		add_program(&programs, known_programs[i].name, false);
	if (programs.count > 0)
		qsort(programs.list, programs.count, sizeof(*programs.list),
		      compare_programs);
	fputs("\nPrograms of their own:\n", stream);
	for (size_t i = 0; i < programs.count; i++) {
		print_program(stream, &programs.list[i]);
		free(programs.list[i].name);
	}
	free(programs.list);
}
