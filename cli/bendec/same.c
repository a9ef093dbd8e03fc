/*
 * Tells whether two definitions of one name mean the same.
 *
 * Definitions that several files share, such as that of a header, are often
 * copied into each file.  The definitions are compared as they were read, not
 * as they were written: an offset has been added to the numbers, descriptions
 * are gone, and spellings that mean the same to Bendec are equal.
 */
#include "internal.h"

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool has_same_fields(const struct bendec_definition *a,
                            const struct bendec_definition *b)
{
	if (a->field_count != b->field_count)
		return false;
	for (size_t i = 0; i < a->field_count; i++) {
		if (!is_same_text(a->fields[i].name, b->fields[i].name) ||
		    !is_same_text(a->fields[i].type_name,
		                  b->fields[i].type_name) ||
		    a->fields[i].length != b->fields[i].length)
			return false;
	}
	return true;
}

static bool has_same_variants(const struct bendec_definition *a,
                              const struct bendec_definition *b)
{
	if (a->variant_count != b->variant_count || a->bitflags != b->bitflags)
		return false;
	for (size_t i = 0; i < a->variant_count; i++) {
		if (!is_same_text(a->variants[i].name, b->variants[i].name) ||
		    a->numbers[i].negative != b->numbers[i].negative ||
		    a->numbers[i].magnitude != b->numbers[i].magnitude)
			return false;
	}
	return true;
}

static bool has_same_members(const struct bendec_definition *a,
                             const struct bendec_definition *b)
{
	if (a->member_count != b->member_count)
		return false;
	for (size_t i = 0; i < a->member_count; i++) {
		if (!is_same_text(a->members[i].name, b->members[i].name))
			return false;
	}
	return true;
}

static bool has_same_path(const struct bendec_definition *a,
                          const struct bendec_definition *b)
{
	if (a->path_length != b->path_length)
		return false;
	for (size_t i = 0; i < a->path_length; i++) {
		if (!is_same_text(a->path[i], b->path[i]))
			return false;
	}
	return true;
}

const char *bendec_difference(const struct bendec_definition *a,
                              const struct bendec_definition *b)
{
	if (a->form != b->form)
		return "kind";
	if (a->size_bytes != b->size_bytes)
		return "\"size\"";
	if (a->length != b->length)
		return "\"length\"";
	if (!is_same_text(a->target, b->target))
		return a->form == BENDEC_ENUM    ? "\"underlying\""
		       : a->form == BENDEC_ALIAS ? "\"alias\""
		                                 : "\"type\"";
	if (!has_same_fields(a, b))
		return "\"fields\"";
	if (!has_same_variants(a, b))
		return a->bitflags != b->bitflags ? "\"bitflags\""
		                                  : "\"variants\"";
	if (!has_same_members(a, b))
		return "\"members\"";
	return has_same_path(a, b) ? NULL : "\"discriminator\"";
}
