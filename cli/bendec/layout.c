/*
 * Computes the steps of a struct: its values in sequence, with the JSON text
 * between them.
 *
 * Decoding then walks one flat list where the definition has structs in
 * structs.  Small structs are inlined into the list of the outer one; a large
 * one stays a step of its own, so that no definition can make the lists much
 * longer than it is itself.
 */
#include "internal.h"

/* The limits of a struct that is inlined. */
#define STEPS_MAX 32u
#define TEXT_MAX 256u
/* The limit of all inlined structs together. */
#define TOTAL_MAX 65536u

static bool is_taken_in(const struct cli_bendec *schema,
                        const struct cli_bendec_type *type)
{
	size_t text_bytes;

	if (type->kind != CLI_BENDEC_STRUCT || type->step_count > STEPS_MAX ||
	    schema->steps + type->step_count > TOTAL_MAX)
		return false;
	text_bytes = type->tail.size_bytes;
	if (type->step_count > 0)
		text_bytes += type->steps[0].lead.size_bytes;
	return text_bytes <= TEXT_MAX;
}

/* Appends one text to another; false if memory is short. */
static bool join(struct cli_bendec *schema, struct cli_bendec_text *text,
                 struct cli_bendec_text more)
{
	size_t size_bytes = text->size_bytes + more.size_bytes;
	unsigned char *bytes = bendec_alloc(schema,
	                                    size_bytes + CLI_BENDEC_BLOCK, 1);

	if (bytes == NULL)
		return false;
	if (text->size_bytes > 0)
		memcpy(bytes, text->bytes, text->size_bytes);
	if (more.size_bytes > 0)
		memcpy(bytes + text->size_bytes, more.bytes, more.size_bytes);
	*text = (struct cli_bendec_text){bytes, size_bytes};
	return true;
}

static struct cli_bendec_text text_of(const char *text)
{
	return (struct cli_bendec_text){(const unsigned char *)text,
	                                strlen(text)};
}

/* Inlines the steps of a field that is a struct. */
static bool take_in(struct cli_bendec *schema,
                    const struct cli_bendec_field *field,
                    struct cli_bendec_step *steps, struct cli_bendec_text *tail)
{
	const struct cli_bendec_type *inner = field->type;

	schema->steps += inner->step_count;
	for (size_t i = 0; i < inner->step_count; i++) {
		steps[i] = inner->steps[i];
		steps[i].offset += field->offset;
	}
	if (inner->step_count == 0)
		return join(schema, tail, inner->tail);
	if (!join(schema, tail, inner->steps[0].lead))
		return false;
	steps[0].lead = *tail;
	*tail = inner->tail;
	return true;
}

/* Fills the steps; the text behind the last step so far is kept in the tail. */
static bool fill_steps(struct cli_bendec *schema, struct cli_bendec_type *type,
                       const bool *taken, struct cli_bendec_step *steps)
{
	for (size_t i = 0; i < type->field_count; i++) {
		const struct cli_bendec_field *field = &type->fields[i];

		if (!join(schema, &type->tail, field->lead))
			return false;
		if (taken[i]) {
			if (!take_in(schema, field, steps, &type->tail))
				return false;
			steps += field->type->step_count;
			continue;
		}
		*steps++ = (struct cli_bendec_step){.lead = type->tail,
		                                    .type = field->type,
		                                    .kind = field->type->kind,
		                                    .offset = field->offset};
		type->tail = text_of("");
	}
	return join(schema, &type->tail,
	            text_of(type->field_count > 0 ? "}" : "{}"));
}

bool bendec_make_steps(struct cli_bendec *schema, struct cli_bendec_type *type,
                       struct cli_bendec_error *error)
{
	bool *taken = bendec_alloc(schema, type->field_count, sizeof(*taken));
	struct cli_bendec_step *steps;
	size_t inside = 0;

	if (taken == NULL)
		return bendec_no_memory(error);
	for (size_t i = 0; i < type->field_count; i++) {
		const struct cli_bendec_type *inner = type->fields[i].type;

		taken[i] = inside < TOTAL_MAX && is_taken_in(schema, inner);
		type->step_count += taken[i] ? inner->step_count : 1;
		inside += taken[i] ? inner->step_count : 0;
	}
	steps = bendec_alloc(schema, type->step_count, sizeof(*steps));
	if (steps == NULL || !fill_steps(schema, type, taken, steps))
		return bendec_no_memory(error);
	type->steps = steps;
	return true;
}
