/* The inside of a schema, for the files of this folder alone. */
#ifndef CLI_BENDEC_SCHEMA_H
#define CLI_BENDEC_SCHEMA_H

#include "arena.h"
#include "bendec.h"
#include "floats.h"

#include <string.h>

/* The kinds of definitions, as Bendec numbers them. */
enum bendec_form {
	BENDEC_PRIMITIVE = 1,
	BENDEC_ALIAS,
	BENDEC_STRUCT,
	BENDEC_ENUM,
	BENDEC_UNION,
	BENDEC_ARRAY,
};

/* A definition as it was read, and its type once it is resolved. */
struct bendec_definition {
	enum bendec_form form;
	const char *name;
	const char *file;
	const char *target;  /* the type that an alias stands for, the element
			      * of an array, the integer under an enum */
	uint32_t size_bytes; /* of a primitive */
	uint32_t length;     /* of an array */
	bool bitflags;
	struct cli_bendec_field *fields;
	size_t field_count;
	struct cli_bendec_variant *variants;
	struct cli_json_integer *numbers; /* the variants' values */
	size_t variant_count;
	struct cli_bendec_member *members;
	size_t member_count;
	const char **path;
	size_t path_length;

	bool active; /* is being resolved; to meet it again is a cycle */
	const struct bendec_definition
		*user; /* active definition that uses this one */
	bool used;     /* by another definition */
	const struct cli_bendec_type *type; /* NULL until it is resolved */
};

/* The predefined primitives: the kinds up to CLI_BENDEC_BOOL. */
#define BENDEC_KNOWN_COUNT (CLI_BENDEC_BOOL + 1)

struct cli_bendec {
	struct cli_arena arena; /* memory that goes with the schema */
	struct bendec_definition **definitions;
	size_t count;
	size_t capacity;
	struct bendec_definition **table; /* by hash; a power of two */
	size_t table_size;
	const struct cli_bendec_type *primitives[BENDEC_KNOWN_COUNT];
	struct cli_powers *powers;
	size_t depth; /* of definitions that are active */
	size_t steps; /* that were taken from structs inside structs */
};

/* The largest frame, which bounds sizes and lengths. */
#define BENDEC_MOST_BYTES 65531u
/* The longest name. */
#define BENDEC_NAME_MAX 255u
/* The most levels of types inside types and of aliases, which bound the
 * recursion. */
#define BENDEC_DEPTH_MAX 200u
/* A type whose JSON may be longer is refused: a small definition can describe
 * enormous values. */
#define BENDEC_JSON_MAX (UINT64_C(16) << 20)

/* Allocates zeroed memory that is freed with the schema; NULL if memory is
 * short. */
void *bendec_alloc(struct cli_bendec *schema, size_t count, size_t size_bytes);

/* Names the property in which two definitions of one name differ, as in "kind"
 * or "\"fields\""; NULL if they mean the same. */
const char *bendec_difference(const struct bendec_definition *a,
                              const struct bendec_definition *b);

/* Adds a definition whose name is new.  False if memory is short. */
bool bendec_define(struct cli_bendec *schema,
                   struct bendec_definition *definition);
struct bendec_definition *bendec_lookup(const struct cli_bendec *schema,
                                        const char *name);

/* Fills the error. */
void bendec_report(struct cli_bendec_error *error,
                   enum cli_bendec_failure failure, const char *file,
                   const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Reports that memory is short, and returns false. */
static inline bool bendec_no_memory(struct cli_bendec_error *error)
{
	bendec_report(error, CLI_BENDEC_NO_MEMORY, NULL, "not enough memory");
	return false;
}

/* Stores the bits of an integer of this kind; false if it does not fit. */
bool bendec_bits(enum cli_bendec_kind kind, struct cli_json_integer integer,
                 uint64_t *bits_out);
/* "0 to 255", in the caller's buffer. */
struct bendec_range {
	char text[64];
};
const char *bendec_range_text(struct bendec_range *buffer,
                              enum cli_bendec_kind kind);

/* The size of a value of a kind up to CLI_BENDEC_BOOL. */
uint32_t bendec_kind_bytes(enum cli_bendec_kind kind);

const struct cli_bendec_variant *
bendec_variant_by_name(const struct cli_bendec_type *type, const char *name,
                       size_t name_bytes);
/* _search_ finds the last variant of a value by bisection.  Most enums count up
 * from their first value, so _by_value usually finds it at the first guess. */
const struct cli_bendec_variant *
bendec_search_variant(const struct cli_bendec_type *type, uint64_t value);
const struct cli_bendec_member *
bendec_search_member(const struct cli_bendec_type *type, uint64_t value);

static inline const struct cli_bendec_variant *
bendec_variant_by_value(const struct cli_bendec_type *type, uint64_t value)
{
	uint64_t guess;

	if (type->value_count == 0)
		return NULL;
	guess = value - type->by_value[0]->value;
	if (guess < type->value_count && type->by_value[guess]->value == value)
		return type->by_value[guess];
	return bendec_search_variant(type, value);
}

static inline const struct cli_bendec_member *
bendec_member_by_value(const struct cli_bendec_type *type, uint64_t value)
{
	uint64_t guess = value - type->by_discriminator[0]->value;

	if (guess < type->discriminator_count &&
	    type->by_discriminator[guess]->value == value)
		return type->by_discriminator[guess];
	return bendec_search_member(type, value);
}

/* Computes the steps of a struct whose fields are known. */
bool bendec_make_steps(struct cli_bendec *schema, struct cli_bendec_type *type,
                       struct cli_bendec_error *error);

/* Compares a name with one that may have any bytes; returns as strcmp(3)
 * does. */
static inline int bendec_compare_name(const char *name, const void *other,
                                      size_t other_bytes)
{
	size_t bytes = strlen(name);
	int order = memcmp(name, other,
	                   bytes < other_bytes ? bytes : other_bytes);

	return order != 0 ? order
	                  : (bytes > other_bytes) - (bytes < other_bytes);
}

static inline uint64_t bendec_load(const unsigned char *bytes, uint32_t size)
{
	switch (size) {
	case 1: return bytes[0];
	case 2: return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8;
	case 4:
		return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 |
		       (uint64_t)bytes[2] << 16 | (uint64_t)bytes[3] << 24;
	default:
		return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 |
		       (uint64_t)bytes[2] << 16 | (uint64_t)bytes[3] << 24 |
		       (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
		       (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
	}
}

static inline void bendec_store(unsigned char *bytes, uint32_t size,
                                uint64_t bits)
{
	for (uint32_t i = 0; i < size; i++, bits >>= 8)
		bytes[i] = (unsigned char)bits;
}

#endif
