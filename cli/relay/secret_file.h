/* Secrets: from a file or the environment, as arguments are seen by others. */
#ifndef RELAY_SECRET_FILE_H
#define RELAY_SECRET_FILE_H

/*
 * Reads a secret, the first line of the file at `path`, or, where that is NULL,
 * the environment variable `variable`.  *secret_out is NULL where there is
 * neither.  CLI_OK, or another status after a message, which does not show it.
 */
int relay_secret_read(const char *path, const char *variable,
                      char **secret_out);

/* Overwrites and frees a secret; NULL is ignored. */
void relay_secret_free(char *secret);

/* An environment variable, or NULL where it is not set or empty. */
const char *relay_environment(const char *variable);

/* Whether a file that a library is to read can be opened; NULL: there is none.
 * CLI_OK, or CLI_SYSTEM after a message. */
int relay_file_check(const char *path);

/* ... and is one of credentials, too. */
int relay_credentials_check(const char *path);

#endif
