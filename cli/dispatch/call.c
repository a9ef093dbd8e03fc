/* What calls of all kinds have in common. */
#include "call.h"

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
