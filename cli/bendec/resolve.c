/*
 * Resolves definitions to descriptions of types.  Every name is looked up here,
 * once, and impossible definitions are refused.
 */
#include "base64.h"
#include "escape.h"
#include "internal.h"

#include "bounded_text.h"
#include "spelling.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct resolver {
	struct cli_bendec *schema;
	struct cli_bendec_error *error;
	struct bendec_definition *definition; /* the one being resolved */
	const char *part; /* "field", "variant", "member", or NULL */
	const char *part_name;
};

/* "type 'Trade', field 'price': " and the rest. */
__attribute__((format(printf, 2, 3))) static bool
refuse(struct resolver *resolver, const char *format, ...)
{
	struct cli_quoted name;
	struct cli_quoted part_name;
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	cli_quote(&name, resolver->definition->name);
	if (resolver->part == NULL) {
		bendec_report(resolver->error, CLI_BENDEC_BAD_DEFINITION,
		              resolver->definition->file, "type %s: %s",
		              name.text, text);
		return false;
	}
	cli_quote(&part_name, resolver->part_name);
	bendec_report(resolver->error, CLI_BENDEC_BAD_DEFINITION,
	              resolver->definition->file, "type %s, %s %s: %s",
	              name.text, resolver->part, part_name.text, text);
	return false;
}

/* ---------------------------------------------------------- ready-made JSON */

/* `before`, a name as a JSON string, `after`. */
static bool make_text(struct resolver *resolver, const char *before,
                      const char *name, const char *after,
                      struct cli_bendec_text *text_out)
{
	size_t room = strlen(before) + strlen(name) * CLI_ESCAPE_JSON_MAX +
	              strlen(after) + 2 + CLI_BENDEC_BLOCK;
	unsigned char *bytes = bendec_alloc(resolver->schema, room, 1);
	unsigned char *at = bytes;

	if (bytes == NULL)
		return bendec_no_memory(resolver->error);
	memcpy(at, before, strlen(before));
	at += strlen(before);
	*at++ = '"';
	at += cli_escape_json(at, (const unsigned char *)name, strlen(name));
	*at++ = '"';
	memcpy(at, after, strlen(after));
	at += strlen(after);
	*text_out = (struct cli_bendec_text){bytes, (size_t)(at - bytes)};
	return true;
}

/* -------------------------------------------------------------- primitives */

static const char *last_segment(const char *name)
{
	const char *point = strrchr(name, '.');

	return point != NULL ? point + 1 : name;
}

/* The kind of the predefined primitive of a name; char is a byte. */
static bool find_primitive(const char *name, enum cli_bendec_kind *kind_out)
{
	if (strcmp(name, "char") == 0) {
		*kind_out = CLI_BENDEC_U8;
		return true;
	}
	for (int kind = 0; kind < BENDEC_KNOWN_COUNT; kind++) {
		if (strcmp(name, cli_bendec_kind_name(
					 (enum cli_bendec_kind)kind)) == 0) {
			*kind_out = (enum cli_bendec_kind)kind;
			return true;
		}
	}
	return false;
}

static struct cli_bendec_type *make_type(struct resolver *resolver,
                                         enum cli_bendec_kind kind,
                                         const char *name, uint32_t size_bytes)
{
	struct cli_bendec_type *type = bendec_alloc(resolver->schema, 1,
	                                            sizeof(*type));

	if (type == NULL) {
		(void)bendec_no_memory(resolver->error);
		return NULL;
	}
	type->kind = kind;
	type->name = name;
	type->size_bytes = size_bytes;
	type->depth = 1;
	return type;
}

/* The length of {"base64":"..."} without the digits. */
#define BASE64_BYTES 13u

static struct cli_bendec_type *make_primitive(struct resolver *resolver,
                                              enum cli_bendec_kind kind,
                                              const char *name,
                                              uint32_t size_bytes)
{
	struct cli_bendec_type *type = make_type(resolver, kind, name,
	                                         size_bytes);

	if (type != NULL)
		type->json_bytes = kind == CLI_BENDEC_BYTES
		                           ? BASE64_BYTES +
		                                     cli_base64_size(size_bytes)
		                           : 32;
	return type;
}

