/* Puts requests together. */
#include "request.h"

#include "command.h"
#include "dispatch_options.h"
#include "failure.h"
#include "json_check.h"
#include "message.h"
#include "numbers.h"
#include "prompt_window.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_MODEL "claude-sonnet-5-5"
#define DEFAULT_MAX_TOKENS "4096"
#define MOST_FILE_BYTES ((size_t)32 << 20)

#define MESSAGE_HEAD "{\"role\":\"user\",\"content\":\""
#define MESSAGE_TAIL "\"}"

static struct cli_json_span span_of(const struct bytes *bytes)
{
	return (struct cli_json_span){(const unsigned char *)bytes->at,
	                              bytes->used};
}

/* ------------------------------------------------------------------ options */

static int read_file(const char *path, struct bytes *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 1;

	if (fd < 0)
		return cli_system_failed(path, "cannot open", errno);
	while (got != 0 && out->used <= MOST_FILE_BYTES) {
		char *room = bytes_reserve(out, 65536);

		got = room != NULL ? read(fd, room, 65536) : -1;
		if (got < 0 && room != NULL && errno == EINTR)
			continue;
		if (got < 0)
			break;
		out->used += (size_t)got;
	}
	close(fd);
	if (got < 0)
		return cli_system_failed(path, "cannot read",
		                         out->failed ? ENOMEM : errno);
	if (out->used > MOST_FILE_BYTES) {
		cli_message(path, "bad input: over 32 MiB");
		return CLI_INPUT;
	}
	return CLI_OK;
}

static void set_string(struct request *request, const char *name,
                       const char *before, const void *text, size_t size_bytes,
                       const char *behind)
{
	struct bytes value = {0};

	bytes_string(&value, before);
	bytes_string(&value, "\"");
	bytes_escaped(&value, text, size_bytes);
	bytes_string(&value, "\"");
	bytes_string(&value, behind);
	members_set(&request->members,
	            (struct cli_json_span){(const unsigned char *)name,
	                                   strlen(name)},
	            span_of(&value));
	request->members.failed |= value.failed;
	bytes_free(&value);
}

static int set_system(struct request *request, const char *path)
{
	struct bytes text = {0};
	int status;

	if (path == NULL)
		return CLI_OK;
	status = read_file(path, &text);
	if (status == CLI_OK &&
	    !cli_utf8_is_valid((unsigned char *)text.at, text.used)) {
		cli_message(path, "bad input: not UTF-8");
		status = CLI_INPUT;
	}
	if (status == CLI_OK)
		set_string(request, "system", "", text.at, text.used, "");
	bytes_free(&text);
	return status;
}

static int merge_body(struct request *request, const char *path)
{
	struct cli_json_error error = {0, "expected an object"};
	struct bytes text = {0};
	int status;

	if (path == NULL)
		return CLI_OK;
	status = read_file(path, &text);
	if (status == CLI_OK &&
	    (!cli_json_check(text.at != NULL ? text.at : "", text.used,
	                     &error) ||
	     !members_merge(&request->members, span_of(&text), false))) {
		cli_message(path, "bad input: no JSON object: %s at byte %zu",
		            error.reason, error.offset);
		status = CLI_INPUT;
	}
	bytes_free(&text);
	return status;
}

static int set_param(struct request *request, const char *text)
{
	const char *value = strchr(text, '=');
	struct cli_json_error error;
	struct cli_quoted quoted;

	if (value == NULL || value == text ||
	    memchr(text, '"', (size_t)(value - text)) != NULL ||
	    memchr(text, '\\', (size_t)(value - text)) != NULL)
		return cli_usage_error("--param %s is no NAME=JSON",
		                       cli_quote(&quoted, text));
	if (!cli_json_check(value + 1, strlen(value + 1), &error))
		return cli_usage_error("--param %s: no JSON: %s (a string "
		                       "needs quotes)",
		                       cli_quote(&quoted, text), error.reason);
	members_set(&request->members,
	            (struct cli_json_span){(const unsigned char *)text,
	                                   (size_t)(value - text)},
	            (struct cli_json_span){(const unsigned char *)value + 1,
	                                   strlen(value + 1)});
	return CLI_OK;
}

static int set_option(struct request *request, const char *name,
                      const char *before, const char *value, const char *behind)
{
	struct cli_quoted quoted;

	if (value == NULL)
		return CLI_OK;
	if (!cli_utf8_is_valid((const unsigned char *)value, strlen(value)))
		return cli_usage_error("%s is not UTF-8",
		                       cli_quote(&quoted, value));
	set_string(request, name, before, value, strlen(value), behind);
	return CLI_OK;
}

