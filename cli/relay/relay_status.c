/* Tells where a log and a stream stand. */
#include "ledger.h"
#include "log_arguments.h"
#include "log_id.h"
#include "relay_commands.h"
#include "relay_options.h"

#include "command.h"
#include "failure.h"
#include "json_write.h"
#include "message.h"
#include "open_log.h"
#include "rows.h"
#include "shared_options.h"
#include "stdout_buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum status_option {
	STATUS_OUTPUT,
	STATUS_SERVER,
	STATUS_OPTION_COUNT = STATUS_SERVER + RELAY_SERVER_OPTION_COUNT,
};

static const struct cli_option status_options[STATUS_OPTION_COUNT] = {
	CLI_REPORT_FORMAT_OPTION(STATUS_OUTPUT),
	RELAY_SERVER_OPTIONS(STATUS_SERVER),
};

enum {
	KNOWS_PUSHED = 1u << 0, /* the stream ends with a frame of the log */
	KNOWS_PULLED = 1u << 1, /* the log was pulled from the stream */
};

struct status_facts {
	const char *log;
	const char *server;
	const char *stream;
	uint64_t cursor; /* where the log ends */
	uint64_t messages;
	uint64_t bytes;
	uint64_t first_sequence;
	uint64_t last_sequence;
	uint64_t pushed_cursor;   /* behind the last frame in the stream */
	uint64_t push_lag;        /* bytes */
	uint64_t pulled_sequence; /* of the last message in the log */
	uint64_t pull_lag;        /* messages */
};

#define FACT(member) offsetof(struct status_facts, member)

static const struct cli_row status_rows[] = {
	{NULL, "log", "log", CLI_ROW_TEXT, FACT(log), 0},
	{NULL, "cursor", "cursor", CLI_ROW_COUNT, FACT(cursor), 0},
	{NULL, "server", "server", CLI_ROW_TEXT, FACT(server), 0},
	{NULL, "stream", "stream", CLI_ROW_TEXT, FACT(stream), 0},
	{NULL, "messages", "messages", CLI_ROW_COUNT, FACT(messages), 0},
	{NULL, "bytes", "bytes", CLI_ROW_BYTES, FACT(bytes), 0},
	{NULL, "first_sequence", "first sequence", CLI_ROW_COUNT,
         FACT(first_sequence), 0},
	{NULL, "last_sequence", "last sequence", CLI_ROW_COUNT,
         FACT(last_sequence), 0},
	{NULL, "pushed_cursor", "pushed up to cursor", CLI_ROW_COUNT,
         FACT(pushed_cursor), KNOWS_PUSHED},
	{NULL, "push_lag_bytes", "push lag", CLI_ROW_BYTES, FACT(push_lag),
         KNOWS_PUSHED},
	{NULL, "pulled_sequence", "pulled up to message", CLI_ROW_COUNT,
         FACT(pulled_sequence), KNOWS_PULLED},
	{NULL, "pull_lag_messages", "pull lag in messages", CLI_ROW_COUNT,
         FACT(pull_lag), KNOWS_PULLED},
};

#define ROW_COUNT (sizeof(status_rows) / sizeof(status_rows[0]))

/* What the log's own header says, if the stream was pulled into it. */
static int look_at_log(const struct relay_options *options, struct shmlog *log,
                       struct status_facts *facts, unsigned *known)
{
	struct shmlog_header header;
	struct ledger ledger = {0};
	int status = shmlog_read_header(log, &header);

	if (status != 0)
		return cli_fail(options->path, "cannot read", status);
	facts->cursor = header.size - shmlog_data_offset(log);
	if (shmlog_metadata_size(log) < LEDGER_BYTES ||
	    shmlog_read_metadata(log, 0, ledger.bytes, LEDGER_BYTES) != 0 ||
	    ledger_read(&ledger,
	                ledger_source(options->engine.stream,
	                              options->engine.topic),
	                facts->cursor) != LEDGER_GOOD)
		return CLI_OK;
	*known |= KNOWS_PULLED;
	facts->pulled_sequence = ledger.now.sequence;
	return CLI_OK;
}

