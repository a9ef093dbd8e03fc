/* What calls of all kinds have in common. */
#include "call.h"

#include "json_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void call_kind(struct call *call, const char *kind)
{
	(void)snprintf(call->kind, sizeof(call->kind), "%s", kind);
}

void call_fail(struct call *call, enum call_outcome outcome, const char *kind,
               const char *message)
{
	struct bytes *members = &call->members;

	call->outcome = outcome;
	call_kind(call, kind);
	bytes_clear(members);
	bytes_string(members, "\"error\":{\"type\":\"");
	bytes_escaped(members, kind, strlen(kind));
	bytes_string(members, "\",\"message\":\"");
	bytes_escaped(members, message, strlen(message));
	bytes_string(members, "\"}");
}

/* The value of a member; size 0 if there is none. */
static struct cli_json_span find(struct cli_json_span object, const char *name)
{
	struct cli_json_span value = {NULL, 0};
	struct cli_json_member member;
	struct cli_json_scan scan;

	if (object.size_bytes > 0 &&
	    cli_json_begin_object(&scan, (const char *)object.bytes,
	                          object.size_bytes)) {
		while (cli_json_take_member(&scan, &member)) {
			if (cli_json_string_is(member.name, name))
				value = member.value;
		}
	}
	return value;
}

void call_message(const struct call *call, struct bytes *out)
{
	struct bytes object = {0};
	struct cli_json_span text = {NULL, 0};
	size_t size_bytes = 0;
	char *room = NULL;

	bytes_string(&object, "{");
	bytes_add(&object, call->members.at, call->members.used);
	bytes_string(&object, "}");
	if (!object.failed) {
		text.bytes = (const unsigned char *)object.at;
		text.size_bytes = object.used;
		text = find(find(text, "error"), "message");
	}
	if (text.size_bytes > 0 && cli_json_is_string(text)) {
		text = cli_json_inside(text);
		room = bytes_reserve(out, text.size_bytes + 8);
	}
	if (room != NULL &&
	    cli_json_unescape((unsigned char *)room, text, &size_bytes))
		out->used += size_bytes;
	else if (room != NULL)
		bytes_add(out, text.bytes, text.size_bytes);
	bytes_free(&object);
}

void call_clear(struct call *call)
{
	bytes_clear(&call->text);
	bytes_clear(&call->members);
	call->has_text = false;
	call->shown = 0;
	call->first_ns = 0;
	call->kind[0] = '\0';
	call->wait_ns = -1;
	call->input_tokens = call->output_tokens = 0;
}

void call_free(struct call *call)
{
	if (call == NULL)
		return;
	bytes_free(&call->text);
	bytes_free(&call->members);
	free(call->prompts);
	free(call);
}
