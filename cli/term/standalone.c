/* Begins and ends a process, and runs a command that is a program of its
 * own. */
#include "standalone.h"

#include "command.h"
#include "completion.h"
#include "message.h"
#include "options.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * A descriptor that the caller closed is taken, or the next file opened would
 * get its number and be written over by messages.  It is opened the wrong way
 * round, so that using it still fails.
 */
static int fill_standard_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		/* The lowest free number is this one. */
		if (open("/dev/null", mode) != fd)
			return cli_system_failed("/dev/null", "cannot open",
			                         errno);
	}
	return CLI_OK;
}

/* All that is printed through stdio, which is help and version, waits in here:
 * what leaves before close_stdout() may fail without anybody asking why.  Some
 * libcs write each line, or each kilobyte. */
static void hold_stdout(void)
{
	static char buffer[16 << 10];

	(void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
}

/* Output counts as printed when it has left the process without an error,
 * which some file systems tell at close only. */
int cli_end_process(int status)
{
	int error = 0;

	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout))
		error = errno != 0 ? errno : EIO;
	if (fclose(stdout) != 0 && error == 0)
		error = errno;
	if (error == EPIPE)
		cli_die_by_signal(SIGPIPE);
	if (error == 0)
		return status;
	cli_message(NULL, "cannot write standard output: %s", strerror(error));
	return status == CLI_OK ? CLI_SYSTEM : status;
}

int cli_begin_process(void)
{
	int status = fill_standard_descriptors();

	if (status != CLI_OK)
		return status;
	/* A limit on file sizes is an error like any other. */
	signal(SIGXFSZ, SIG_IGN);
	hold_stdout();
	return CLI_OK;
}

/* The Makefile knows what it links. */
#ifndef CLI_BUILT_WITH
#define CLI_BUILT_WITH "libraries that are not known"
#define CLI_BUILT_WITHOUT ""
#endif

void cli_print_version(const char *name, const char *version,
                       const char *own_library)
{
	printf("%s %s\nBuilt with %s%s%s.\n", name, version,
	       own_library != NULL ? own_library : "",
	       own_library != NULL ? ", " : "", CLI_BUILT_WITH);
	if (CLI_BUILT_WITHOUT[0] != '\0')
		printf("Built without %s.\n", CLI_BUILT_WITHOUT);
}

int cli_run_command(const struct cli_command *command, int argc, char **argv)
{
	struct cli_args *args;
	int status;

	cli_message_command(command->name);
	status = cli_args_parse(command, argc, argv, &args);
	if (status != CLI_OK)
		return status;
	if (cli_args_help(args))
		cli_args_print_help(command);
	else
		status = command->run(args);
	cli_args_free(args);
	return status;
}

int cli_standalone(const struct cli_command *command, int argc, char **argv)
{
	int status = cli_begin_process();

	if (status != CLI_OK)
		return status;
	return cli_end_process(cli_run_command(command, argc, argv));
}

int cli_standalone_completion(int argc, char **argv,
                              int (*answer)(struct cli_completion *completion))
{
	int status = cli_begin_process();

	if (status != CLI_OK)
		return status;
	return cli_end_process(cli_completion_answer(argc, argv, answer));
}
