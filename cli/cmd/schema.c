/* Prints the sizes, offsets and fields that type definitions give to frames. */
#include "bendec.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "options.h"
#include "rows.h"
#include "shared_options.h"
#include "stdout_buffer.h"
#include "type_arguments.h"
#include "typed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_OUTPUT,
};

static const struct cli_option schema_options[] = {
	CLI_REPORT_FORMAT_OPTION(OPTION_OUTPUT),
};

struct printer {
	const struct cli_bendec *schema;
	struct cli_output output;
	bool json;
	bool one;   /* a single type, with all that is inside it */
	bool began; /* something was printed */
};

/* -------------------------------------------------------------------- text */

/* The columns of a table's rows: offset, size, name, type. */
#define ROW_FORMAT "  %6s  %6s  "

/* A name with blanks behind it, escaped, and how wide it is. */
static void print_padded(struct cli_output *output, const char *text,
                         size_t indent, size_t width)
{
	size_t length = indent;

	for (size_t i = 0; i < indent; i++)
		cli_output_string(output, " ");
	cli_report_escaped(output, text);
	/* Continuation bytes take no column. */
	for (const char *at = text; *at != '\0'; at++)
		length += (*at & 0xc0) != 0x80;
	for (; length < width; length++)
		cli_output_string(output, " ");
}

static const char *decimal(char *buffer, size_t room,
                           const struct cli_bendec_type *type, uint64_t bits)
{
	struct cli_json_integer number = cli_bendec_integer(type->base, bits);

	snprintf(buffer, room, "%s%" PRIu64, number.negative ? "-" : "",
	         number.magnitude);
	return buffer;
}

static void print_row(struct cli_output *output, uint32_t offset,
                      uint32_t size_bytes)
{
	char start[16];
	char size[16];

	snprintf(start, sizeof(start), "%" PRIu32, offset);
	snprintf(size, sizeof(size), "%" PRIu32, size_bytes);
	cli_output_format(output, ROW_FORMAT, start, size);
}

/* The widest name of the fields of a struct, and of those inside it if all
 * are printed. */
static size_t name_width(const struct printer *printer,
                         const struct cli_bendec_type *type, size_t indent)
{
	size_t width = 0;

	for (size_t i = 0; i < type->field_count; i++) {
		const struct cli_bendec_field *field = &type->fields[i];
		const struct cli_bendec_type *inner = field->type;
		size_t own = indent + strlen(field->name);

		while (inner->kind == CLI_BENDEC_ARRAY)
			inner = inner->element;
		if (printer->one && inner->kind == CLI_BENDEC_STRUCT) {
			size_t inside = name_width(printer, inner, indent + 2);

			own = inside > own ? inside : own;
		}
		width = own > width ? own : width;
	}
	return width;
}

static void print_fields(struct printer *printer,
                         const struct cli_bendec_type *type, uint32_t offset,
                         size_t indent, size_t width)
{
	struct cli_output *output = &printer->output;

	for (size_t i = 0; i < type->field_count && output->error == 0; i++) {
		const struct cli_bendec_field *field = &type->fields[i];
		const struct cli_bendec_type *inner = field->type;

		print_row(output, offset + field->offset,
		          field->type->size_bytes);
		print_padded(output, field->name, indent, width);
		cli_output_string(output, "  ");
		cli_report_escaped(output, field->type_name);
		if (field->length > 0)
			cli_output_format(output, "[%" PRIu32 "]",
			                  field->length);
		while (inner->kind == CLI_BENDEC_ARRAY)
			inner = inner->element;
		if (inner->size_bytes != field->type->size_bytes &&
		    inner->kind != CLI_BENDEC_TEXT)
			cli_output_format(output, ", %" PRIu32 " bytes each",
			                  inner->size_bytes);
		cli_output_string(output, "\n");
		if (printer->one && inner->kind == CLI_BENDEC_STRUCT)
			print_fields(printer, inner, offset + field->offset,
			             indent + 2, width);
	}
}