/* The type of a predefined primitive. */
static const struct cli_bendec_type *known_primitive(struct resolver *resolver,
                                                     enum cli_bendec_kind kind)
{
	const struct cli_bendec_type **known =
		&resolver->schema->primitives[kind];

	if (*known == NULL)
		*known = make_primitive(resolver, kind,
		                        cli_bendec_kind_name(kind),
		                        bendec_kind_bytes(kind));
	return *known;
}

static const struct cli_bendec_type *
resolve_primitive(struct resolver *resolver,
                  const struct bendec_definition *definition)
{
	bool plain = strchr(definition->name, '.') == NULL;
	enum cli_bendec_kind kind;

	if (definition->size_bytes == 0) {
		(void)refuse(resolver, "\"size\" must be at least 1");
		return NULL;
	}
	if (!find_primitive(last_segment(definition->name), &kind)) {
		kind = CLI_BENDEC_BYTES;
	} else if (bendec_kind_bytes(kind) != definition->size_bytes) {
		if (plain) {
			(void)refuse(resolver,
			             "\"size\" is %" PRIu32
			             ", but %s has %" PRIu32,
			             definition->size_bytes, definition->name,
			             bendec_kind_bytes(kind));
			return NULL;
		}
		kind = CLI_BENDEC_BYTES;
	}
	return make_primitive(resolver, kind, definition->name,
	                      definition->size_bytes);
}

/* -------------------------------------------------------------- references */

static const struct cli_bendec_type *resolve(struct resolver *resolver,
                                             struct bendec_definition *to);

/* Finds the definition that a name means in the definition being resolved; NULL
 * if there is none: the name may be a predefined primitive. */
static struct bendec_definition *look_up(const struct resolver *resolver,
                                         const char *name)
{
	const char *own = resolver->definition->name;
	size_t space_bytes = (size_t)(last_segment(own) - own);
	char qualified[2 * BENDEC_NAME_MAX + 2];
	struct bendec_definition *found = bendec_lookup(resolver->schema, name);

	if (found != NULL || space_bytes == 0 || strchr(name, '.') != NULL)
		return found;
	memcpy(qualified, own, space_bytes);
	memcpy(qualified + space_bytes, name, strlen(name) + 1);
	return bendec_lookup(resolver->schema, qualified);
}

static const struct cli_bendec_type *refuse_unknown(struct resolver *resolver,
                                                    const char *name)
{
	struct cli_spelling nearest;
	struct cli_quoted quoted;
	struct cli_quoted best;

	cli_spelling_init(&nearest, name, strlen(name));
	for (size_t i = 0; i < resolver->schema->count; i++)
		cli_spelling_offer(&nearest,
		                   resolver->schema->definitions[i]->name);
	for (int kind = 0; kind < BENDEC_KNOWN_COUNT; kind++)
		cli_spelling_offer(
			&nearest,
			cli_bendec_kind_name((enum cli_bendec_kind)kind));
	cli_quote(&quoted, name);
	if (nearest.best == NULL)
		(void)refuse(resolver, "unknown type %s", quoted.text);
	else
		(void)refuse(resolver, "unknown type %s; did you mean %s?",
		             quoted.text, cli_quote(&best, nearest.best));
	return NULL;
}

/* An alias whose name is that of a predefined primitive is read as that
 * primitive where it is used by this name: char for text, bool for true and
 * false. */
static const struct cli_bendec_type *
resolve_known_alias(struct resolver *resolver, const char *name,
                    const struct cli_bendec_type *type)
{
	enum cli_bendec_kind kind;

	if (!find_primitive(last_segment(name), &kind) ||
	    type->kind > CLI_BENDEC_BYTES || kind == type->kind ||
	    bendec_kind_bytes(kind) != type->size_bytes)
		return type;
	return known_primitive(resolver, kind);
}

/* The type of that name. */
static const struct cli_bendec_type *resolve_name(struct resolver *resolver,
                                                  const char *name)
{
	struct bendec_definition *found = look_up(resolver, name);
	const struct cli_bendec_type *type;
	enum cli_bendec_kind kind;

	if (found == NULL && find_primitive(name, &kind))
		return known_primitive(resolver, kind);
	if (found == NULL)
		return refuse_unknown(resolver, name);
	found->used = true;
	type = resolve(resolver, found);
	if (type == NULL || found->form != BENDEC_ALIAS)
		return type;
	return resolve_known_alias(resolver, found->name, type);
}

