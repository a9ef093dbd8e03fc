/* Reads definitions from JSON, each by itself. */
#include "internal.h"
#include "json_check.h"

#include "bounded_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------- properties */

enum property {
	PROPERTY_KIND,
	PROPERTY_NAME,
	PROPERTY_SIZE,
	PROPERTY_TYPE,
	PROPERTY_LENGTH,
	PROPERTY_ALIAS,
	PROPERTY_FIELDS,
	PROPERTY_UNDERLYING,
	PROPERTY_OFFSET,
	PROPERTY_VARIANTS,
	PROPERTY_BITFLAGS,
	PROPERTY_DISCRIMINATOR,
	PROPERTY_MEMBERS,
	PROPERTY_COUNT,
};

static const char *const property_names[PROPERTY_COUNT] = {
	[PROPERTY_KIND] = "kind",
	[PROPERTY_NAME] = "name",
	[PROPERTY_SIZE] = "size",
	[PROPERTY_TYPE] = "type",
	[PROPERTY_LENGTH] = "length",
	[PROPERTY_ALIAS] = "alias",
	[PROPERTY_FIELDS] = "fields",
	[PROPERTY_UNDERLYING] = "underlying",
	[PROPERTY_OFFSET] = "offset",
	[PROPERTY_VARIANTS] = "variants",
	[PROPERTY_BITFLAGS] = "bitflags",
	[PROPERTY_DISCRIMINATOR] = "discriminator",
	[PROPERTY_MEMBERS] = "members",
};

/* The values of an object's properties in the text; `at` is NULL for one that
 * is missing.  The last one of a repeated property counts; unknown ones, such
 * as descriptions, are skipped. */
struct properties {
	struct cli_json_scan of[PROPERTY_COUNT];
};

static void find_properties(struct cli_json_scan scan, struct properties *found)
{
	struct cli_json_span name;

	memset(found, 0, sizeof(*found));
	cli_json_enter(&scan);
	while (cli_json_next_member(&scan, &name)) {
		for (size_t i = 0; i < PROPERTY_COUNT; i++) {
			if (cli_json_string_is(name, property_names[i])) {
				found->of[i] = scan;
				break;
			}
		}
		(void)cli_json_take_value(&scan);
	}
}

static bool has(const struct properties *found, enum property property)
{
	return found->of[property].at != NULL;
}

/* Whether a property is present and not null. */
static bool has_value(const struct properties *found, enum property property)
{
	return has(found, property) &&
	       cli_json_kind(&found->of[property]) != CLI_JSON_NULL;
}

/* ----------------------------------------------------------------- reading */

struct reader {
	struct cli_bendec *schema;
	const char *file;
	struct cli_bendec_error *error;
	size_t number;         /* of the definition, from 1 */
	const char *name;      /* of the type, once it is known */
	const char *part;      /* "field", "variant", or NULL */
	const char *part_name; /* once it is known */
	size_t part_number;
};

/* "type 'Trade', field 'price': " and the rest. */
__attribute__((format(printf, 2, 3))) static bool
refuse(struct reader *reader, const char *format, ...)
{
	struct cli_quoted name;
	struct cli_quoted part_name;
	char place[600];
	char text[256];
	va_list arguments;
	int used;

	if (reader->name != NULL)
		used = snprintf(place, sizeof(place), "type %s",
		                cli_quote(&name, reader->name));
	else
		used = snprintf(place, sizeof(place), "definition %zu",
		                reader->number);
	if (reader->part != NULL && reader->part_name != NULL)
		(void)snprintf(place + used, sizeof(place) - (size_t)used,
		               ", %s %s", reader->part,
		               cli_quote(&part_name, reader->part_name));
	else if (reader->part != NULL)
		(void)snprintf(place + used, sizeof(place) - (size_t)used,
		               ", %s %zu", reader->part, reader->part_number);
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	bendec_report(reader->error, CLI_BENDEC_BAD_DEFINITION, reader->file,
	              "%s: %s", place, text);
	return false;
}

