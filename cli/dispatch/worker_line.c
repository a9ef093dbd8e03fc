/* The lines that workers get, and those that they answer with. */
#include "answer_worker.h"

#include "base64.h"
#include "bytes.h"
#include "call.h"
#include "json_check.h"
#include "members.h"
#include "utf8.h"

#include <shmlog.h>
#include <string.h>

static void add_number(struct bytes *line, const char *name, uint64_t value)
{
	bytes_string(line, name);
	bytes_u64(line, value);
}

static void add_base64(struct bytes *line, const struct prompt *prompt)
{
	char *room = bytes_reserve(line, prompt->size_bytes / 3 * 4 + 8);

	if (room != NULL)
		line->used += cli_base64_encode(room, prompt->payload,
		                                prompt->size_bytes);
}

void worker_line(struct bytes *line, const struct prompt *prompt)
{
	bool is_text = cli_utf8_is_valid(prompt->payload, prompt->size_bytes) &&
	               memchr(prompt->payload, 0, prompt->size_bytes) == NULL;

	add_number(line, "{\"cursor\":", prompt->cursor);
	add_number(line, ",\"next\":", prompt->next_cursor);
	if (prompt->index == SHMLOG_INDEX_UNKNOWN)
		bytes_string(line, ",\"index\":null");
	else
		add_number(line, ",\"index\":", prompt->index);
	add_number(line, ",\"size\":", prompt->size_bytes);
	bytes_string(line, ",\"encoding\":\"");
	bytes_string(line, is_text ? "utf8" : "base64");
	bytes_string(line, "\",\"payload\":\"");
	if (is_text)
		bytes_escaped(line, prompt->payload, prompt->size_bytes);
	else
		add_base64(line, prompt);
	bytes_string(line, "\"}\n");
}

/* ------------------------------------------------------------------ answers */

/* Whether a member of an answer is one that dispatch writes itself. */
static bool is_own(struct cli_json_span name)
{
	static const char *const own[] = {
		"prompt", "prompts", "type",       "low",      "high",
		"log",    "parts",   "latency_us", "first_us", "attempts",
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (cli_json_string_is(name, own[i]))
			return true;
	}
	return false;
}

/* What decides about an answer. */
struct answer {
	bool is_of_call;
	bool is_error;
};

static void judge(const struct call *call, struct cli_json_scan scan,
                  struct answer *answer)
{
	struct cli_json_member member;
	uint64_t cursor;

	while (cli_json_take_member(&scan, &member)) {
		if (cli_json_string_is(member.name, "prompt"))
			answer->is_of_call = cli_json_span_u64(member.value,
			                                       &cursor) &&
			                     cursor == call->prompts[0]->cursor;
		else if (cli_json_string_is(member.name, "type"))
			answer->is_error =
				cli_json_is_string(member.value) &&
				cli_json_string_is(
					cli_json_inside(member.value), "error");
	}
}

static struct cli_json_span span_of(const char *text)
{
	return (struct cli_json_span){(const unsigned char *)text,
	                              strlen(text)};
}

static struct cli_json_span find_error(struct cli_json_scan scan)
{
	struct cli_json_span value = span_of("null");
	struct cli_json_member member;

	while (cli_json_take_member(&scan, &member)) {
		if (cli_json_string_is(member.name, "error"))
			value = member.value;
	}
	return value;
}

/* An error has a type and a message, whatever the worker says of it. */
static void add_error(struct call *call, struct cli_json_span value)
{
	struct members members = {0};

	members_set_text(&members, "type", "\"worker\"");
	members_set_text(&members, "message",
	                 "\"the worker says that the prompt has failed\"");
	if (value.bytes[0] == '{')
		(void)members_merge(&members, value, true);
	else if (cli_json_is_string(value))
		members_set(&members, span_of("message"), value);
	bytes_string(&call->members, "\"error\":{");
	members_print(&members, NULL, &call->members);
	bytes_string(&call->members, "}");
	members_free(&members);
}

static void add_member(struct call *call, const struct cli_json_member *member)
{
	struct bytes *members = &call->members;

	if (members->used > 0)
		bytes_string(members, ",");
	bytes_string(members, "\"");
	bytes_add(members, member->name.bytes, member->name.size_bytes);
	bytes_string(members, "\":");
	bytes_add(members, member->value.bytes, member->value.size_bytes);
}

static void take_members(struct call *call, struct cli_json_scan scan,
                         bool is_error)
{
	struct cli_json_member member;

	call_clear(call);
	call->outcome = is_error ? CALL_FAILED : CALL_DONE;
	if (is_error) {
		call_kind(call, "worker");
		add_error(call, find_error(scan));
	}
	while (cli_json_take_member(&scan, &member)) {
		if (is_own(member.name) ||
		    (is_error && cli_json_string_is(member.name, "error")))
			continue;
		if (!is_error && !call->has_text &&
		    cli_json_string_is(member.name, "text") &&
		    cli_json_is_string(member.value)) {
			struct cli_json_span text = cli_json_inside(
				member.value);

			call->has_text = true;
			bytes_add(&call->text, text.bytes, text.size_bytes);
		} else {
			add_member(call, &member);
		}
	}
}

bool worker_take_answer(struct call *call, struct cli_json_span line,
                        const char **reason_out)
{
	const char *text = (const char *)line.bytes;
	struct answer answer = {false, false};
	struct cli_json_error error;
	struct cli_json_scan scan;

	*reason_out = "a line that is no JSON object";
	if (!cli_json_check(text, line.size_bytes, &error) ||
	    !cli_json_begin_object(&scan, text, line.size_bytes))
		return false;
	judge(call, scan, &answer);
	*reason_out = "a line without the number of the prompt as \"prompt\"";
	if (!answer.is_of_call)
		return false;
	take_members(call, scan, answer.is_error);
	return true;
}