static void print_struct(struct printer *printer,
                         const struct cli_bendec_type *type)
{
	size_t width = name_width(printer, type, 0);

	width = width > 5 ? width : 5;
	cli_output_format(&printer->output, ROW_FORMAT "%-*s  %s\n", "offset",
	                  "size", (int)width, "field", "type");
	print_fields(printer, type, 0, 0, width);
}

static void print_variants(struct cli_output *output,
                           const struct cli_bendec_type *type)
{
	char number[32];

	for (size_t i = 0; i < type->variant_count; i++) {
		cli_output_format(output, "  %20s  ",
		                  decimal(number, sizeof(number), type,
		                          type->variants[i].value));
		cli_report_escaped(output, type->variants[i].name);
		cli_output_string(output, "\n");
	}
}

static void print_members(struct cli_output *output,
                          const struct cli_bendec_type *type)
{
	struct cli_bendec_path path;
	char number[32];

	cli_output_string(output, "  discriminator ");
	cli_report_escaped(output, cli_bendec_path_text(&path, type));
	cli_output_string(output, ", ");
	cli_report_escaped(output, type->discriminator->name);
	cli_output_format(output, ", at offset %" PRIu32 "\n",
	                  type->discriminator_offset);
	cli_output_format(output, "  %20s  %6s  member\n", "value", "size");
	for (size_t i = 0; i < type->member_count; i++) {
		const struct cli_bendec_member *member = &type->members[i];

		cli_output_format(output, "  %20s  %6" PRIu32 "  ",
		                  member->has_value
		                          ? decimal(number, sizeof(number),
		                                    type->discriminator,
		                                    member->value)
		                          : "none",
		                  member->type->size_bytes);
		cli_report_escaped(output, member->name);
		cli_output_string(output, "\n");
	}
}

/* The line above a table: what the type is. */
static void print_heading(struct printer *printer,
                          const struct cli_bendec_definition *definition)
{
	const struct cli_bendec_type *type = definition->type;
	struct cli_output *output = &printer->output;

	if (printer->began)
		cli_output_string(output, "\n");
	printer->began = true;
	cli_report_escaped(output, definition->name);
	cli_output_string(output, ": ");
	if (definition->alias != NULL) {
		cli_output_string(output, "alias of ");
		cli_report_escaped(output, definition->alias);
	} else if (type->kind == CLI_BENDEC_ARRAY ||
	           type->kind == CLI_BENDEC_TEXT) {
		cli_output_format(output, "array of %" PRIu32 " ",
		                  type->length);
		cli_report_escaped(output, type->element_name);
	} else if (type->kind == CLI_BENDEC_ENUM ||
	           type->kind == CLI_BENDEC_FLAGS) {
		cli_output_format(output, "%s in ",
		                  cli_bendec_kind_name(type->kind));
		cli_report_escaped(output, type->base_name);
	} else if (type->kind <= CLI_BENDEC_BYTES) {
		cli_output_format(output, "primitive, %s",
		                  cli_bendec_kind_name(type->kind));
	} else {
		cli_output_string(output, cli_bendec_kind_name(type->kind));
	}
	cli_output_format(output, ", %s%" PRIu32 " byte%s\n",
	                  type->kind == CLI_BENDEC_UNION ? "up to " : "",
	                  type->size_bytes, type->size_bytes == 1 ? "" : "s");
}

static void print_table(struct printer *printer,
                        const struct cli_bendec_definition *definition)
{
	const struct cli_bendec_type *type = definition->type;

	print_heading(printer, definition);
	if (definition->alias != NULL && !printer->one)
		return;
	switch (type->kind) {
	case CLI_BENDEC_STRUCT: print_struct(printer, type); break;
	case CLI_BENDEC_UNION: print_members(&printer->output, type); break;
	case CLI_BENDEC_ENUM:
	case CLI_BENDEC_FLAGS: print_variants(&printer->output, type); break;
	default: break;
	}
	if (!printer->one || type->kind != CLI_BENDEC_UNION)
		return;
	for (size_t i = 0; i < type->member_count; i++) {
		struct cli_bendec_definition member = {
			.name = type->members[i].name,
			.type = type->members[i].type};

		print_table(printer, &member);
	}
}