static int set_options(struct request *request,
                       const struct dispatch_options *options)
{
	const struct cli_args *args = options->args;
	const char *model = cli_args_value(args, DISPATCH_MODEL);
	const char *most = cli_args_value(args, DISPATCH_MAX_TOKENS);
	struct cli_quoted quoted;
	uint64_t number;
	int status;

	status = set_option(request, "model", "",
	                    model != NULL ? model : DEFAULT_MODEL, "");
	if (most != NULL && !cli_parse_u64(most, &number))
		return cli_usage_error("--max-tokens %s is no number",
		                       cli_quote(&quoted, most));
	members_set_text(&request->members, "max_tokens",
	                 most != NULL ? most : DEFAULT_MAX_TOKENS);
	if (status == CLI_OK)
		status = set_system(request,
		                    cli_args_value(args, DISPATCH_SYSTEM));
	if (status == CLI_OK)
		status = set_option(request, "thinking", "{\"type\":",
		                    cli_args_value(args, DISPATCH_THINKING),
		                    "}");
	if (status == CLI_OK)
		status = set_option(request, "output_config", "{\"effort\":",
		                    cli_args_value(args, DISPATCH_EFFORT), "}");
	if (options->stream)
		members_set_text(&request->members, "stream", "true");
	if (status == CLI_OK)
		status = merge_body(request,
		                    cli_args_value(args, DISPATCH_BODY));
	for (size_t i = 0;
	     status == CLI_OK && i < cli_args_count(args, DISPATCH_PARAM); i++)
		status = set_param(request,
		                   cli_args_nth(args, DISPATCH_PARAM, i));
	return status;
}

/* Messages that --body gives come before that of a prompt. */
static int make_frame(struct request *request)
{
	const struct bytes *messages = members_find(&request->members,
	                                            "messages");
	struct bytes *head = &request->head;
	size_t length = messages != NULL ? messages->used : 0;

	bytes_string(head, "{");
	members_print(&request->members, "messages", head);
	bytes_string(head, ",\"messages\":[");
	if (length > 0 && messages->at[0] != '[')
		return cli_usage_error("the messages of --body or --param are "
		                       "no array");
	if (length > 0) {
		/* Between the brackets. */
		bytes_add(head, messages->at + 1, length - 2);
		while (head->at[head->used - 1] == ' ' ||
		       head->at[head->used - 1] == '\n' ||
		       head->at[head->used - 1] == '\t' ||
		       head->at[head->used - 1] == '\r')
			head->used--;
		if (head->at[head->used - 1] != '[')
			bytes_string(head, ",");
	}
	bytes_string(head, MESSAGE_HEAD);
	bytes_string(&request->tail, MESSAGE_TAIL "]}");
	return head->failed || request->tail.failed
	               ? cli_fail(NULL, "cannot start", -ENOMEM)
	               : CLI_OK;
}

int request_init(struct request *request,
                 const struct dispatch_options *options)
{
	int status;

	*request = (struct request){0};
	status = set_options(request, options);
	return status == CLI_OK ? make_frame(request) : status;
}

void request_release(struct request *request)
{
	members_free(&request->members);
	bytes_free(&request->head);
	bytes_free(&request->tail);
}

/* ------------------------------------------------------------------ prompts */

/* Whether a prompt is a JSON object with messages of its own. */
static bool is_request(const struct prompt *prompt)
{
	const char *text = (const char *)prompt->payload;
	struct cli_json_member member;
	struct cli_json_error error;
	struct cli_json_scan scan;
	size_t at = 0;

	while (at < prompt->size_bytes && strchr(" \t\r\n", text[at]) != NULL &&
	       text[at] != '\0')
		at++;
	if (at == prompt->size_bytes || text[at] != '{' ||
	    !cli_json_check(text, prompt->size_bytes, &error) ||
	    !cli_json_begin_object(&scan, text, prompt->size_bytes))
		return false;
	while (cli_json_take_member(&scan, &member)) {
		if (cli_json_string_is(member.name, "messages"))
			return member.value.bytes[0] == '[';
	}
	return false;
}

static bool is_text(const struct prompt *prompt)
{
	return cli_utf8_is_valid(prompt->payload, prompt->size_bytes);
}

bool request_can_join(const struct prompt *prompt)
{
	return is_text(prompt) && !is_request(prompt);
}

/* The members of a prompt take the place of those of the options. */
static void add_own(const struct request *request, const struct prompt *prompt,
                    struct bytes *out)
{
	struct members members = {0};

	for (size_t i = 0; i < request->members.count; i++) {
		const struct member *member = &request->members.all[i];

		members_set(&members, span_of(&member->name),
		            span_of(&member->value));
	}
	(void)members_merge(
		&members,
		(struct cli_json_span){prompt->payload, prompt->size_bytes},
		false);
	bytes_string(out, "{");
	members_print(&members, NULL, out);
	bytes_string(out, "}");
	members_free(&members);
}

static void add_part(const struct prompt *prompt, size_t number, size_t count,
                     struct bytes *out)
{
	bytes_string(out, number > 1 ? "\\n\\nPart " : "Part ");
	bytes_u64(out, number);
	bytes_string(out, " of ");
	bytes_u64(out, count);
	bytes_string(out, ":\\n");
	bytes_escaped(out, prompt->payload, prompt->size_bytes);
}

bool request_add(const struct request *request, struct prompt *const *prompts,
                 size_t count, struct bytes *out)
{
	if (count == 1 && !is_text(prompts[0]))
		return false;
	if (count == 1 && is_request(prompts[0])) {
		add_own(request, prompts[0], out);
		return true;
	}
	bytes_add(out, request->head.at, request->head.used);
	if (count == 1)
		bytes_escaped(out, prompts[0]->payload, prompts[0]->size_bytes);
	for (size_t i = 0; count > 1 && i < count; i++)
		add_part(prompts[i], i + 1, count, out);
	bytes_add(out, request->tail.at, request->tail.used);
	return true;
}
