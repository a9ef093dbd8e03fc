/* Holds the definitions of a schema, and finds them by name. */
#include "internal.h"

#include "bounded_text.h"
#include "spelling.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ memory */

void *bendec_alloc(struct cli_bendec *schema, size_t count, size_t size_bytes)
{
	void *memory;

	if (size_bytes > 0 && count > (SIZE_MAX / 2) / size_bytes)
		return NULL;
	size_bytes *= count;
	memory = cli_arena_take(&schema->arena, size_bytes);
	return memory != NULL ? memset(memory, 0, size_bytes) : NULL;
}

struct cli_bendec *cli_bendec_new(void)
{
	struct cli_bendec *schema = calloc(1, sizeof(*schema));

	if (schema == NULL)
		return NULL;
	schema->powers = cli_powers_new();
	if (schema->powers == NULL) {
		cli_bendec_free(schema);
		return NULL;
	}
	return schema;
}

void cli_bendec_free(struct cli_bendec *schema)
{
	if (schema == NULL)
		return;
	cli_arena_free(&schema->arena);
	cli_powers_free(schema->powers);
	free(schema->definitions);
	free(schema->table);
	free(schema);
}

/* ------------------------------------------------------------------ errors */

void bendec_report(struct cli_bendec_error *error,
                   enum cli_bendec_failure failure, const char *file,
                   const char *format, ...)
{
	va_list arguments;

	error->failure = failure;
	error->file = file;
	va_start(arguments, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
}

/* ----------------------------------------------------------------- numbers */

const char *cli_bendec_kind_name(enum cli_bendec_kind kind)
{
	static const char *const names[] = {
		[CLI_BENDEC_U8] = "u8",         [CLI_BENDEC_U16] = "u16",
		[CLI_BENDEC_U32] = "u32",       [CLI_BENDEC_U64] = "u64",
		[CLI_BENDEC_I8] = "i8",         [CLI_BENDEC_I16] = "i16",
		[CLI_BENDEC_I32] = "i32",       [CLI_BENDEC_I64] = "i64",
		[CLI_BENDEC_F32] = "f32",       [CLI_BENDEC_F64] = "f64",
		[CLI_BENDEC_BOOL] = "bool",     [CLI_BENDEC_BYTES] = "bytes",
		[CLI_BENDEC_ENUM] = "enum",     [CLI_BENDEC_FLAGS] = "bitflags",
		[CLI_BENDEC_TEXT] = "text",     [CLI_BENDEC_ARRAY] = "array",
		[CLI_BENDEC_STRUCT] = "struct", [CLI_BENDEC_UNION] = "union",
	};

	return names[kind];
}

uint32_t bendec_kind_bytes(enum cli_bendec_kind kind)
{
	static const unsigned char bytes[] = {
		[CLI_BENDEC_U8] = 1,   [CLI_BENDEC_U16] = 2,
		[CLI_BENDEC_U32] = 4,  [CLI_BENDEC_U64] = 8,
		[CLI_BENDEC_I8] = 1,   [CLI_BENDEC_I16] = 2,
		[CLI_BENDEC_I32] = 4,  [CLI_BENDEC_I64] = 8,
		[CLI_BENDEC_F32] = 4,  [CLI_BENDEC_F64] = 8,
		[CLI_BENDEC_BOOL] = 1,
	};

	return bytes[kind];
}

static bool is_signed(enum cli_bendec_kind kind)
{
	return kind >= CLI_BENDEC_I8 && kind <= CLI_BENDEC_I64;
}

/* All bits of an integer kind. */
static uint64_t bits_of(enum cli_bendec_kind kind)
{
	return UINT64_MAX >> (64 - 8 * bendec_kind_bytes(kind));
}

struct cli_json_integer cli_bendec_integer(enum cli_bendec_kind kind,
                                           uint64_t bits)
{
	uint64_t all = bits_of(kind);

	if (is_signed(kind) && (bits & ~(all >> 1)) != 0)
		return (struct cli_json_integer){true, (~bits & all) + 1};
	return (struct cli_json_integer){false, bits};
}

bool bendec_bits(enum cli_bendec_kind kind, struct cli_json_integer integer,
                 uint64_t *bits_out)
{
	uint64_t all = bits_of(kind);
	uint64_t most = is_signed(kind) ? all >> 1 : all;

	if (integer.magnitude > most + integer.negative ||
	    (integer.negative && !is_signed(kind)))
		return false;
	*bits_out = (integer.negative ? 0 - integer.magnitude
	                              : integer.magnitude) &
	            all;
	return true;
}

const char *bendec_range_text(struct bendec_range *buffer,
                              enum cli_bendec_kind kind)
{
	uint64_t all = bits_of(kind);

	if (is_signed(kind))
		snprintf(buffer->text, sizeof(buffer->text),
		         "-%" PRIu64 " to %" PRIu64, (all >> 1) + 1, all >> 1);
	else
		snprintf(buffer->text, sizeof(buffer->text), "0 to %" PRIu64,
		         all);
	return buffer->text;
}

/* ----------------------------------------------------------------- finding */

static size_t hash(const char *name)
{
	uint64_t value = UINT64_C(14695981039346656037);

	for (; *name != '\0'; name++)
		value = (value ^ (unsigned char)*name) *
		        UINT64_C(1099511628211);
	return (size_t)(value ^ value >> 32);
}

/* Finds the slot of a name in the table, or the free slot for it. */
static struct bendec_definition **find_place(struct bendec_definition **table,
                                             size_t size, const char *name)
{
	size_t at = hash(name) & (size - 1);

	while (table[at] != NULL && strcmp(table[at]->name, name) != 0)
		at = (at + 1) & (size - 1);
	return &table[at];
}

struct bendec_definition *bendec_lookup(const struct cli_bendec *schema,
                                        const char *name)
{
	if (schema->table_size == 0)
		return NULL;
	return *find_place(schema->table, schema->table_size, name);
}

static bool grow(struct cli_bendec *schema)
{
	size_t capacity = schema->capacity == 0 ? 64 : schema->capacity * 2;
	struct bendec_definition **definitions = realloc(
		schema->definitions, capacity * sizeof(*definitions));
	struct bendec_definition **table;

	if (definitions == NULL)
		return false;
	schema->definitions = definitions;
	table = calloc(capacity * 2, sizeof(*table));
	if (table == NULL)
		return false;
	for (size_t i = 0; i < schema->count; i++)
		*find_place(table, capacity * 2,
		            definitions[i]->name) = definitions[i];
	free(schema->table);
	schema->table = table;
	schema->table_size = capacity * 2;
	schema->capacity = capacity;
	return true;
}

bool bendec_define(struct cli_bendec *schema,
                   struct bendec_definition *definition)
{
	if (schema->count == schema->capacity && !grow(schema))
		return false;
	*find_place(schema->table, schema->table_size,
	            definition->name) = definition;
	schema->definitions[schema->count++] = definition;
	return true;
}

bool cli_bendec_defines(const struct cli_bendec *schema, const char *name)
{
	return bendec_lookup(schema, name) != NULL;
}

size_t cli_bendec_count(const struct cli_bendec *schema)
{
	return schema->count;
}

static struct cli_bendec_definition
describe(const struct bendec_definition *definition)
{
	return (struct cli_bendec_definition){
		.name = definition->name,
		.alias = definition->form == BENDEC_ALIAS ? definition->target
	                                                  : NULL,
		.type = definition->type};
}

struct cli_bendec_definition cli_bendec_nth(const struct cli_bendec *schema,
                                            size_t n)
{
	return describe(schema->definitions[n]);
}

bool cli_bendec_find(const struct cli_bendec *schema, const char *name,
                     struct cli_bendec_definition *definition_out,
                     struct cli_bendec_error *error_out)
{
	const struct bendec_definition *definition = bendec_lookup(schema,
	                                                           name);
	struct cli_spelling nearest;
	struct cli_quoted quoted;
	struct cli_quoted best;

	if (definition != NULL) {
		*definition_out = describe(definition);
		return true;
	}
	cli_spelling_init(&nearest, name, strlen(name));
	for (size_t i = 0; i < schema->count; i++)
		cli_spelling_offer(&nearest, schema->definitions[i]->name);
	cli_quote(&quoted, name);
	if (nearest.best == NULL)
		bendec_report(error_out, CLI_BENDEC_UNKNOWN_NAME, NULL,
		              "no type %s is defined", quoted.text);
	else
		bendec_report(error_out, CLI_BENDEC_UNKNOWN_NAME, NULL,
		              "no type %s is defined; did you mean %s?",
		              quoted.text, cli_quote(&best, nearest.best));
	return false;
}

/* --------------------------------------------------------------- choosing */

/* The candidates for the type of frames when no type is named: all definitions
 * of a form, and with `unused` only those that no other type uses.  Appends
 * their names to `list`, as far as there is room. */
static size_t list_candidates(const struct cli_bendec *schema,
                              enum bendec_form form, bool unused, char *list,
                              size_t room,
                              const struct cli_bendec_type **type_out)
{
	size_t count = 0;
	size_t used = 0;

	*list = '\0';
	for (size_t i = 0; i < schema->count; i++) {
		const struct bendec_definition *definition =
			schema->definitions[i];
		struct cli_quoted quoted;

		if (definition->form != form || (unused && definition->used))
			continue;
		*type_out = definition->type;
		count++;
		cli_quote(&quoted, definition->name);
		if (used + strlen(quoted.text) + 2 < room)
			used += (size_t)snprintf(list + used, room - used,
			                         "%s%s", count > 1 ? ", " : "",
			                         quoted.text);
	}
	return count;
}

static const struct cli_bendec_type *
choose_only_one(const struct cli_bendec *schema,
                struct cli_bendec_error *error_out)
{
	const struct cli_bendec_type *type = NULL;
	char list[480];
	size_t unions = list_candidates(schema, BENDEC_UNION, false, list,
	                                sizeof(list), &type);
	size_t structs = 0;

	if (unions == 0)
		structs = list_candidates(schema, BENDEC_STRUCT, true, list,
		                          sizeof(list), &type);
	if (unions + structs == 1)
		return type;
	if (unions + structs == 0)
		bendec_report(error_out, CLI_BENDEC_UNKNOWN_NAME, NULL,
		              "there is no union, and no struct that no "
		              "other type uses; --type NAME says which "
		              "type frames have");
	else
		bendec_report(error_out, CLI_BENDEC_UNKNOWN_NAME, NULL,
		              "--type NAME must say which type frames "
		              "have: %s",
		              list);
	return NULL;
}

const struct cli_bendec_type *
cli_bendec_choose(const struct cli_bendec *schema, const char *name,
                  struct cli_bendec_error *error_out)
{
	struct cli_bendec_definition definition;
	struct cli_quoted quoted;

	if (name == NULL)
		return choose_only_one(schema, error_out);
	if (!cli_bendec_find(schema, name, &definition, error_out))
		return NULL;
	if (definition.type->kind == CLI_BENDEC_STRUCT ||
	    definition.type->kind == CLI_BENDEC_UNION)
		return definition.type;
	bendec_report(error_out, CLI_BENDEC_UNKNOWN_NAME, NULL,
	              "type %s is no struct and no union, as frames "
	              "are, but %s",
	              cli_quote(&quoted, name),
	              cli_bendec_kind_name(definition.type->kind));
	return NULL;
}

/* ------------------------------------------------------- parts of a type */

const struct cli_bendec_variant *
bendec_variant_by_name(const struct cli_bendec_type *type, const char *name,
                       size_t name_bytes)
{
	size_t low = 0;
	size_t high = type->variant_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = bendec_compare_name(type->by_name[middle]->name,
		                                name, name_bytes);

		if (order == 0)
			return type->by_name[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct cli_bendec_variant *
bendec_search_variant(const struct cli_bendec_type *type, uint64_t value)
{
	size_t low = 0;
	size_t high = type->value_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (type->by_value[middle]->value == value)
			return type->by_value[middle];
		if (type->by_value[middle]->value < value)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct cli_bendec_member *
bendec_search_member(const struct cli_bendec_type *type, uint64_t value)
{
	size_t low = 0;
	size_t high = type->discriminator_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct cli_bendec_member *member =
			type->by_discriminator[middle];

		if (member->value == value)
			return member;
		if (member->value < value)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const char *cli_bendec_path_text(struct cli_bendec_path *buffer,
                                 const struct cli_bendec_type *type)
{
	size_t used = 0;

	buffer->text[0] = '\0';
	for (size_t i = 0; i < type->path_length; i++) {
		int length = snprintf(buffer->text + used,
		                      sizeof(buffer->text) - used, "%s%s",
		                      i > 0 ? "." : "", type->path[i]);

		if (length < 0 || (size_t)length >= sizeof(buffer->text) - used)
			break;
		used += (size_t)length;
	}
	return buffer->text;
}
