/* Finds the columns of frames by paths. */
#include "columns.h"

#include "command.h"
#include "document.h"
#include "escape.h"
#include "failure.h"
#include "message.h"
#include "where.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cli_columns {
	struct cli_column_source source; /* what the renderer sees of it */
	struct cli_printer *printer;
	struct cli_document document;
	struct cli_arena scratch; /* of one frame */
	size_t room;              /* columns that the lists can hold */
	struct cli_where **paths;
	char **names;
	struct cli_cell *cells;
};

static int no_memory(void)
{
	return cli_fail(NULL, "cannot keep the columns", -ENOMEM);
}

/* -------------------------------------------------------------- the columns */

/* A list that cannot be made longer stays as it is. */
static bool make_room(struct cli_columns *columns)
{
	size_t room = columns->room * 2 + 8;

	if (columns->source.count < columns->room)
		return true;

	struct cli_where **paths = realloc(columns->paths,
	                                   room * sizeof(*paths));

	if (paths == NULL)
		return false;
	columns->paths = paths;

	char **names = realloc(columns->names, room * sizeof(*names));

	if (names == NULL)
		return false;
	columns->names = names;
	columns->source.names = (const char *const *)names;

	struct cli_cell *cells = realloc(columns->cells, room * sizeof(*cells));

	if (cells == NULL)
		return false;
	columns->cells = cells;
	columns->room = room;
	return true;
}

/* The name of a column is its path, without the point before a name. */
static char *name_of(const char *text, size_t length)
{
	bool pointed = length > 1 && text[0] == '.' && text[1] != '[' &&
	               text[1] != '"';

	while (length > 0 && memchr(" \t\r\n", text[length - 1], 4) != NULL)
		length--;
	return strndup(text + pointed, length - pointed);
}

static int refuse_path(const char *list, const char *at,
                       const struct cli_where_error *error)
{
	struct cli_quoted quoted;
	size_t column = error->column;

	if (error->failure == CLI_WHERE_NO_MEMORY)
		return no_memory();
	for (const char *c = list; c < at; c++)
		column += ((unsigned char)*c & 0xc0) != 0x80;
	return cli_usage_error("--columns %s: column %zu: %s",
	                       cli_quote(&quoted, list), column, error->reason);
}

/* Adds the path at `*at`, which goes behind it. */
static int add_path(struct cli_columns *columns, const char *list,
                    const char **at)
{
	size_t n = columns->source.count, length;
	struct cli_where_error error;

	if (!make_room(columns))
		return no_memory();
	*at += strspn(*at, " \t\r\n");
	columns->paths[n] = cli_where_parse_path(*at, &length, &error);
	if (columns->paths[n] == NULL)
		return refuse_path(list, *at, &error);
	columns->names[n] = name_of(*at, length);
	*at += length;
	columns->source.count++;
	return columns->names[n] != NULL ? CLI_OK : no_memory();
}

static int read_paths(struct cli_columns *columns, const char *list)
{
	const char *at = list;
	int status = add_path(columns, list, &at);

	while (status == CLI_OK && *at == ',') {
		at++;
		status = add_path(columns, list, &at);
	}
	if (status == CLI_OK && *at != '\0') {
		const struct cli_where_error error = {
			.failure = CLI_WHERE_SYNTAX,
			.column = 1,
			.reason = "a comma is expected here, or the end"};

		return refuse_path(list, at, &error);
	}
	return status;
}

/* ------------------------------------------------------- fields of the type */

/* The path to a field: .a.b, or .a["odd name"]; freed by the caller. */
static char *join_path(const char *parent, const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	size_t length = strlen(name), parent_bytes = strlen(parent);
	bool plain = length > 0 && strspn(name, letters) == length &&
	             (name[0] < '0' || name[0] > '9');
	char *path = malloc(parent_bytes + length * CLI_ESCAPE_JSON_MAX + 8);
	char *out = path;

	if (path == NULL)
		return NULL;
	out = stpcpy(out, parent);
	out = stpcpy(out, plain ? "." : parent_bytes > 0 ? "[\"" : ".[\"");
	if (plain) {
		(void)stpcpy(out, name);
		return path;
	}
	out += cli_escape_json((unsigned char *)out,
	                       (const unsigned char *)name, length);
	(void)stpcpy(out, "\"]");
	return path;
}

static bool is_known(const struct cli_columns *columns, const char *name)
{
	for (size_t i = 0; i < columns->source.count; i++) {
		if (strcmp(columns->names[i], name) == 0)
			return true;
	}
	return false;
}

/* A member of a union may have fields that another one has as well. */
static int add_field_path(struct cli_columns *columns, const char *path)
{
	char *name = name_of(path, strlen(path));
	bool known = name != NULL && is_known(columns, name);
	const char *at = path;

	free(name);
	return known ? CLI_OK : add_path(columns, path, &at);
}

static int add_fields(struct cli_columns *columns,
                      const struct cli_bendec_type *type, const char *parent)
{
	int status = CLI_OK;

	for (size_t i = 0; i < type->field_count && status == CLI_OK; i++) {
		const struct cli_bendec_field *field = &type->fields[i];
		char *path = join_path(parent, field->name);

		if (path == NULL)
			return no_memory();
		status = field->type->kind == CLI_BENDEC_STRUCT
		                 ? add_fields(columns, field->type, path)
		                 : add_field_path(columns, path);
		free(path);
	}
	return status;
}

