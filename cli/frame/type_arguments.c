/* Offers the types of a schema, and the fields of one. */
#include "type_arguments.h"

#include "argument_kinds.h"
#include "bendec.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longer ones are not read while somebody waits. */
#define DEFINITIONS_MOST (1u << 20)

/* Adds the definitions of a file to a schema, without a word. */
static bool add_file(struct cli_bendec *schema, const char *path)
{
	struct cli_bendec_error error;
	struct stat file;
	ssize_t got = -1;
	char *text;
	/* A FIFO would wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool added = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
	    file.st_size <= (off_t)DEFINITIONS_MOST &&
	    (text = malloc((size_t)file.st_size + 1)) != NULL) {
		got = read(fd, text, (size_t)file.st_size);
		added = got > 0 &&
		        cli_bendec_add(schema, path, text, (size_t)got, &error);
		free(text);
	}
	close(fd);
	return added;
}

static bool add_value(struct cli_bendec *schema, const char *value)
{
	char *path = cli_completion_path(value);
	bool added = path != NULL && add_file(schema, path);

	free(path);
	return added;
}

/* The definitions of the options or operands before the cursor; NULL if there
 * are none, or wrong ones. */
static struct cli_bendec *load(struct cli_completion *completion, bool operands)
{
	struct cli_bendec *schema = cli_bendec_new();
	struct cli_bendec_error error;
	bool sound = schema != NULL;
	const char *value;

	for (size_t i = 0; sound; i++) {
		value = operands ? cli_completion_operand(completion, i)
		                 : cli_completion_option(completion, "schema",
		                                         i);
		if (value == NULL)
			break;
		sound = add_value(schema, value);
	}
	if (sound && cli_bendec_resolve(schema, &error))
		return schema;
	cli_bendec_free(schema);
	return NULL;
}

/* The types that frames can have, or all. */
static void offer_types_of(struct cli_completion *completion,
                           const struct cli_bendec *schema, bool all)
{
	for (size_t i = 0; i < cli_bendec_count(schema); i++) {
		struct cli_bendec_definition definition = cli_bendec_nth(schema,
		                                                         i);
		enum cli_bendec_kind kind = definition.type->kind;

		if (all || kind == CLI_BENDEC_STRUCT ||
		    kind == CLI_BENDEC_UNION)
			cli_offer(completion, definition.name,
			          cli_bendec_kind_name(kind));
	}
}

static void offer_types(struct cli_completion *completion)
{
	struct cli_bendec *schema = load(completion, false);

	if (schema != NULL)
		offer_types_of(completion, schema, false);
	cli_bendec_free(schema);
}

static void offer_schema_or_type(struct cli_completion *completion)
{
	struct cli_bendec *schema = NULL;

	if (cli_completion_operand(completion, 0) != NULL)
		schema = load(completion, true);
	if (schema != NULL)
		offer_types_of(completion, schema, true);
	cli_bendec_free(schema);
	cli_complete_value(completion, &cli_takes_file);
}

static bool has_field(const struct cli_bendec_type *type, const char *name)
{
	for (size_t i = 0;
	     type->kind == CLI_BENDEC_STRUCT && i < type->field_count; i++) {
		if (strcmp(type->fields[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Offers the fields of a struct below the path that the value at the cursor has
 * at `from`, but for those of the first `known` members of a union. */
static void offer_struct(struct cli_completion *completion,
                         const struct cli_bendec_type *type, size_t from,
                         const struct cli_bendec_type *all, size_t known)
{
	const char *value = cli_completion_value(completion);
	char text[1024];

	for (size_t i = 0;
	     type->kind == CLI_BENDEC_STRUCT && i < type->field_count; i++) {
		const struct cli_bendec_field *field = &type->fields[i];
		int length = snprintf(text, sizeof(text), "%.*s.%s", (int)from,
		                      value, field->name);
		size_t k = 0;

		while (k < known &&
		       !has_field(all->members[k].type, field->name))
			k++;
		if (k == known && length < (int)sizeof(text))
			cli_offer_part(completion, text, field->type_name);
	}
}

/* ... of a struct, or of all members of a union. */
static void offer_fields_of(struct cli_completion *completion,
                            const struct cli_bendec_type *type, size_t from)
{
	offer_struct(completion, type, from, NULL, 0);
	for (size_t i = 0;
	     type->kind == CLI_BENDEC_UNION && i < type->member_count; i++)
		offer_struct(completion, type->members[i].type, from, type, i);
}

/* Where the last path of a list begins, or rather its last name. */
static const struct cli_bendec_type *go_down(const struct cli_bendec_type *type,
                                             const char *path, size_t *from)
{
	const char *dot;

	while (type != NULL && (dot = strchr(path + 1, '.')) != NULL &&
	       path[0] == '.') {
		const struct cli_bendec_type *inner = NULL;
		size_t bytes = (size_t)(dot - path - 1);

		for (size_t i = 0;
		     type->kind == CLI_BENDEC_STRUCT && i < type->field_count;
		     i++) {
			const char *name = type->fields[i].name;

			if (strlen(name) == bytes &&
			    memcmp(name, path + 1, bytes) == 0)
				inner = type->fields[i].type;
		}
		*from += bytes + 1;
		path = dot;
		type = inner;
	}
	return type;
}

static void offer_fields_from(struct cli_completion *completion, size_t from)
{
	const char *value = cli_completion_value(completion);
	struct cli_bendec *schema = load(completion, false);
	const struct cli_bendec_type *type = NULL;
	struct cli_bendec_error error;

	if (schema != NULL)
		type = cli_bendec_choose(
			schema, cli_completion_option(completion, "type", 0),
			&error);
	if (type != NULL && value[from] != '\0')
		type = go_down(type, value + from, &from);
	if (type != NULL)
		offer_fields_of(completion, type, from);
	cli_bendec_free(schema);
}

static void offer_field(struct cli_completion *completion)
{
	offer_fields_from(completion, 0);
}

static void offer_fields(struct cli_completion *completion)
{
	const char *value = cli_completion_value(completion);
	const char *comma = strrchr(value, ',');

	offer_fields_from(completion,
	                  comma != NULL ? (size_t)(comma + 1 - value) : 0);
}

const struct cli_argument_kind cli_takes_type = {.offer = offer_types};
const struct cli_argument_kind cli_takes_field = {.offer = offer_field};
const struct cli_argument_kind cli_takes_fields = {.offer = offer_fields};
const struct cli_argument_kind cli_takes_schema_or_type = {
	.offer = offer_schema_or_type};