/* Checks the kind of a value; the refusal names the property. */
static bool expect(struct reader *reader, const struct cli_json_scan *scan,
                   enum cli_json_kind kind, const char *what)
{
	enum cli_json_kind found = cli_json_kind(scan);

	if (found == kind)
		return true;
	return refuse(reader, "\"%s\" must be %s, not %s", what,
	              cli_json_kind_name(kind), cli_json_kind_name(found));
}

/* A name: a string of 1 to BENDEC_NAME_MAX bytes without a NUL. */
static bool read_name(struct reader *reader, struct cli_json_scan scan,
                      const char *what, const char **name_out)
{
	struct cli_json_span span;
	size_t size_bytes;
	char *name;

	if (!expect(reader, &scan, CLI_JSON_STRING, what))
		return false;
	span = cli_json_take_string(&scan);
	if (span.size_bytes > 6 * BENDEC_NAME_MAX)
		return refuse(reader, "\"%s\" is too long for a name", what);
	name = bendec_alloc(reader->schema, span.size_bytes + 1, 1);
	if (name == NULL)
		return bendec_no_memory(reader->error);
	if (!cli_json_unescape((unsigned char *)name, span, &size_bytes))
		return refuse(reader, "\"%s\" has half a surrogate pair", what);
	if (size_bytes == 0)
		return refuse(reader, "\"%s\" is empty", what);
	if (size_bytes > BENDEC_NAME_MAX)
		return refuse(reader, "\"%s\" is too long for a name", what);
	/* Whole words were stored behind the end. */
	name[size_bytes] = '\0';
	if (strlen(name) != size_bytes)
		return refuse(reader, "\"%s\" holds a NUL", what);
	*name_out = name;
	return true;
}

/* A count of bytes or elements. */
static bool read_count(struct reader *reader, struct cli_json_scan scan,
                       const char *what, uint32_t *count_out)
{
	struct cli_json_integer integer;
	struct cli_json_span span;
	enum cli_json_whole whole;
	struct cli_quoted quoted;

	if (!expect(reader, &scan, CLI_JSON_NUMBER, what))
		return false;
	span = cli_json_take_value(&scan);
	whole = cli_json_integer(span, &integer);
	if (whole == CLI_JSON_WHOLE && !integer.negative &&
	    integer.magnitude <= BENDEC_MOST_BYTES) {
		*count_out = (uint32_t)integer.magnitude;
		return true;
	}
	return refuse(reader, "\"%s\" %s is no whole number from 0 to %u", what,
	              cli_quote_bytes(&quoted, span.bytes, span.size_bytes),
	              BENDEC_MOST_BYTES);
}

/* Counts the elements of the array at `scan`. */
static size_t count_elements(struct cli_json_scan scan)
{
	size_t count = 0;

	cli_json_enter(&scan);
	while (cli_json_next_element(&scan)) {
		(void)cli_json_take_value(&scan);
		count++;
	}
	return count;
}

/* An array of names. */
static bool read_names(struct reader *reader, struct cli_json_scan scan,
                       const char *what, const char ***names_out,
                       size_t *count_out)
{
	size_t count;
	const char **names;

	if (!expect(reader, &scan, CLI_JSON_ARRAY, what))
		return false;
	count = count_elements(scan);
	names = bendec_alloc(reader->schema, count, sizeof(*names));
	if (names == NULL)
		return bendec_no_memory(reader->error);
	cli_json_enter(&scan);
	for (size_t i = 0; cli_json_next_element(&scan); i++) {
		if (!read_name(reader, scan, what, &names[i]))
			return false;
		(void)cli_json_take_value(&scan);
	}
	*names_out = names;
	*count_out = count;
	return true;
}

/* ------------------------------------------------------------------ structs */

static bool read_field(struct reader *reader, struct cli_json_scan scan,
                       struct cli_bendec_field *field)
{
	struct properties found;