static int add_type(struct cli_columns *columns,
                    const struct cli_bendec_type *type)
{
	int status = CLI_OK;

	if (type->kind != CLI_BENDEC_UNION)
		return add_fields(columns, type, "");
	for (size_t i = 0; i < type->member_count && status == CLI_OK; i++)
		status = add_fields(columns, type->members[i].type, "");
	return status;
}

/* ------------------------------------------------------------------- frames */

/* A frame that has no columns is told of, and has none in the output. */
static void report(struct cli_columns *columns,
                   const struct shmlog_frame *frame,
                   const struct cli_bendec_error *error)
{
	struct cli_printer *printer = columns->printer;

	if (printer->typed.type != NULL) {
		cli_typed_mismatch(&printer->typed, &printer->output, frame,
		                   error);
		return;
	}
	printer->typed.mismatches++;
	(void)cli_output_flush(&printer->output);
	cli_message(printer->path,
	            "the frame at cursor %" PRIu64 " holds no JSON: %s",
	            frame->cursor, error->text);
}

/* Strings as what they stand for, anything else as its JSON. */
static struct cli_cell cell_of(struct cli_columns *columns,
                               struct cli_where *path,
                               const struct cli_value *document)
{
	struct cli_json_span bytes;
	struct cli_value value;
	enum cli_where_answer answer = cli_where_find(path, document, &value);

	if (answer == CLI_WHERE_YES && value.kind == CLI_VALUE_NULL)
		answer = CLI_WHERE_NO;
	bytes = value.text;
	if (answer == CLI_WHERE_YES && value.kind == CLI_VALUE_STRING &&
	    !cli_value_bytes(&columns->scratch, &value, &bytes))
		answer = CLI_WHERE_FAILED;
	if (answer == CLI_WHERE_FAILED && columns->printer->output.error == 0)
		columns->printer->output.error = ENOMEM;
	if (answer != CLI_WHERE_YES)
		return (struct cli_cell){NULL, 0};
	return (struct cli_cell){bytes.bytes, bytes.size_bytes};
}

static const struct cli_cell *find_cells(struct cli_column_source *source,
                                         const struct shmlog_frame *frame)
{
	/* The source is the first member. */
	struct cli_columns *columns = (struct cli_columns *)source;
	const struct cli_arena_mark nothing = {NULL, 0};
	struct cli_bendec_error error;
	struct cli_value document;

	cli_arena_reset(&columns->scratch, nothing);
	memset(columns->cells, 0, source->count * sizeof(*columns->cells));
	if (!cli_document_read(&columns->document, frame, &document, &error)) {
		report(columns, frame, &error);
		return columns->cells;
	}
	for (size_t i = 0; i < source->count; i++)
		columns->cells[i] = cell_of(columns, columns->paths[i],
		                            &document);
	return columns->cells;
}

/* -------------------------------------------------------------- all of them */

static int prepare(struct cli_columns *columns, const char *list)
{
	const struct cli_typed *typed = &columns->printer->typed;
	int status = list != NULL ? read_paths(columns, list)
	                          : add_type(columns, typed->type);

	if (status == CLI_OK && columns->source.count == 0)
		return cli_usage_error("-o csv needs --columns: the type has "
		                       "no fields");
	if (status == CLI_OK)
		status = cli_document_init(&columns->document, typed);
	return status;
}

int cli_columns_of(struct cli_columns **columns_out, const char *list,
                   struct cli_printer *printer)
{
	struct cli_columns *columns;
	int status;

	*columns_out = NULL;
	if (list == NULL && printer->typed.type == NULL)
		return cli_usage_error("-o csv needs --columns, or --schema "
		                       "for all fields of the type");
	columns = calloc(1, sizeof(*columns));
	if (columns == NULL)
		return no_memory();
	columns->source.find = find_cells;
	columns->printer = printer;
	status = prepare(columns, list);
	if (status == CLI_OK) {
		printer->renderer.columns = &columns->source;
		*columns_out = columns;
	} else {
		cli_columns_free(columns);
	}
	return status;
}

int cli_columns_init(struct cli_columns **columns_out,
                     const struct cli_args *args, size_t place,
                     struct cli_printer *printer)
{
	const char *list = cli_args_value(args, place);

	*columns_out = NULL;
	if (printer->renderer.format->heading == NULL)
		return list == NULL ? CLI_OK
		                    : cli_usage_error("--columns goes with -o "
		                                      "csv");
	return cli_columns_of(columns_out, list, printer);
}

void cli_columns_free(struct cli_columns *columns)
{
	if (columns == NULL)
		return;
	for (size_t i = 0; i < columns->source.count; i++) {
		cli_where_free(columns->paths[i]);
		free(columns->names[i]);
	}
	free(columns->paths);
	free(columns->names);
	free(columns->cells);
	cli_document_release(&columns->document);
	cli_arena_free(&columns->scratch);
	free(columns);
}
