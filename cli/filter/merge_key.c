/* Reads and compares the values that logs are merged by. */
#include "merge_key.h"

#include "command.h"
#include "document.h"
#include "failure.h"
#include "message.h"
#include "where.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cli_merge_path {
	struct cli_where *where;
	struct cli_document document;
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
	status = cli_document_init(&path->document, typed);
	if (status == CLI_OK)
		status = parse_path(path, text);
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
	cli_document_release(&path->document);
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

bool cli_merge_key_read(struct cli_merge_path *path,
                        const struct shmlog_frame *frame,
                        struct cli_merge_key *key)
{
	struct cli_bendec_error error;
	struct cli_value document, value;

	if (!cli_document_read(&path->document, frame, &document, &error))
		return !cli_document_is_short(&path->document);
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