/* -------------------------------------------------------------------- JSON */

/* ,"key":"text" or the first of them. */
static void print_string(struct cli_output *output, const char *lead,
                         const char *text)
{
	cli_output_string(output, lead);
	cli_report_quoted(output, text);
}

static void print_number(struct cli_output *output, const char *lead,
                         uint64_t number)
{
	cli_output_string(output, lead);
	cli_output_u64(output, number);
}

static void print_json_fields(struct cli_output *output,
                              const struct cli_bendec_type *type)
{
	cli_output_string(output, ",\"fields\":[");
	for (size_t i = 0; i < type->field_count && output->error == 0; i++) {
		const struct cli_bendec_field *field = &type->fields[i];

		cli_output_string(output, i > 0 ? "," : "");
		print_string(output, "{\"name\":", field->name);
		print_string(output, ",\"type\":", field->type_name);
		if (field->length > 0)
			print_number(output, ",\"length\":", field->length);
		print_number(output, ",\"offset\":", field->offset);
		print_number(output, ",\"size\":", field->type->size_bytes);
		cli_output_string(output, "}");
	}
	cli_output_string(output, "]");
}

static void print_json_variants(struct cli_output *output,
                                const struct cli_bendec_type *type)
{
	char number[32];

	print_string(output, ",\"underlying\":", type->base_name);
	cli_output_string(output, ",\"variants\":[");
	for (size_t i = 0; i < type->variant_count; i++) {
		cli_output_string(output, i > 0 ? "," : "");
		print_string(output, "{\"name\":", type->variants[i].name);
		cli_output_format(output, ",\"value\":%s}",
		                  decimal(number, sizeof(number), type,
		                          type->variants[i].value));
	}
	cli_output_string(output, "]");
}

static void print_json_members(struct cli_output *output,
                               const struct cli_bendec_type *type)
{
	char number[32];

	cli_output_string(output, ",\"discriminator\":[");
	for (size_t i = 0; i < type->path_length; i++)
		print_string(output, i > 0 ? "," : "", type->path[i]);
	print_number(output, "],\"offset\":", type->discriminator_offset);
	print_string(output, ",\"enum\":", type->discriminator->name);
	cli_output_string(output, ",\"members\":[");
	for (size_t i = 0; i < type->member_count; i++) {
		const struct cli_bendec_member *member = &type->members[i];

		cli_output_string(output, i > 0 ? "," : "");
		print_string(output, "{\"name\":", member->name);
		cli_output_format(output, ",\"value\":%s",
		                  member->has_value
		                          ? decimal(number, sizeof(number),
		                                    type->discriminator,
		                                    member->value)
		                          : "null");
		print_number(output, ",\"size\":", member->type->size_bytes);
		cli_output_string(output, "}");
	}
	cli_output_string(output, "]");
}

static const char *json_kind(const struct cli_bendec_definition *definition)
{
	if (definition->alias != NULL)
		return "alias";
	if (definition->type->kind <= CLI_BENDEC_BYTES)
		return "primitive";
	if (definition->type->kind == CLI_BENDEC_FLAGS)
		return "enum";
	if (definition->type->kind == CLI_BENDEC_TEXT)
		return "array";
	return cli_bendec_kind_name(definition->type->kind);
}