/* Where the frames of a message end in its log. */
static uint64_t end_of(const struct engine_message *message)
{
	return message->cursor + message->size_bytes +
	       (message->frames > 0 ? 0 : SHMLOG_FRAME_OVERHEAD_BYTES);
}

static enum engine_status look_at_stream(struct engine *engine,
                                         const struct shmlog *log,
                                         struct status_facts *facts,
                                         unsigned *known)
{
	struct engine_stream stream;
	struct engine_message message;
	enum engine_status trouble = engine_connect(engine);

	if (trouble == ENGINE_OK)
		trouble = engine_describe(engine, &stream);
	if (trouble != ENGINE_OK)
		return trouble;
	facts->server = engine_server(engine);
	facts->messages = stream.messages;
	facts->bytes = stream.bytes;
	facts->first_sequence = stream.first_sequence;
	facts->last_sequence = stream.last_sequence;
	facts->pull_lag = stream.last_sequence > facts->pulled_sequence
	                          ? stream.last_sequence -
	                                    facts->pulled_sequence
	                          : 0;
	if (stream.last_sequence == 0)
		return ENGINE_OK;
	trouble = engine_read(engine, stream.last_sequence, &message);
	if (trouble == ENGINE_NO_MESSAGE)
		return ENGINE_OK;
	if (trouble != ENGINE_OK || !message.stamped ||
	    strcmp(message.log, relay_log_id(log).text) != 0)
		return trouble;
	*known |= KNOWS_PUSHED;
	facts->pushed_cursor = end_of(&message);
	facts->push_lag = facts->cursor > facts->pushed_cursor
	                          ? facts->cursor - facts->pushed_cursor
	                          : 0;
	return ENGINE_OK;
}

static int print_facts(const struct status_facts *facts, unsigned known,
                       bool json)
{
	struct cli_output output;
	struct cli_object *object;

	if (cli_output_init(&output, STDOUT_FILENO) != 0)
		return cli_fail(NULL, "cannot print", -ENOMEM);
	if (json) {
		object = cli_object_new();
		cli_report_json(object, status_rows, ROW_COUNT, facts, known);
		cli_report_line(&output, object);
	} else {
		cli_report_text(&output, status_rows, ROW_COUNT, facts, known);
	}
	return cli_output_finish(&output, CLI_OK);
}

static int report_trouble(const struct relay_options *options,
                          const struct engine *engine,
                          enum engine_status trouble)
{
	struct cli_quoted stream, why;

	cli_quote(&stream, options->stream);
	if (trouble == ENGINE_NO_STREAM)
		cli_message(options->path, "there is no stream %s",
		            stream.text);
	else
		cli_message(options->path, "cannot look at the stream %s: %s",
		            stream.text, cli_quote(&why, engine_why(engine)));
	return CLI_SYSTEM;
}

static int look_and_print(const struct relay_options *options, bool json)
{
	struct status_facts facts = {.log = options->path,
	                             .stream = options->stream};
	struct shmlog *log = NULL;
	struct engine *engine = engine_make(options->kind, &options->engine);
	unsigned known = 0;

	if (engine == NULL)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	int status = cli_open_to_read(options->path, &log);

	if (status == CLI_OK)
		status = look_at_log(options, log, &facts, &known);
	if (status == CLI_OK) {
		enum engine_status trouble = look_at_stream(engine, log, &facts,
		                                            &known);

		status = trouble == ENGINE_OK
		                 ? print_facts(&facts, known, json)
		                 : report_trouble(options, engine, trouble);
	}
	shmlog_close(log);
	engine_free(engine);
	return status;
}

static int status_run(const struct cli_args *args)
{
	struct relay_options options;
	bool json = false;
	int status = relay_options_read(args, STATUS_SERVER, &options);

	if (status == CLI_OK)
		status = cli_report_format(args, STATUS_OUTPUT, &json);
	if (status == CLI_OK)
		status = look_and_print(&options, json);
	relay_options_release(&options);
	return status;
}

const struct cli_command cmd_relay_status = {
	.name = "relay status",
	.summary = "tell where a log and a stream stand",
	.operands = "LOG URL",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_log, &relay_takes_url),
	.options = status_options,
	.option_count = STATUS_OPTION_COUNT,
	.min_operands = 2,
	.max_operands = 2,
	.run = status_run,
};
