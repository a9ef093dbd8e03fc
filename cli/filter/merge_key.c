/* Reads and compares the values that logs are merged by. */
#include "merge_key.h"

#include "command.h"
#include "failure.h"
#include "json_check.h"
#include "message.h"
#include "stdout_buffer.h"
#include "where.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cli_merge_path {
	struct cli_where *where;
	const struct cli_typed *typed;
	struct cli_output text; /* the value of a frame that has a type */
	bool has_text;          /* the buffer of it is there */
	struct cli_arena scratch;
};

static int parse_path(struct cli_merge_path *path, const char *text)
{
	struct cli_where_error error;
	size_t length;

	path->where = cli_where_parse_path(text, &length, &error);
	if (path->where == NULL && error.failure == CLI_WHERE_NO_MEMORY)
		return cli_fail(NULL, "cannot merge", -ENOMEM);
	if (path->where == NULL)
		return cli_usage_error("--merge: column %zu: %s", error.column,
		                       error.reason);
	if (text[length] == '\0')
		return CLI_OK;
	return cli_usage_error("--merge: the path ends at byte %zu, and "
	                       "nothing may stand behind it",
	                       length);
}

int cli_merge_path_init(struct cli_merge_path **path_out, const char *text,
                        const struct cli_typed *typed)
{
	struct cli_merge_path *path = calloc(1, sizeof(*path));
	int status;

	*path_out = NULL;
	if (path == NULL)
		return cli_fail(NULL, "cannot merge", -ENOMEM);
	path->typed = typed;
	status = parse_path(path, text);
	if (status == CLI_OK && typed->type != NULL) {
		path->has_text = cli_output_init_memory(&path->text) == 0;
		if (!path->has_text)
			status = cli_fail(NULL, "cannot merge", -ENOMEM);
	}
	if (status == CLI_OK)
		*path_out = path;
	else
		cli_merge_path_free(path);
	return status;
}

void cli_merge_path_free(struct cli_merge_path *path)
{
	if (path == NULL)
		return;
	if (path->has_text)
		cli_output_release(&path->text);
	cli_where_free(path->where);
	cli_arena_free(&path->scratch);
	free(path);
}

void cli_merge_key_release(struct cli_merge_key *key)
{
	free(key->room);
	*key = (struct cli_merge_key){0};
}

/* Takes a value whose text may not stay. */
static bool keep(struct cli_merge_key *key, const struct cli_value *value)
{
	struct cli_json_span text = value->text;

	if (text.size_bytes >= key->room_bytes) {
		size_t room_bytes = text.size_bytes + 64;
		unsigned char *room = realloc(key->room, room_bytes);

		if (room == NULL)
			return false;
		key->room = room;
		key->room_bytes = room_bytes;
	}
	if (text.size_bytes > 0)
		memcpy(key->room, text.bytes, text.size_bytes);
	key->value = *value;
	key->value.text.bytes = key->room;
	return true;
}

bool cli_merge_key_copy(struct cli_merge_key *to,
                        const struct cli_merge_key *from)
{
	return keep(to, &from->value);
}

/* The JSON of a frame; false if it has none, or memory is short. */
static bool find_json(struct cli_merge_path *path,
                      const struct shmlog_frame *frame,
                      struct cli_json_span *json_out)
{
	struct cli_bendec_error error;
	const struct cli_bendec_type *type;

	*json_out = (struct cli_json_span){frame->payload, frame->size_bytes};
	if (path->typed->type == NULL)
		return true;
	type = cli_typed_match(path->typed, frame, &error);
	if (type == NULL)
		return false;
	path->text.used = 0;
	cli_typed_print(path->typed, type, &path->text, frame, '\n');
	if (path->text.error != 0)
		return false;
	*json_out = (struct cli_json_span){path->text.buffer,
	                                   path->text.used - 1};
	return true;
}

bool cli_merge_key_read(struct cli_merge_path *path,
                        const struct shmlog_frame *frame,
                        struct cli_merge_key *key)
{
	struct cli_json_span json;
	struct cli_json_error error;
	struct cli_value document, value;

	if (!find_json(path, frame, &json))
		return !path->has_text || path->text.error == 0;
	if (path->typed->type == NULL &&
	    !cli_json_check((const char *)json.bytes, json.size_bytes, &error))
		return true;
	document = cli_value_of_text((const char *)json.bytes, json.size_bytes);
	switch (cli_where_find(path->where, &document, &value)) {
	case CLI_WHERE_YES:
		/* To jq, a null is what is not there. */
		return value.kind == CLI_VALUE_NULL || keep(key, &value);
	case CLI_WHERE_NO: return true;
	default: return false;
	}
}

int cli_merge_key_order(struct cli_merge_path *path,
                        const struct cli_merge_key *one,
                        const struct cli_merge_key *two)
{
	int order;

	return cli_value_compare(&path->scratch, &one->value, &two->value,
	                         &order)
	               ? order
	               : 0;
}
