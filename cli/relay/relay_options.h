/* Options that the commands of the relay share: how to reach the server, and
 * which stream. */
#ifndef RELAY_OPTIONS_H
#define RELAY_OPTIONS_H

#include "engine.h"
#include "options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Their places, from the one on that a command gives the first of them. */
enum relay_server_option {
	RELAY_STREAM,
	RELAY_SUBJECT,
	RELAY_USER,
	RELAY_PASSWORD_FILE,
	RELAY_TOKEN_FILE,
	RELAY_CREDS,
	RELAY_TLS_CA,
	RELAY_TLS_CERT,
	RELAY_TLS_KEY,
	RELAY_SERVER_OPTION_COUNT,
};

#define RELAY_PLACE(first, option) ((first) + (option))

#define RELAY_SERVER_OPTIONS(first)                                         \
	[RELAY_PLACE(first, RELAY_STREAM)] =                                          \
		{.name = "stream",                                          \
	         .value = "NAME",                                           \
	         .help = "the stream (named after the log)"},               \
	[RELAY_PLACE(first, RELAY_SUBJECT)] =                                         \
		{.name = "subject",                                         \
	         .value = "NAME",                                           \
	         .help = "the subject, where the stream has several"},      \
	[RELAY_PLACE(first, RELAY_USER)] = {.name = "user",                           \
	                          .value = "NAME",                          \
	                          .help = "log in as this user"},           \
	[RELAY_PLACE(first, RELAY_PASSWORD_FILE)] = {.name = "password-file",         \
	                                   .value = "FILE",                 \
	                                   .help = "... with the password " \
	                                           "in FILE"},              \
	[RELAY_PLACE(first, RELAY_TOKEN_FILE)] = {.name = "token-file",               \
	                                .value = "FILE",                    \
	                                .help = "log in by the token in "   \
	                                        "FILE"},                    \
	[RELAY_PLACE(first, RELAY_CREDS)] = {.name = "creds",                         \
	                           .value = "FILE",                         \
	                           .help = "log in by a credentials file"}, \
	[RELAY_PLACE(first, RELAY_TLS_CA)] = {.name = "tls-ca",                       \
	                            .value = "FILE",                        \
	                            .help = "trust servers that these "     \
	                                    "certificates vouch for"},      \
	[RELAY_PLACE(first, RELAY_TLS_CERT)] = {.name = "tls-cert",                   \
	                              .value = "FILE",                      \
	                              .help = "show this certificate to "   \
	                                      "the server"},                \
	[RELAY_PLACE(first, RELAY_TLS_KEY)] = {.name = "tls-key",                     \
	                             .value = "FILE",                       \
	                             .help = "... and its key"}

/* What is read from them and from the operands LOG and URL. */
struct relay_options {
	const char *path; /* of the log */
	const struct engine_kind *kind;
	struct engine_options engine;
	/* What the above points to. */
	char *urls;
	const char **servers;
	char *stream;
	char *password;
	char *token;
};

/* Reads them, files with secrets too.  CLI_OK, or another status after a
 * message; what was read is released in either case. */
int relay_options_read(const struct cli_args *args, size_t first,
                       struct relay_options *options_out);
void relay_options_release(struct relay_options *options);

/* Reads the value of an option that is a SIZE, which stays as it is where the
 * option was not given. */
int relay_option_size(const char *name, const char *text, uint64_t least,
                      uint64_t most, uint64_t *bytes_out);

/* ... and a number. */
int relay_option_number(const char *name, const char *text, uint64_t least,
                        uint64_t most, uint64_t *number_out);

#endif