/* ------------------------------------------------------------------ arrays */

/* Whether an array of the type of this name is text: Bendec decides by the
 * name. */
static bool is_char(const char *name, const struct cli_bendec_type *type)
{
	return strcmp(last_segment(name), "char") == 0 &&
	       type->kind <= CLI_BENDEC_BYTES && type->size_bytes == 1;
}

static bool check_limits(struct resolver *resolver, uint64_t size_bytes,
                         const struct cli_bendec_type *type)
{
	if (size_bytes > BENDEC_MOST_BYTES)
		return refuse(resolver,
		              "%" PRIu64 " bytes are more than the %u that a "
		              "frame holds",
		              size_bytes, BENDEC_MOST_BYTES);
	if (type->json_bytes > BENDEC_JSON_MAX)
		return refuse(resolver,
		              "can take more than %" PRIu64 " MiB as JSON",
		              BENDEC_JSON_MAX >> 20);
	if (type->depth > BENDEC_DEPTH_MAX)
		return refuse(resolver,
		              "has more than %u levels of types in "
		              "types",
		              BENDEC_DEPTH_MAX);
	return true;
}

static const struct cli_bendec_type *make_array(struct resolver *resolver,
                                                const char *name,
                                                const char *element_name,
                                                uint32_t length)
{
	const struct cli_bendec_type *element = resolve_name(resolver,
	                                                     element_name);
	struct cli_bendec_type *type;
	uint64_t size_bytes;

	if (element == NULL)
		return NULL;
	if (element->kind == CLI_BENDEC_UNION) {
		(void)refuse(resolver, "is an array of a union, which Bendec "
		                       "cannot read");
		return NULL;
	}
	size_bytes = (uint64_t)element->size_bytes * length;
	type = make_type(resolver, CLI_BENDEC_ARRAY, name,
	                 (uint32_t)size_bytes);
	if (type == NULL)
		return NULL;
	type->length = length;
	type->element = element;
	type->element_name = element_name;
	type->depth = element->depth + 1;
	type->json_bytes = 2 + (element->json_bytes + 1) * length;
	if (is_char(element_name, element)) {
		type->kind = CLI_BENDEC_TEXT;
		type->json_bytes = BASE64_BYTES + CLI_ESCAPE_JSON_MAX * length;
	}
	return check_limits(resolver, size_bytes, type) ? type : NULL;
}

/* ----------------------------------------------------------------- structs */