static void print_json(struct printer *printer,
                       const struct cli_bendec_definition *definition)
{
	const struct cli_bendec_type *type = definition->type;
	struct cli_output *output = &printer->output;

	print_string(output, "{\"name\":", definition->name);
	print_string(output, ",\"kind\":", json_kind(definition));
	print_number(output, ",\"size\":", type->size_bytes);
	if (definition->alias != NULL) {
		print_string(output, ",\"alias\":", definition->alias);
	} else if (type->kind == CLI_BENDEC_STRUCT) {
		print_json_fields(output, type);
	} else if (type->kind == CLI_BENDEC_UNION) {
		print_json_members(output, type);
	} else if (type->kind == CLI_BENDEC_ENUM ||
	           type->kind == CLI_BENDEC_FLAGS) {
		cli_output_format(output, ",\"bitflags\":%s",
		                  type->kind == CLI_BENDEC_FLAGS ? "true"
		                                                 : "false");
		print_json_variants(output, type);
	} else if (type->kind == CLI_BENDEC_ARRAY ||
	           type->kind == CLI_BENDEC_TEXT) {
		print_string(output, ",\"type\":", type->element_name);
		print_number(output, ",\"length\":", type->length);
	} else {
		print_string(output,
		             ",\"reads\":", cli_bendec_kind_name(type->kind));
	}
	cli_output_string(output, "}\n");
}

/* ----------------------------------------------------------------- command */

static void print_definition(struct printer *printer,
                             const struct cli_bendec_definition *definition)
{
	if (printer->json)
		print_json(printer, definition);
	else
		print_table(printer, definition);
}

static int print_schema(struct printer *printer, const char *name)
{
	struct cli_bendec_definition definition;
	struct cli_bendec_error error;

	if (name != NULL) {
		if (!cli_bendec_find(printer->schema, name, &definition,
		                     &error))
			return cli_usage_error("there is no such file, and %s",
			                       error.text);
		printer->one = true;
		print_definition(printer, &definition);
		return CLI_OK;
	}
	for (size_t i = 0; i < cli_bendec_count(printer->schema) &&
	                   printer->output.error == 0;
	     i++) {
		definition = cli_bendec_nth(printer->schema, i);
		print_definition(printer, &definition);
	}
	return CLI_OK;
}

/*
 * Reads the definitions.  The last operand is a type if the others define
 * one of that name, or if there is no such file.
 */
static int load(struct cli_bendec *schema, const struct cli_args *args,
                const char **name_out)
{
	size_t count = cli_args_operand_count(args);
	struct cli_bendec_error error;

	*name_out = NULL;
	for (size_t i = 0; i < count; i++) {
		const char *operand = cli_args_operand(args, i);
		int status;

		if (i > 0 && i + 1 == count && strcmp(operand, "-") != 0 &&
		    (cli_bendec_defines(schema, operand) ||
		     (access(operand, F_OK) != 0 && errno == ENOENT))) {
			*name_out = operand;
			break;
		}
		status = cli_typed_load(schema, operand);
		if (status != CLI_OK)
			return status;
	}
	return cli_bendec_resolve(schema, &error) ? CLI_OK
	                                          : cli_typed_failed(&error);
}

static int print_all(const struct cli_args *args, struct cli_bendec *schema,
                     bool json)
{
	struct printer printer = {.schema = schema, .json = json};
	const char *name;
	int status = load(schema, args, &name);

	if (status != CLI_OK)
		return status;
	status = cli_output_init(&printer.output, STDOUT_FILENO);
	if (status != 0)
		return cli_fail(NULL, "cannot write", status);
	status = print_schema(&printer, name);
	return cli_output_finish(&printer.output, status);
}

static int schema_run(const struct cli_args *args)
{
	struct cli_bendec *schema;
	bool json;
	int status = cli_report_format(args, OPTION_OUTPUT, &json);

	if (status != CLI_OK)
		return status;
	schema = cli_bendec_new();
	if (schema == NULL)
		return cli_fail(NULL, "cannot read the definitions", -ENOMEM);
	status = print_all(args, schema, json);
	cli_bendec_free(schema);
	return status;
}

const struct cli_command cmd_schema = {
	.name = "schema",
	.summary = "print the sizes and fields of frame types",
	.operands = "FILE... [TYPE]",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_schema_or_type),
	.options = schema_options,
	.option_count = sizeof(schema_options) / sizeof(schema_options[0]),
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.notes = "A FILE holds Bendec type definitions.  TYPE, one of them, is "
		 "printed alone, with\nall that is inside it.",
	.run = schema_run,
};
