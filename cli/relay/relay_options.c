/* Reads the options that say how to reach the server, and which stream. */
#include "relay_options.h"

#include "command.h"
#include "distinct.h"
#include "failure.h"
#include "message.h"
#include "numbers.h"
#include "secret_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How long an answer of the server may take. */
#define ANSWER_NS INT64_C(5000000000)
/* A stream's name that is taken from the log's. */
#define STREAM_NAME_BYTES 256u

static void offer_urls(struct cli_completion *completion)
{
	cli_offer_part(completion, "nats://", "HOST[:PORT]");
	cli_offer_part(completion, "tls://", "HOST[:PORT], encrypted");
}

const struct cli_argument_kind relay_takes_url = {.offer = offer_urls};

static int no_memory(void)
{
	return cli_fail(NULL, "cannot start", -ENOMEM);
}

/* One URL of the list: its scheme says what kind of server it is, and who logs
 * in stands elsewhere. */
static int check_url(const char *url, const struct engine_kind **kind)
{
	struct cli_quoted quoted;
	const char *rest = strstr(url, "://");

	if (strchr(url, '@') != NULL)
		return cli_usage_error(
			"a URL with a user in it is not taken: arguments are "
			"seen by others; --user, --password-file, --token-file "
			"or --creds says who logs in");
	if (rest == NULL || rest[3] == '\0')
		return cli_usage_error("%s is no URL of a server, such as "
		                       "nats://host:4222",
		                       cli_quote(&quoted, url));
	const struct engine_kind *found = engine_find(url,
	                                              (size_t)(rest - url));

	if (found == NULL)
		return cli_usage_error("%s is of no kind of server that the "
		                       "relay knows: nats:// or tls://",
		                       cli_quote(&quoted, url));
	if (*kind != NULL && *kind != found)
		return cli_usage_error("the servers are of different kinds");
	*kind = found;
	return CLI_OK;
}

/* URL[,URL...] */
static int read_urls(const char *text, struct relay_options *options)
{
	size_t count = 1;

	for (const char *at = text; *at != '\0'; at++)
		count += *at == ',';
	options->urls = strdup(text);
	options->servers = calloc(count, sizeof(*options->servers));
	if (options->urls == NULL || options->servers == NULL)
		return no_memory();
	char *rest = options->urls;

	for (size_t i = 0; i < count; i++) {
		options->servers[i] = strsep(&rest, ",");
		int status = check_url(options->servers[i], &options->kind);

		if (status != CLI_OK)
			return status;
	}
	options->engine.servers = options->servers;
	options->engine.server_count = count;
	return CLI_OK;
}

/* The log's name, without what stands behind its first dot. */
static char *name_after_log(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	return strndup(name, strcspn(name, "."));
}

static int read_stream(const struct cli_args *args, size_t first,
                       struct relay_options *options)
{
	const char *given = cli_args_value(args, first + RELAY_STREAM);
	struct cli_quoted quoted;

	options->stream = given != NULL ? strdup(given)
	                                : name_after_log(options->path);
	if (options->stream == NULL)
		return no_memory();
	options->engine.stream = options->stream;
	options->engine.topic = cli_args_value(args, first + RELAY_SUBJECT);
	if (strlen(options->stream) < STREAM_NAME_BYTES &&
	    options->kind->is_stream_name(options->stream))
		return CLI_OK;
	cli_quote(&quoted, options->stream);
	return given != NULL
	               ? cli_usage_error("--stream %s is no name of a stream",
	                                 quoted.text)
	               : cli_usage_error("no stream can be named after this "
	                                 "log: --stream must say which");
}

/* Who logs in, by options or by the variables that other programs read. */
static int read_login(const struct cli_args *args, size_t first,
                      struct relay_options *options)
{
	struct engine_login *login = &options->engine.login;
	int status = relay_secret_read(
		cli_args_value(args, first + RELAY_PASSWORD_FILE),
		"NATS_PASSWORD", &options->password);

	if (status == CLI_OK)
		status = relay_secret_read(
			cli_args_value(args, first + RELAY_TOKEN_FILE),
			"NATS_TOKEN", &options->token);
	if (status != CLI_OK)
		return status;
	login->user = cli_args_value(args, first + RELAY_USER);
	if (login->user == NULL)
		login->user = relay_environment("NATS_USER");
	login->credentials_file = cli_args_value(args, first + RELAY_CREDS);
	if (login->credentials_file == NULL)
		login->credentials_file = relay_environment("NATS_CREDS");
	login->password = options->password;
	login->token = options->token;
	if (login->user == NULL && login->password != NULL)
		return cli_usage_error("a password goes with --user");
	if (login->user != NULL && login->password == NULL)
		return cli_usage_error("--user goes with --password-file");
	return relay_credentials_check(login->credentials_file);
}

static int read_tls(const struct cli_args *args, size_t first,
                    struct relay_options *options)
{
	struct engine_login *login = &options->engine.login;

	login->ca_file = cli_args_value(args, first + RELAY_TLS_CA);
	login->certificate_file = cli_args_value(args, first + RELAY_TLS_CERT);
	login->key_file = cli_args_value(args, first + RELAY_TLS_KEY);
	if ((login->certificate_file == NULL) != (login->key_file == NULL))
		return cli_usage_error("--tls-cert and --tls-key go together");
	int status = relay_file_check(login->ca_file);

	if (status == CLI_OK)
		status = relay_file_check(login->certificate_file);
	return status == CLI_OK ? relay_file_check(login->key_file) : status;
}

int relay_options_read(const struct cli_args *args, size_t first,
                       struct relay_options *options_out)
{
	struct relay_options *options = options_out;

	*options = (struct relay_options){.path = cli_args_operand(args, 0)};
	options->engine.answer_ns = ANSWER_NS;
	int status = cli_check_output(options->path, NULL);

	if (status == CLI_OK)
		status = read_urls(cli_args_operand(args, 1), options);
	if (status == CLI_OK)
		status = read_stream(args, first, options);
	if (status == CLI_OK)
		status = read_tls(args, first, options);
	if (status == CLI_OK)
		status = read_login(args, first, options);
	return status;
}

void relay_options_release(struct relay_options *options)
{
	free(options->urls);
	free(options->servers);
	free(options->stream);
	relay_secret_free(options->password);
	relay_secret_free(options->token);
}

static int judge_number(const char *name, const char *text, bool is_number,
                        uint64_t number, uint64_t least, uint64_t most)
{
	struct cli_quoted quoted;

	if (is_number && number >= least && number <= most)
		return CLI_OK;
	return cli_usage_error("%s %s is not in the range of %" PRIu64
	                       " to %" PRIu64,
	                       name, cli_quote(&quoted, text), least, most);
}

int relay_option_size(const char *name, const char *text, uint64_t least,
                      uint64_t most, uint64_t *bytes_out)
{
	if (text == NULL)
		return CLI_OK;
	bool is_size = cli_parse_size(text, bytes_out);

	return judge_number(name, text, is_size, *bytes_out, least, most);
}

int relay_option_number(const char *name, const char *text, uint64_t least,
                        uint64_t most, uint64_t *number_out)
{
	if (text == NULL)
		return CLI_OK;
	bool is_number = cli_parse_u64(text, number_out);

	return judge_number(name, text, is_number, *number_out, least, most);
}