	if (cli_json_kind(&scan) != CLI_JSON_OBJECT)
		return refuse(reader, "is %s, not an object",
		              cli_json_kind_name(cli_json_kind(&scan)));
	find_properties(scan, &found);
	if (!has(&found, PROPERTY_NAME))
		return refuse(reader, "has no \"name\"");
	if (!read_name(reader, found.of[PROPERTY_NAME], "name", &field->name))
		return false;
	reader->part_name = field->name;
	if (!has(&found, PROPERTY_TYPE))
		return refuse(reader, "has no \"type\"");
	if (!read_name(reader, found.of[PROPERTY_TYPE], "type",
	               &field->type_name))
		return false;
	/* Bendec takes a length of 0 for no length. */
	return !has_value(&found, PROPERTY_LENGTH) ||
	       read_count(reader, found.of[PROPERTY_LENGTH], "length",
	                  &field->length);
}

static bool read_struct(struct reader *reader, struct cli_json_scan scan,
                        struct bendec_definition *definition)
{
	if (!expect(reader, &scan, CLI_JSON_ARRAY, "fields"))
		return false;
	definition->field_count = count_elements(scan);
	definition->fields = bendec_alloc(reader->schema,
	                                  definition->field_count,
	                                  sizeof(*definition->fields));
	if (definition->fields == NULL)
		return bendec_no_memory(reader->error);
	cli_json_enter(&scan);
	for (size_t i = 0; cli_json_next_element(&scan); i++) {
		reader->part = "field";
		reader->part_number = i + 1;
		reader->part_name = NULL;
		if (!read_field(reader, scan, &definition->fields[i]))
			return false;
		(void)cli_json_take_value(&scan);
	}
	reader->part = NULL;
	return true;
}

/* ------------------------------------------------------------------- enums */

/* Digits to base 2 or 16, behind 0b or 0x. */
static bool read_digits(struct cli_json_span digits, unsigned base,
                        uint64_t *value_out)
{
	uint64_t value = 0;

	if (digits.size_bytes == 0)
		return false;
	for (size_t i = 0; i < digits.size_bytes; i++) {
		unsigned char byte = digits.bytes[i];
		unsigned digit = byte - (unsigned)'0';

		if (digit > 9)
			digit = (byte | 0x20u) - 'a' + 10;
		if (digit >= base || value > UINT64_MAX / base)
			return false;
		value = value * base + digit;
	}
	*value_out = value;
	return true;
}

/* A number, or a string of one: 0x..., 0b... if `binary`, else decimal. */
static bool read_number(struct reader *reader, struct cli_json_scan scan,
                        const char *what, bool binary,
                        struct cli_json_integer *integer_out)
{
	struct cli_json_span span = cli_json_take_value(&scan);
	struct cli_json_span inside = {span.bytes + 1, span.size_bytes - 2};
	struct cli_json_span digits = {span.bytes + 3, span.size_bytes - 4};
	struct cli_quoted quoted;
	bool good = false;

	*integer_out = (struct cli_json_integer){false, 0};
	if (*span.bytes == '-' || (*span.bytes >= '0' && *span.bytes <= '9'))
		good = cli_json_integer(span, integer_out) == CLI_JSON_WHOLE;
	else if (*span.bytes == '"' && inside.size_bytes > 2 &&
	         (memcmp(inside.bytes, "0x", 2) == 0 ||
	          (!binary && memcmp(inside.bytes, "0X", 2) == 0)))
		good = read_digits(digits, 16, &integer_out->magnitude);
	else if (*span.bytes == '"' && binary && inside.size_bytes > 2 &&
	         memcmp(inside.bytes, "0b", 2) == 0)
		good = read_digits(digits, 2, &integer_out->magnitude);
	else if (*span.bytes == '"' && !binary)
		good = cli_json_span_u64(inside, &integer_out->magnitude);
	if (good)
		return true;
	return refuse(reader, "%s %s is no whole number of 64 bits%s", what,
	              cli_quote_bytes(&quoted, span.bytes, span.size_bytes),
	              binary ? ", nor a string such as \"0x1f\" or \"0b101\""
	                     : ", nor a string such as \"0x1000\"");
}

