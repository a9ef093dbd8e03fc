/* Runs commands of this program as children. */
#include "top_children.h"

#include "blocking.h"
#include "bounded_text.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <shmlog.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MOST 15u
#define NOT_RUN 127
/* How many processes are named. */
#define NAMED_MOST 4u

/* Becomes this program again, also where it was replaced on the disk since. */
static void become(const char *const *arguments)
{
	char *argv[ARGUMENTS_MOST + 2] = {(char *)(uintptr_t) "shmlog"};

	for (size_t i = 0; i < ARGUMENTS_MOST && arguments[i] != NULL; i++)
		argv[i + 1] = (char *)(uintptr_t)arguments[i];
	/* What this process ignores would be ignored there. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	execv("/proc/self/exe", argv);
	execvp("shmlog", argv);
	_exit(NOT_RUN);
}

/* Waits for the end of a child, which gets the signal that is to end this
 * process, too. */
static int wait_for_end(pid_t child)
{
	bool told = false;
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
		if (cli_signal_caught() != 0 && !told)
			kill(child, cli_signal_caught());
		told = cli_signal_caught() != 0;
	}
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status) == NOT_RUN ? -ENOENT : WEXITSTATUS(status);
}

int top_run_here(const char *const *arguments)
{
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (child == 0)
		become(arguments);
	return wait_for_end(child);
}

/* Keeps what a child prints, as one line. */
static void read_lines(int fd, char *said, size_t said_bytes)
{
	size_t used = 0;
	char bytes[512];
	ssize_t got;
	bool between = false;

	while ((got = cli_read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (bytes[i] == '\n') {
				between = true;
				continue;
			}
			if (between && used + 2 < said_bytes) {
				said[used++] = ';';
				said[used++] = ' ';
			}
			between = false;
			if (used + 1 < said_bytes)
				said[used++] = bytes[i];
		}
	}
	said[used] = '\0';
}

int top_run_quietly(const char *const *arguments, char *said, size_t said_bytes)
{
	int ends[2];

	said[0] = '\0';
	if (pipe(ends) != 0)
		return -errno;

	pid_t child = fork();

	if (child == 0) {
		int nothing = open("/dev/null", O_RDONLY);

		dup2(nothing, STDIN_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		become(arguments);
	}
	int failure = child < 0 ? -errno : 0;

	close(ends[1]);
	if (child > 0)
		read_lines(ends[0], said, said_bytes);
	close(ends[0]);
	return child > 0 ? wait_for_end(child) : failure;
}

/* ------------------------------------------------------------------ holders */

struct naming {
	struct cli_text text;
	unsigned count;
};

static int name_holder(void *context, const struct shmlog_process *process)
{
	struct naming *naming = context;
	struct cli_quoted command;
	char one[384];

	if (naming->count++ >= NAMED_MOST)
		return 0;
	(void)snprintf(one, sizeof(one), "%spid %" PRId64 " (%s) %s it",
	               naming->count > 1 ? ", " : "", process->pid,
	               cli_quote(&command, process->command),
	               process->appends  ? "appends to"
	               : process->writes ? "writes"
	                                 : "reads");
	cli_text_string(&naming->text, one);
	return 0;
}

void top_name_holders(const char *path, char *out, size_t out_bytes)
{
	struct naming naming = {.count = 0};
	char more[128] = "";
	int unseen;

	cli_text_init(&naming.text, out, out_bytes);
	unseen = shmlog_processes_at(path, name_holder, &naming);
	if (unseen < 0)
		cli_text_string(&naming.text,
		                naming.count > 0
		                        ? ", perhaps others as well"
		                        : "nobody knows who has it open");
	else if (naming.count == 0)
		cli_text_string(&naming.text, "nobody is seen to have it open");
	if (naming.count > NAMED_MOST)
		(void)snprintf(more, sizeof(more), ", and %u more have it open",
		               naming.count - NAMED_MOST);
	cli_text_string(&naming.text, more);
	if (unseen > 0 || (unseen == 0 && shmlog_processes_hidden()))
		cli_text_string(&naming.text,
		                "; there may be others that are not seen");
}
