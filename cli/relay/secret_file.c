/* Reads secrets. */
#include "secret_file.h"

#include "command.h"
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No password or token is longer. */
#define SECRET_BYTES 4096u
/* ... nor a file of credentials. */
#define CREDENTIALS_BYTES 65536u

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

/* Reads a file up to its end, or as much as there is room for, as a text. */
static int read_text(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t count = 1;

	if (fd < 0)
		return cli_system_failed(path, "cannot open", errno);
	while (used < room - 1 && count > 0) {
		count = read(fd, text + used, room - 1 - used);
		if (count < 0 && errno == EINTR)
			count = 1;
		else if (count > 0)
			used += (size_t)count;
	}
	int error = count < 0 ? errno : 0;

	close(fd);
	if (error != 0)
		return cli_system_failed(path, "cannot read", error);
	text[used] = '\0';
	return CLI_OK;
}

int relay_secret_read(const char *path, const char *variable, char **secret_out)
{
	char line[SECRET_BYTES] = "";
	const char *secret = relay_environment(variable);
	int status = CLI_OK;

	*secret_out = NULL;
	if (path != NULL) {
		status = read_text(path, line, sizeof(line));
		line[strcspn(line, "\r\n")] = '\0';
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

int relay_file_check(const char *path)
{
	char byte[2];

	return path == NULL ? CLI_OK : read_text(path, byte, sizeof(byte));
}

/* A JWT and a seed, each between two lines of hyphens. */
int relay_credentials_check(const char *path)
{
	static const char begin[] = "-----BEGIN ";
	char text[CREDENTIALS_BYTES];

	if (path == NULL)
		return CLI_OK;
	int status = read_text(path, text, sizeof(text));
	const char *jwt = status == CLI_OK ? strstr(text, begin) : NULL;
	bool is_whole = jwt != NULL && strstr(jwt + 1, begin) != NULL;

	explicit_bzero(text, sizeof(text));
	if (status != CLI_OK || is_whole)
		return status;
	cli_message(path, "is no credentials file: it has no JWT and seed of a "
	                  "user");
	return CLI_SYSTEM;
}
