/* Starts and ends processes that answer prompts. */
#include "child.h"

#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHELL "/bin/sh"
#define VARIABLE "SHMLOG_PROMPT="

extern char **environ;

/* Global, as a signal handler has no other way to share data. */
static const struct loop *woken_loop;

static void note_end(int signal_number)
{
	(void)signal_number;
	loop_wake(woken_loop);
}

void child_watch_ends(const struct loop *loop)
{
	struct sigaction action = {.sa_handler = note_end};

	woken_loop = loop;
	action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
	sigemptyset(&action.sa_mask);
	sigaction(SIGCHLD, &action, NULL);
}

/* ----------------------------------------------------------------- starting */

/* Both ends are closed in any other process that this one starts. */
static int make_pipe(int ends_out[2])
{
	if (pipe(ends_out) != 0)
		return -errno;
	(void)fcntl(ends_out[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(ends_out[1], F_SETFD, FD_CLOEXEC);
	return 0;
}

/* The environment with the number of a prompt in it, or NULL; only the array
 * is new. */
static char **make_environment(char *variable, const uint64_t *prompt)
{
	size_t count = 0, kept = 0;
	char **copy;

	while (environ[count] != NULL)
		count++;
	copy = malloc((count + 2) * sizeof(char *));
	if (copy == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (strncmp(environ[i], VARIABLE, strlen(VARIABLE)) != 0)
			copy[kept++] = environ[i];
	}
	if (prompt != NULL)
		copy[kept++] = variable;
	copy[kept] = NULL;
	return copy;
}

/* A new program begins with signals as they are without this one. */
static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, reset;
	int error = posix_spawnattr_init(attributes);

	if (error != 0)
		return error;
	sigemptyset(&none);
	sigemptyset(&reset);
	sigaddset(&reset, SIGPIPE);
	sigaddset(&reset, SIGXFSZ);
	sigaddset(&reset, SIGBUS);
	sigaddset(&reset, SIGTSTP);
	(void)posix_spawnattr_setsigmask(attributes, &none);
	(void)posix_spawnattr_setsigdefault(attributes, &reset);
	(void)posix_spawnattr_setpgroup(attributes, 0);
	return posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
				    POSIX_SPAWN_SETPGROUP);
}

static int spawn(pid_t *pid_out, const char *command, char **environment,
                 const int in[2], const int out[2])
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)(uintptr_t)command,
	                NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error = posix_spawn_file_actions_init(&actions);

	if (error != 0)
		return error;
	error = set_attributes(&attributes);
	if (error == 0) {
		(void)posix_spawn_file_actions_adddup2(&actions, in[0],
		                                       STDIN_FILENO);
		(void)posix_spawn_file_actions_adddup2(&actions, out[1],
		                                       STDOUT_FILENO);
		error = posix_spawn(pid_out, SHELL, &actions, &attributes, argv,
		                    environment);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return error;
}

static void close_both(const int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

int child_start(struct child *child_out, const char *command,
                const uint64_t *prompt)
{
	char variable[48] = "";
	char **environment;
	int in[2], out[2];
	int status = make_pipe(in);

	*child_out = (struct child){.in = -1, .out = -1};
	if (status != 0)
		return status;
	status = make_pipe(out);
	if (status != 0) {
		close_both(in);
		return status;
	}
	if (prompt != NULL)
		(void)snprintf(variable, sizeof(variable), VARIABLE "%" PRIu64,
		               *prompt);
	environment = make_environment(variable, prompt);
	status = environment == NULL ? -ENOMEM
	                             : -spawn(&child_out->pid, command,
	                                      environment, in, out);
	free(environment);
	if (status != 0) {
		close_both(in);
		close_both(out);
		child_out->pid = 0;
		return status;
	}
	close(in[0]);
	close(out[1]);
	(void)fcntl(in[1], F_SETFL, O_NONBLOCK);
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	child_out->in = in[1];
	child_out->out = out[0];
	return 0;
}

/* ------------------------------------------------------------------- ending */

bool child_has_ended(struct child *child)
{
	if (child->pid <= 0)
		return true;
	if (waitpid(child->pid, &child->status, WNOHANG) != child->pid)
		return false;
	child->pid = 0;
	return true;
}

void child_close_in(struct child *child)
{
	if (child->in >= 0)
		close(child->in);
	child->in = -1;
}

void child_end(struct child *child)
{
	child_close_in(child);
	if (child->out >= 0)
		close(child->out);
	child->out = -1;
	if (child->pid <= 0)
		return;
	(void)kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
}