/* a + b; false if that has more than 64 bits. */
static bool add(struct cli_json_integer a, struct cli_json_integer b,
                struct cli_json_integer *sum_out)
{
	if (a.negative == b.negative) {
		if (a.magnitude > UINT64_MAX - b.magnitude)
			return false;
		sum_out->negative = a.negative;
		sum_out->magnitude = a.magnitude + b.magnitude;
		return true;
	}
	if (a.magnitude < b.magnitude) {
		struct cli_json_integer other = a;

		a = b;
		b = other;
	}
	sum_out->magnitude = a.magnitude - b.magnitude;
	sum_out->negative = a.negative && sum_out->magnitude > 0;
	return true;
}

/* [name, value], and perhaps a description. */
static bool read_variant(struct reader *reader, struct cli_json_scan scan,
                         struct cli_json_integer offset,
                         struct cli_bendec_variant *variant,
                         struct cli_json_integer *number_out)
{
	struct cli_json_integer value;

	if (cli_json_kind(&scan) != CLI_JSON_ARRAY)
		return refuse(reader, "is %s, not an array",
		              cli_json_kind_name(cli_json_kind(&scan)));
	if (count_elements(scan) < 2)
		return refuse(reader, "lacks a name or a value");
	cli_json_enter(&scan);
	(void)cli_json_next_element(&scan);
	if (!read_name(reader, scan, "name", &variant->name))
		return false;
	reader->part_name = variant->name;
	(void)cli_json_take_value(&scan);
	(void)cli_json_next_element(&scan);
	if (!read_number(reader, scan, "value", true, &value))
		return false;
	if (add(value, offset, number_out))
		return true;
	return refuse(reader, "its value and the offset are more than 64 bits "
	                      "hold");
}

static bool read_variants(struct reader *reader, struct cli_json_scan scan,
                          struct cli_json_integer offset,
                          struct bendec_definition *definition)
{
	if (!expect(reader, &scan, CLI_JSON_ARRAY, "variants"))
		return false;
	definition->variant_count = count_elements(scan);
	definition->variants = bendec_alloc(reader->schema,
	                                    definition->variant_count,
	                                    sizeof(*definition->variants));
	definition->numbers = bendec_alloc(reader->schema,
	                                   definition->variant_count,
	                                   sizeof(*definition->numbers));
	if (definition->variants == NULL || definition->numbers == NULL)
		return bendec_no_memory(reader->error);
	cli_json_enter(&scan);
	for (size_t i = 0; cli_json_next_element(&scan); i++) {
		reader->part = "variant";
		reader->part_number = i + 1;
		reader->part_name = NULL;
		if (!read_variant(reader, scan, offset,
		                  &definition->variants[i],
		                  &definition->numbers[i]))
			return false;
		(void)cli_json_take_value(&scan);
	}
	reader->part = NULL;
	return true;
}

static bool read_enum(struct reader *reader, const struct properties *found,
                      struct bendec_definition *definition)
{
	struct cli_json_integer offset = {false, 0};
	struct cli_json_scan flag = found->of[PROPERTY_BITFLAGS];

	if (!has(found, PROPERTY_UNDERLYING))
		return refuse(reader, "is an enum without \"underlying\"");
	if (!read_name(reader, found->of[PROPERTY_UNDERLYING], "underlying",
	               &definition->target))
		return false;
	if (has_value(found, PROPERTY_OFFSET) &&
	    !read_number(reader, found->of[PROPERTY_OFFSET], "offset", false,
	                 &offset))
		return false;
	if (has_value(found, PROPERTY_BITFLAGS)) {
		if (!expect(reader, &flag, CLI_JSON_BOOL, "bitflags"))
			return false;
		definition->bitflags = *flag.at == 't';
	}
	return read_variants(reader, found->of[PROPERTY_VARIANTS], offset,
	                     definition);
}

/* ------------------------------------------------------------------ unions */

static bool read_union(struct reader *reader, const struct properties *found,
                       struct bendec_definition *definition)
{
	const char **names;

