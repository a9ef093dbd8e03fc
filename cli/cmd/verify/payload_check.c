/* Checks payloads against the kind or type that they must have. */
#include "payload_check.h"

#include "command.h"
#include "json_check.h"
#include "message.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

static int find_kind(const char *name, enum payload_kind *kind_out)
{
	struct cli_quoted quoted;

	if (strcmp(name, "json") == 0)
		*kind_out = PAYLOAD_JSON;
	else if (strcmp(name, "utf8") == 0)
		*kind_out = PAYLOAD_UTF8;
	else
		return cli_usage_error(
			"unknown kind of payload %s; known are json and utf8",
			cli_quote(&quoted, name));
	return CLI_OK;
}

int payload_check_init(struct payload_check *check, const struct cli_args *args,
                       struct payload_places places)
{
	const char *name = cli_args_value(args, places.payload);
	int status;

	*check = (struct payload_check){.name = name};
	status = cli_typed_init(&check->typed, args, places.typed, NULL);
	if (status != CLI_OK)
		return status;
	if (check->typed.type != NULL && name != NULL) {
		payload_check_release(check);
		return cli_usage_error("--payload and --schema exclude each "
		                       "other");
	}
	if (check->typed.type != NULL) {
		check->kind = PAYLOAD_TYPED;
		check->name = check->typed.type->name;
	}
	return name == NULL ? CLI_OK : find_kind(name, &check->kind);
}

void payload_check_release(struct payload_check *check)
{
	cli_typed_release(&check->typed);
}

static bool check_json(const struct shmlog_frame *frame,
                       struct payload_reason *reason)
{
	struct cli_json_error error;

	if (cli_json_check((const char *)frame->payload, frame->size_bytes,
	                   &error))
		return true;
	(void)snprintf(reason->text, sizeof(reason->text),
	               "not JSON: %s at byte %zu", error.reason,
	               error.offset + 1);
	return false;
}

static bool check_utf8(const struct shmlog_frame *frame,
                       struct payload_reason *reason)
{
	size_t at = 0, length = 1;
	unsigned point;

	if (cli_utf8_is_valid(frame->payload, frame->size_bytes))
		return true;
	while (at < frame->size_bytes && length > 0) {
		length = cli_utf8_decode(frame->payload + at,
		                         frame->size_bytes - at, &point);
		at += length;
	}
	/* A writer may have changed the payload since the first look. */
	if (at == frame->size_bytes)
		return true;
	(void)snprintf(reason->text, sizeof(reason->text),
	               "not UTF-8: 0x%02x at byte %zu", frame->payload[at],
	               at + 1);
	return false;
}

static bool check_type(const struct payload_check *check,
                       const struct shmlog_frame *frame,
                       struct payload_reason *reason)
{
	struct cli_bendec_error error;

	if (cli_typed_match(&check->typed, frame, &error) != NULL)
		return true;
	(void)snprintf(reason->text, sizeof(reason->text), "not of type %s: %s",
	               check->name, error.text);
	return false;
}

bool payload_check_frame(const struct payload_check *check,
                         const struct shmlog_frame *frame,
                         struct payload_reason *reason_out)
{
	switch (check->kind) {
	case PAYLOAD_JSON: return check_json(frame, reason_out);
	case PAYLOAD_UTF8: return check_utf8(frame, reason_out);
	case PAYLOAD_TYPED: return check_type(check, frame, reason_out);
	default: return true;
	}
}
