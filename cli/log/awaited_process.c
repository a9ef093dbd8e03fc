/* Whether a process still runs, by its id and by /proc. */
#include "awaited_process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* From /proc/PID/stat, see proc(5). */
struct facts {
	char state;
	long threads;
	uint64_t started;
};

/* The line's third field and those behind it.  The second, a name in
 * parentheses, may hold anything, parentheses too. */
static bool parse(const char *line, struct facts *facts_out)
{
	const char *behind_name = strrchr(line, ')');

	return behind_name != NULL &&
	       sscanf(behind_name + 1,
	              " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
	              "%*s %*s %*s %*s %ld %*s %" SCNu64,
	              &facts_out->state, &facts_out->threads,
	              &facts_out->started) == 3;
}

/* Reads the facts of a process; false where the system does not tell them. */
static bool look(pid_t pid, struct facts *facts_out)
{
	char text[1024];

	snprintf(text, sizeof(text), "/proc/%ld/stat", (long)pid);
	int fd = open(text, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t got = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return parse(text, facts_out);
}

void cli_process_init(struct cli_process *process, pid_t pid)
{
	struct facts facts;

	process->pid = pid;
	process->started = look(pid, &facts) ? facts.started : 0;
}

bool cli_process_is_gone(const struct cli_process *process)
{
	struct facts facts;

	if (kill(process->pid, 0) != 0 && errno == ESRCH)
		return true;
	if (!look(process->pid, &facts))
		return false;
	/* Where only the first thread has ended, others still write. */
	if ((facts.state == 'Z' || facts.state == 'X') && facts.threads <= 1)
		return true;
	return process->started != 0 && facts.started != process->started;
}