	if (!has(found, PROPERTY_DISCRIMINATOR))
		return refuse(reader, "is a union without \"discriminator\"");
	if (!read_names(reader, found->of[PROPERTY_DISCRIMINATOR],
	                "discriminator", &definition->path,
	                &definition->path_length) ||
	    !read_names(reader, found->of[PROPERTY_MEMBERS], "members", &names,
	                &definition->member_count))
		return false;
	if (definition->path_length == 0)
		return refuse(reader, "\"discriminator\" is empty");
	if (definition->member_count == 0)
		return refuse(reader, "is a union without members");
	definition->members = bendec_alloc(reader->schema,
	                                   definition->member_count,
	                                   sizeof(*definition->members));
	if (definition->members == NULL)
		return bendec_no_memory(reader->error);
	for (size_t i = 0; i < definition->member_count; i++)
		definition->members[i].name = names[i];
	return true;
}

/* ------------------------------------------------------------- definitions */

static const char *const form_names[] = {
	[BENDEC_PRIMITIVE] = "Primitive", [BENDEC_ALIAS] = "Alias",
	[BENDEC_STRUCT] = "Struct",       [BENDEC_ENUM] = "Enum",
	[BENDEC_UNION] = "Union",         [BENDEC_ARRAY] = "Array",
};

/* The properties by which a definition of each form is recognised. */
static const char *const form_marks[] = {
	[BENDEC_PRIMITIVE] = "\"size\"",
	[BENDEC_ALIAS] = "\"alias\"",
	[BENDEC_STRUCT] = "\"fields\"",
	[BENDEC_ENUM] = "\"variants\"",
	[BENDEC_UNION] = "\"members\"",
	[BENDEC_ARRAY] = "\"type\" and \"length\"",
};

/* The form of a definition by its properties, in the order in which Bendec
 * looks at them; 0 for none. */
static enum bendec_form form_by_properties(const struct properties *found)
{
	if (has(found, PROPERTY_SIZE))
		return BENDEC_PRIMITIVE;
	if (has(found, PROPERTY_TYPE) && has(found, PROPERTY_LENGTH))
		return BENDEC_ARRAY;
	if (has(found, PROPERTY_ALIAS))
		return BENDEC_ALIAS;
	if (has(found, PROPERTY_FIELDS))
		return BENDEC_STRUCT;
	if (has(found, PROPERTY_VARIANTS))
		return BENDEC_ENUM;
	if (has(found, PROPERTY_MEMBERS))
		return BENDEC_UNION;
	return (enum bendec_form)0;
}

/* Checks "kind", a name or a number, against what the properties say. */
static bool check_kind(struct reader *reader, struct cli_json_scan scan,
                       enum bendec_form form)
{
	struct cli_json_span span = cli_json_take_value(&scan);
	struct cli_json_span inside = {span.bytes + 1, span.size_bytes - 2};
	struct cli_quoted quoted;

	for (int i = BENDEC_PRIMITIVE; i <= BENDEC_ARRAY; i++) {
		bool named = *span.bytes == '"' &&
		             cli_json_string_is(inside, form_names[i]);
		bool numbered = span.size_bytes == 1 && *span.bytes == '0' + i;

		if (!named && !numbered)
			continue;
		if (i == (int)form)
			return true;
		if (form == 0)
			return refuse(reader,
			              "\"kind\" is %s, but it has no %s",
			              form_names[i], form_marks[i]);
		return refuse(reader,
		              "\"kind\" is %s, but its properties make "
		              "it %s to Bendec",
		              form_names[i], form_names[form]);
	}
	return refuse(reader,
	              "unknown \"kind\" %s: Bendec has %s, %s, %s, %s, %s and "
	              "%s",
	              cli_quote_bytes(&quoted, span.bytes, span.size_bytes),
	              form_names[1], form_names[2], form_names[3],
	              form_names[4], form_names[5], form_names[6]);
}

