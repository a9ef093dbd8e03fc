/* Reads secrets. */
#include "secret_file.h"

#include "command.h"
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No password or token is longer. */
#define SECRET_BYTES 4096u

const char *relay_environment(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

void relay_secret_free(char *secret)
{
	if (secret == NULL)
		return;
	for (volatile char *at = secret; *at != '\0'; at++)
		*at = '\0';
	free(secret);
}

/* Reads the file up to its end or the end of its first line. */
static int read_line(const char *path, char *line, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t count = 1;

	if (fd < 0)
		return cli_system_failed(path, "cannot open", errno);
	while (used < room - 1 && count > 0) {
		count = read(fd, line + used, room - 1 - used);
		if (count < 0 && errno == EINTR)
			count = 1;
		else if (count > 0)
			used += (size_t)count;
	}
	int error = count < 0 ? errno : 0;

	close(fd);
	if (error != 0)
		return cli_system_failed(path, "cannot read", error);
	line[used] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return CLI_OK;
}

int relay_secret_read(const char *path, const char *variable, char **secret_out)
{
	char line[SECRET_BYTES] = "";
	const char *secret = relay_environment(variable);
	int status = CLI_OK;

	*secret_out = NULL;
	if (path != NULL) {
		status = read_line(path, line, sizeof(line));
		secret = line;
	}
	if (status == CLI_OK && secret != NULL) {
		*secret_out = strdup(secret);
		if (*secret_out == NULL)
			status = cli_system_failed(path, NULL, ENOMEM);
	}
	if (status == CLI_OK && path != NULL && line[0] == '\0') {
		cli_message(path, "its first line is empty: no secret");
		status = CLI_SYSTEM;
	}
	explicit_bzero(line, sizeof(line));
	return status;
}
