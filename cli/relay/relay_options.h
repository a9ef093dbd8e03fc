/* Options that the commands of the relay share: how to reach the server, and
 * which stream. */
#ifndef RELAY_OPTIONS_H
#define RELAY_OPTIONS_H

#include "engine.h"
#include "options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The operand URL: where a server is. */
extern const struct cli_argument_kind relay_takes_url;

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

#define RELAY_OPTION(place, option, argument, what, text) \
	[place] = {.name = option,                        \
	           .value = argument,                     \
	           .kind = &(what),                       \
	           .help = text}

#define RELAY_SERVER_OPTIONS(first)                                            \
	RELAY_OPTION((first) + RELAY_STREAM, "stream", "NAME", cli_takes_text, \
	             "the stream (named after the log)"),                      \
		RELAY_OPTION((first) + RELAY_SUBJECT, "subject", "NAME",       \
	                     cli_takes_text,                                   \
	                     "the subject, where the stream has several"),     \
		RELAY_OPTION((first) + RELAY_USER, "user", "NAME",             \
	                     cli_takes_text, "log in as this user"),           \
		RELAY_OPTION((first) + RELAY_PASSWORD_FILE, "password-file",   \
	                     "FILE", cli_takes_file,                           \
	                     "... with the password in FILE"),                 \
		RELAY_OPTION((first) + RELAY_TOKEN_FILE, "token-file", "FILE", \
	                     cli_takes_file, "log in by the token in FILE"),   \
		RELAY_OPTION((first) + RELAY_CREDS, "creds", "FILE",           \
	                     cli_takes_file, "log in by a credentials file"),  \
		RELAY_OPTION(                                                  \
			(first) + RELAY_TLS_CA, "tls-ca", "FILE",              \
			cli_takes_file,                                        \
			"trust servers that these certificates vouch for"),    \
		RELAY_OPTION((first) + RELAY_TLS_CERT, "tls-cert", "FILE",     \
	                     cli_takes_file,                                   \
	                     "show this certificate to the server"),           \
		RELAY_OPTION((first) + RELAY_TLS_KEY, "tls-key", "FILE",       \
	                     cli_takes_file, "... and its key")

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