static bool read_form(struct reader *reader, const struct properties *found,
                      struct bendec_definition *definition)
{
	switch (definition->form) {
	case BENDEC_PRIMITIVE:
		return read_count(reader, found->of[PROPERTY_SIZE], "size",
		                  &definition->size_bytes);
	case BENDEC_ARRAY:
		return read_name(reader, found->of[PROPERTY_TYPE], "type",
		                 &definition->target) &&
		       read_count(reader, found->of[PROPERTY_LENGTH], "length",
		                  &definition->length) &&
		       (definition->length > 0 ||
		        refuse(reader, "\"length\" of an array must be at "
		                       "least 1"));
	case BENDEC_ALIAS:
		return read_name(reader, found->of[PROPERTY_ALIAS], "alias",
		                 &definition->target);
	case BENDEC_STRUCT:
		return read_struct(reader, found->of[PROPERTY_FIELDS],
		                   definition);
	case BENDEC_ENUM: return read_enum(reader, found, definition);
	case BENDEC_UNION: return read_union(reader, found, definition);
	}
	return refuse(reader, "is no type: it has none of \"size\", \"alias\", "
	                      "\"fields\", \"variants\", \"members\", nor "
	                      "\"type\" and \"length\"");
}

/* A second definition of a name must mean the same as the first. */
static bool check_again(struct reader *reader,
                        const struct bendec_definition *definition,
                        const struct bendec_definition *other)
{
	const char *difference = bendec_difference(definition, other);
	struct cli_quoted quoted;

	return difference == NULL ||
	       refuse(reader, "is defined in %s as well, with another %s",
	              cli_quote(&quoted, other->file), difference);
}

static bool read_definition(struct reader *reader, struct cli_json_scan scan)
{
	struct bendec_definition *definition = bendec_alloc(
		reader->schema, 1, sizeof(*definition));
	const struct bendec_definition *other;
	struct properties found;

	if (definition == NULL)
		return bendec_no_memory(reader->error);
	if (cli_json_kind(&scan) != CLI_JSON_OBJECT)
		return refuse(reader, "is %s, not an object",
		              cli_json_kind_name(cli_json_kind(&scan)));
	find_properties(scan, &found);
	if (!has(&found, PROPERTY_NAME))
		return refuse(reader, "has no \"name\"");
	if (!read_name(reader, found.of[PROPERTY_NAME], "name",
	               &definition->name))
		return false;
	reader->name = definition->name;
	definition->file = reader->file;
	definition->form = form_by_properties(&found);
	if (has_value(&found, PROPERTY_KIND) &&
	    !check_kind(reader, found.of[PROPERTY_KIND], definition->form))
		return false;
	if (!read_form(reader, &found, definition))
		return false;
	other = bendec_lookup(reader->schema, definition->name);
	if (other != NULL)
		return check_again(reader, definition, other);
	return bendec_define(reader->schema, definition) ||
	       bendec_no_memory(reader->error);
}

/* "line 3, byte 7". */
static bool refuse_text(struct reader *reader, const char *text,
                        const struct cli_json_error *json)
{
	size_t line = 1;
	size_t start = 0;

	for (size_t i = 0; i < json->offset; i++) {
		if (text[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	bendec_report(reader->error, CLI_BENDEC_BAD_DEFINITION, reader->file,
	              "not JSON: %s at line %zu, byte %zu", json->reason, line,
	              json->offset - start + 1);
	return false;
}

bool cli_bendec_add(struct cli_bendec *schema, const char *file,
                    const char *text, size_t size_bytes,
                    struct cli_bendec_error *error_out)
{
	struct reader reader = {
		.schema = schema, .file = file, .error = error_out};
	struct cli_json_error json;
	struct cli_json_scan scan;

	if (!cli_json_check(text, size_bytes, &json))
		return refuse_text(&reader, text, &json);
	cli_json_begin(&scan, text, size_bytes);
	reader.number = 1;
	if (cli_json_kind(&scan) == CLI_JSON_OBJECT)
		return read_definition(&reader, scan);
	if (cli_json_kind(&scan) != CLI_JSON_ARRAY) {
		bendec_report(error_out, CLI_BENDEC_BAD_DEFINITION, file,
		              "expected an array of definitions, found %s",
		              cli_json_kind_name(cli_json_kind(&scan)));
		return false;
	}
	cli_json_enter(&scan);
	for (; cli_json_next_element(&scan); reader.number++) {
		reader.name = NULL;
		reader.part = NULL;
		if (!read_definition(&reader, scan))
			return false;
		(void)cli_json_take_value(&scan);
	}
	return true;
}