static int compare_fields(const void *a, const void *b)
{
	const struct cli_bendec_field *const *left = a;
	const struct cli_bendec_field *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static bool sort_fields(struct resolver *resolver, struct cli_bendec_type *type)
{
	const struct cli_bendec_field **sorted = bendec_alloc(
		resolver->schema, type->field_count, sizeof(*sorted));

	if (sorted == NULL)
		return bendec_no_memory(resolver->error);
	for (size_t i = 0; i < type->field_count; i++)
		sorted[i] = &type->fields[i];
	qsort(sorted, type->field_count, sizeof(*sorted), compare_fields);
	type->by_field_name = sorted;
	for (size_t i = 1; i < type->field_count; i++) {
		if (strcmp(sorted[i - 1]->name, sorted[i]->name) != 0)
			continue;
		resolver->part = "field";
		resolver->part_name = sorted[i]->name;
		return refuse(resolver, "is defined twice");
	}
	return true;
}

/* Finds a name for the member that holds the bytes behind the struct. */
static bool name_extra(struct resolver *resolver, struct cli_bendec_type *type)
{
	/* Each field takes one name away at most. */
	char *name = bendec_alloc(resolver->schema, type->field_count + 6, 1);
	struct cli_bendec_field wanted = {.name = name};
	const struct cli_bendec_field *key = &wanted;

	if (name == NULL)
		return bendec_no_memory(resolver->error);
	memcpy(name, "extra", 6);
	while (bsearch(&key, type->by_field_name, type->field_count,
	               sizeof(*type->by_field_name), compare_fields) != NULL)
		memcpy(name + strlen(name), "_", 2);
	type->extra_name = name;
	return make_text(resolver, type->field_count > 0 ? "," : "", name,
	                 ":\"", &type->extra_lead);
}

/* A field's type, and its lead. */
static bool resolve_field(struct resolver *resolver,
                          struct cli_bendec_field *field, bool first)
{
	resolver->part = "field";
	resolver->part_name = field->name;
	if (field->length > 0)
		field->type = make_array(resolver, NULL, field->type_name,
		                         field->length);
	else
		field->type = resolve_name(resolver, field->type_name);
	if (field->type == NULL)
		return false;
	if (field->type->kind == CLI_BENDEC_UNION)
		return refuse(resolver, "is a union, which Bendec cannot read "
		                        "inside a struct");
	return make_text(resolver, first ? "{" : ",", field->name, ":",
	                 &field->lead);
}

static const struct cli_bendec_type *
resolve_struct(struct resolver *resolver, struct bendec_definition *definition)
{
	struct cli_bendec_type *type = make_type(resolver, CLI_BENDEC_STRUCT,
	                                         definition->name, 0);
	uint64_t size_bytes = 0;

	if (type == NULL)
		return NULL;
	type->fields = definition->fields;
	type->field_count = definition->field_count;
	type->json_bytes = 2;
	for (size_t i = 0; i < type->field_count; i++) {
		struct cli_bendec_field *field = &definition->fields[i];

		if (!resolve_field(resolver, field, i == 0))
			return NULL;
		field->offset = (uint32_t)size_bytes;
		size_bytes += field->type->size_bytes;
		type->json_bytes += field->lead.size_bytes +
		                    field->type->json_bytes;
		if (field->type->depth >= type->depth)
			type->depth = field->type->depth + 1;
		if (!check_limits(resolver, size_bytes, type))
			return NULL;
	}
	resolver->part = NULL;
	type->size_bytes = (uint32_t)size_bytes;
	if (!sort_fields(resolver, type) || !name_extra(resolver, type) ||
	    !bendec_make_steps(resolver->schema, type, resolver->error))
		return NULL;
	return type;
}

/* ------------------------------------------------------------------- enums */

static int compare_names(const void *a, const void *b)
{
	const struct cli_bendec_variant *const *left = a;
	const struct cli_bendec_variant *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

/* By value, and those of equal value in the order of the definition. */
static int compare_values(const void *a, const void *b)
{
	const struct cli_bendec_variant *const *left = a;
	const struct cli_bendec_variant *const *right = b;

	if ((*left)->value != (*right)->value)
		return (*left)->value < (*right)->value ? -1 : 1;
	return (*left > *right) - (*left < *right);
}

static const struct cli_bendec_variant **
sort_variants(struct resolver *resolver, const struct cli_bendec_type *type,
              int (*compare)(const void *, const void *))
{
	const struct cli_bendec_variant **sorted = bendec_alloc(
		resolver->schema, type->variant_count, sizeof(*sorted));

	if (sorted == NULL) {
		(void)bendec_no_memory(resolver->error);
		return NULL;
	}
	for (size_t i = 0; i < type->variant_count; i++)
		sorted[i] = &type->variants[i];
	qsort(sorted, type->variant_count, sizeof(*sorted), compare);
	return sorted;
}

static bool index_variants(struct resolver *resolver,
                           struct cli_bendec_type *type)
{
	size_t kept = 0;

	type->by_name = sort_variants(resolver, type, compare_names);
	type->by_value = sort_variants(resolver, type, compare_values);
	if (type->by_name == NULL || type->by_value == NULL)
		return false;
	for (size_t i = 1; i < type->variant_count; i++) {
		if (strcmp(type->by_name[i - 1]->name,
		           type->by_name[i]->name) != 0)
			continue;
		resolver->part = "variant";
		resolver->part_name = type->by_name[i]->name;
		return refuse(resolver, "is defined twice");
	}
	for (size_t i = 0; i < type->variant_count; i++) {
		if (kept > 0 &&
		    type->by_value[kept - 1]->value == type->by_value[i]->value)
			kept--;
		type->by_value[kept++] = type->by_value[i];
	}
	type->value_count = kept;
	return true;
}

/* Checks the variants' values, and makes their texts. */
static bool resolve_variants(struct resolver *resolver,
                             struct bendec_definition *definition,
                             struct cli_bendec_type *type)
{
	uint64_t longest = 0;

	for (size_t i = 0; i < definition->variant_count; i++) {
		struct cli_bendec_variant *variant = &definition->variants[i];
		struct cli_json_integer number = definition->numbers[i];
		struct bendec_range range;

		resolver->part = "variant";
		resolver->part_name = variant->name;
		if (!bendec_bits(type->base, number, &variant->value))
			return refuse(
				resolver, "%s%" PRIu64 " does not fit %s, %s",
				number.negative ? "-" : "", number.magnitude,
				cli_bendec_kind_name(type->base),
				bendec_range_text(&range, type->base));
		if (!make_text(resolver, "", variant->name, "",
		               &variant->quoted))
			return false;
		if (variant->quoted.size_bytes > longest)
			longest = variant->quoted.size_bytes;
	}
	resolver->part = NULL;
	/* Flags: one name a bit, brackets, commas, and a number. */
	type->json_bytes = 32 + longest;
	if (type->kind == CLI_BENDEC_FLAGS)
		type->json_bytes = 32 + 64 * (longest + 1);
	return true;
}

static const struct cli_bendec_type *
resolve_enum(struct resolver *resolver, struct bendec_definition *definition)
{
	const struct cli_bendec_type *base = resolve_name(resolver,
	                                                  definition->target);
	struct cli_bendec_type *type;
	struct cli_quoted quoted;

	if (base == NULL)
		return NULL;
	if (base->kind > CLI_BENDEC_I64) {
		(void)refuse(resolver, "its underlying type %s is no integer",
		             cli_quote(&quoted, definition->target));
		return NULL;
	}
	type = make_type(resolver,
	                 definition->bitflags ? CLI_BENDEC_FLAGS
	                                      : CLI_BENDEC_ENUM,
	                 definition->name, base->size_bytes);
	if (type == NULL)
		return NULL;
	type->base = base->kind;
	type->base_name = definition->target;
	type->variants = definition->variants;
	type->variant_count = definition->variant_count;
	return resolve_variants(resolver, definition, type) &&
	                       index_variants(resolver, type)
	               ? type
	               : NULL;
}

/* ------------------------------------------------------------------ unions */

static const struct cli_bendec_field *
find_field(const struct cli_bendec_type *type, const char *name)
{
	struct cli_bendec_field wanted = {.name = name};
	const struct cli_bendec_field *key = &wanted;
	const struct cli_bendec_field *const *found = bsearch(
		&key, type->by_field_name, type->field_count,
		sizeof(*type->by_field_name), compare_fields);

	return found != NULL ? *found : NULL;
}

/* Finds the offset and the type of the discriminator in a member. */
static bool find_discriminator(struct resolver *resolver,
                               const struct bendec_definition *definition,
                               const struct cli_bendec_type *member,
                               const struct cli_bendec_type **type_out,
                               uint32_t *offset_out)
{
	const struct cli_bendec_type *type = member;
	struct cli_quoted name;
	struct cli_quoted inside;

	*offset_out = 0;
	for (size_t i = 0; i < definition->path_length; i++) {
		const struct cli_bendec_field *field;

		cli_quote(&name, definition->path[i]);
		if (type->kind != CLI_BENDEC_STRUCT)
			return refuse(resolver,
			              "the discriminator has no field %s: "
			              "what it is to be in is no struct",
			              name.text);
		field = find_field(type, definition->path[i]);
		if (field == NULL)
			return refuse(resolver,
			              "the discriminator's field %s is not "
			              "in %s",
			              name.text,
			              cli_quote(&inside, type->name));
		*offset_out += field->offset;
		type = field->type;
	}
	if (type->kind != CLI_BENDEC_ENUM && type->kind != CLI_BENDEC_FLAGS)
		return refuse(resolver, "the discriminator, %s, is no enum",
		              name.text);
	*type_out = type;
	return true;
}

static bool resolve_member(struct resolver *resolver,
                           const struct bendec_definition *definition,
                           struct cli_bendec_type *type, size_t n)
{
	struct cli_bendec_member *member = &definition->members[n];
	const struct cli_bendec_type *discriminator;
	uint32_t offset;

	resolver->part = "member";
	resolver->part_name = member->name;
	member->type = resolve_name(resolver, member->name);
	if (member->type == NULL)
		return false;
	if (member->type->kind != CLI_BENDEC_STRUCT)
		return refuse(resolver, "is no struct");
	if (!find_discriminator(resolver, definition, member->type,
	                        &discriminator, &offset))
		return false;
	if (n == 0) {
		type->discriminator = discriminator;
		type->discriminator_offset = offset;
	} else if (discriminator != type->discriminator ||
	           offset != type->discriminator_offset) {
		return refuse(resolver,
		              "its discriminator is %s at offset %" PRIu32
		              ", that of the first member %s at %" PRIu32,
		              discriminator->name, offset,
		              type->discriminator->name,
		              type->discriminator_offset);
	}
	if (member->type->size_bytes > type->size_bytes)
		type->size_bytes = member->type->size_bytes;
	if (member->type->json_bytes > type->json_bytes)
		type->json_bytes = member->type->json_bytes;
	if (member->type->depth >= type->depth)
		type->depth = member->type->depth + 1;
	return make_text(resolver, "", member->name, "", &member->quoted);
}

/* Finds the value of the variant named after a member, in full or without its
 * namespace.  As in Bendec, only the last variant of a value counts. */
static void find_value(const struct cli_bendec_type *type,
                       struct cli_bendec_member *member)
{
	const char *names[] = {member->name, member->type->name,
	                       last_segment(member->name),
	                       last_segment(member->type->name)};

	for (size_t i = 0; i < COUNT_OF(names) && !member->has_value; i++) {
		const struct cli_bendec_variant *variant =
			bendec_variant_by_name(type, names[i],
		                               strlen(names[i]));

		if (variant == NULL ||
		    bendec_variant_by_value(type, variant->value) != variant)
			continue;
		member->value = variant->value;
		member->has_value = true;
	}
}

static int compare_members(const void *a, const void *b)
{
	const struct cli_bendec_member *const *left = a;
	const struct cli_bendec_member *const *right = b;

	return ((*left)->value > (*right)->value) -
	       ((*left)->value < (*right)->value);
}

static bool index_members(struct resolver *resolver,
                          struct bendec_definition *definition,
                          struct cli_bendec_type *type)
{
	const struct cli_bendec_member **sorted = bendec_alloc(
		resolver->schema, type->member_count, sizeof(*sorted));

	if (sorted == NULL)
		return bendec_no_memory(resolver->error);
	for (size_t i = 0; i < type->member_count; i++) {
		struct cli_bendec_member *member = &definition->members[i];

		find_value(type->discriminator, member);
		if (member->has_value)
			sorted[type->discriminator_count++] = member;
	}
	qsort(sorted, type->discriminator_count, sizeof(*sorted),
	      compare_members);
	type->by_discriminator = sorted;
	for (size_t i = 1; i < type->discriminator_count; i++) {
		if (sorted[i - 1]->value == sorted[i]->value) {
			resolver->part = "member";
			resolver->part_name = sorted[i]->name;
			return refuse(resolver, "has the same value of the "
			                        "discriminator as another");
		}
	}
	resolver->part = NULL;
	return type->discriminator_count > 0 ||
	       refuse(resolver, "no variant of the discriminator has the name "
	                        "of a member");
}

static const struct cli_bendec_type *
resolve_union(struct resolver *resolver, struct bendec_definition *definition)
{
	struct cli_bendec_type *type = make_type(resolver, CLI_BENDEC_UNION,
	                                         definition->name, 0);

	if (type == NULL)
		return NULL;
	type->members = definition->members;
	type->member_count = definition->member_count;
	type->path = definition->path;
	type->path_length = definition->path_length;
	for (size_t i = 0; i < definition->member_count; i++) {
		if (!resolve_member(resolver, definition, type, i))
			return NULL;
	}
	resolver->part = NULL;
	return check_limits(resolver, type->size_bytes, type) &&
	                       index_members(resolver, definition, type)
	               ? type
	               : NULL;
}

/* ---------------------------------------------------------------- all of it */

/* "A -> B -> A", from where the circle begins. */
static void refuse_cycle(struct resolver *resolver,
                         struct bendec_definition *to)
{
	const struct bendec_definition *chain[BENDEC_DEPTH_MAX + 1];
	struct cli_quoted quoted;
	size_t count = 0;
	char text[400];
	size_t used;

	for (const struct bendec_definition *at = resolver->definition;
	     at != to && count < BENDEC_DEPTH_MAX; at = at->user)
		chain[count++] = at;
	used = (size_t)snprintf(text, sizeof(text), "%s",
	                        cli_quote(&quoted, to->name));
	while (count > 0 && used < sizeof(text) - 1) {
		int length = snprintf(text + used, sizeof(text) - used, ", %s",
		                      cli_quote(&quoted, chain[--count]->name));

		used += length > 0 ? (size_t)length : 0;
	}
	(void)refuse(resolver, "contains itself: the circle is %s, %s", text,
	             cli_quote(&quoted, to->name));
}

static const struct cli_bendec_type *resolve_form(struct resolver *resolver,
                                                  struct bendec_definition *to)
{
	switch (to->form) {
	case BENDEC_PRIMITIVE: return resolve_primitive(resolver, to);
	case BENDEC_ALIAS: {
		/* An alias stands for the type at the end of its chain.  The
		 * names on the way count for nothing, even those of predefined
		 * primitives. */
		struct bendec_definition *target = look_up(resolver,
		                                           to->target);

		if (target == NULL)
			return resolve_name(resolver, to->target);
		target->used = true;
		return resolve(resolver, target);
	}
	case BENDEC_ARRAY:
		return make_array(resolver, to->name, to->target, to->length);
	case BENDEC_STRUCT: return resolve_struct(resolver, to);
	case BENDEC_ENUM: return resolve_enum(resolver, to);
	case BENDEC_UNION: return resolve_union(resolver, to);
	}
	return NULL;
}

/* Only a number may have a name that Bendec reads as a number. */
static bool check_name(struct resolver *resolver,
                       const struct cli_bendec_type *type)
{
	const char *name = resolver->definition->name;
	enum cli_bendec_kind kind;

	if (!find_primitive(name, &kind))
		return true;
	if (type->kind <= CLI_BENDEC_BYTES &&
	    type->size_bytes == bendec_kind_bytes(kind))
		return true;
	return refuse(resolver, "%s is a primitive of %" PRIu32 " byte%s", name,
	              bendec_kind_bytes(kind),
	              bendec_kind_bytes(kind) == 1 ? "" : "s");
}

static const struct cli_bendec_type *resolve(struct resolver *resolver,
                                             struct bendec_definition *to)
{
	struct resolver inner = {.schema = resolver->schema,
	                         .error = resolver->error,
	                         .definition = to};
	const struct cli_bendec_type *type;

	if (to->type != NULL)
		return to->type;
	if (to->active) {
		refuse_cycle(resolver, to);
		return NULL;
	}
	if (resolver->schema->depth == BENDEC_DEPTH_MAX) {
		(void)refuse(resolver,
		             "has more than %u levels of types in "
		             "types",
		             BENDEC_DEPTH_MAX);
		return NULL;
	}
	to->active = true;
	to->user = resolver->definition;
	resolver->schema->depth++;
	type = resolve_form(&inner, to);
	resolver->schema->depth--;
	to->active = false;
	if (type == NULL || !check_name(&inner, type))
		return NULL;
	to->type = type;
	return type;
}

bool cli_bendec_resolve(struct cli_bendec *schema,
                        struct cli_bendec_error *error_out)
{
	struct resolver resolver = {.schema = schema, .error = error_out};

	for (size_t i = 0; i < schema->count; i++) {
		resolver.definition = schema->definitions[i];
		if (resolve(&resolver, schema->definitions[i]) == NULL)
			return false;
	}
	return true;
}
