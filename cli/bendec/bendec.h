/*
 * Bendec's type definitions, and the conversion between the bytes of frames and
 * JSON values by them.
 *
 * This is part of the command line and not of the library: a C program has
 * structs of its own for frames of fixed size.  The shell has none and needs
 * definitions at run time, and it wants JSON, which the library does without.
 *
 * A schema takes definitions from any number of texts, in any order, and is
 * then resolved once: every name is looked up, every size and offset computed,
 * and definitions that are impossible are refused.  The result is one
 * description of each type, struct cli_bendec_type, which decoding, encoding
 * and printing all use.  Values are packed, little-endian, without padding.
 *
 * A name that is not defined as it stands is looked up in the namespace of the
 * definition that uses it, and then among the predefined primitives: u8 to u64,
 * i8 to i64, f32, f64, bool and char.
 */
#ifndef CLI_BENDEC_H
#define CLI_BENDEC_H

#include "json_scan.h"
#include "writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What kind of thing is wrong. */
enum cli_bendec_failure {
	CLI_BENDEC_NO_FAILURE,
	CLI_BENDEC_NO_MEMORY,
	CLI_BENDEC_UNKNOWN_NAME,   /* not the name of a frame type */
	CLI_BENDEC_BAD_DEFINITION, /* impossible definitions */
	CLI_BENDEC_BAD_VALUE,      /* JSON that is no value of the type */
	CLI_BENDEC_MISMATCH,       /* bytes that are no value of the type */
};

/* What is wrong with definitions, with a value or with a frame. */
struct cli_bendec_error {
	enum cli_bendec_failure failure;
	const char *file; /* of the definition, as cli_bendec_add() got it, or
	                   * NULL */
	char text[768];
};

/* ------------------------------------------------------------- description */

/* How a value is read and written.  Numbers with their size come first. */
enum cli_bendec_kind {
	CLI_BENDEC_U8,
	CLI_BENDEC_U16,
	CLI_BENDEC_U32,
	CLI_BENDEC_U64,
	CLI_BENDEC_I8,
	CLI_BENDEC_I16,
	CLI_BENDEC_I32,
	CLI_BENDEC_I64,
	CLI_BENDEC_F32,
	CLI_BENDEC_F64,
	CLI_BENDEC_BOOL,
	CLI_BENDEC_BYTES, /* a primitive that is not predefined */
	CLI_BENDEC_ENUM,
	CLI_BENDEC_FLAGS, /* an enum whose variants are bits */
	CLI_BENDEC_TEXT,  /* an array of char */
	CLI_BENDEC_ARRAY,
	CLI_BENDEC_STRUCT,
	CLI_BENDEC_UNION,
};

/* Ready JSON text, in blocks of CLI_BENDEC_BLOCK bytes: the last block is
 * readable to its end. */
struct cli_bendec_text {
	const unsigned char *bytes;
	size_t size_bytes;
};
#define CLI_BENDEC_BLOCK 16u

struct cli_bendec_field {
	const char *name;
	const char *type_name; /* as the definition spells it */
	uint32_t length;       /* 0 for a field that is no array */
	uint32_t offset;       /* in the struct */
	const struct cli_bendec_type *type;
	struct cli_bendec_text lead; /* {"name": or ,"name": */
};

/* A value in a struct, or in a struct inside it: decoding walks a list of
 * these. */
struct cli_bendec_step {
	struct cli_bendec_text lead; /* the JSON before it */
	const struct cli_bendec_type *type;
	enum cli_bendec_kind kind; /* its type's */
	uint32_t offset;           /* in the outermost struct */
};

struct cli_bendec_variant {
	const char *name;
	uint64_t value; /* the offset added; as many bits as the enum has */
	struct cli_bendec_text quoted;
};

struct cli_bendec_member {
	const char *name;                   /* as the definition spells it */
	const struct cli_bendec_type *type; /* a struct */
	uint64_t value; /* of the discriminator, if `has_value` */
	bool has_value; /* a variant has the member's name */
	struct cli_bendec_text quoted;
};

struct cli_bendec_type {
	enum cli_bendec_kind kind;
	const char *name;    /* NULL for the array that a field makes */
	uint32_t size_bytes; /* of a union: of the largest member */
	uint32_t depth;      /* levels of types in it, itself included */
	uint64_t json_bytes; /* that its JSON takes at most */

	/* TEXT, ARRAY */
	uint32_t length;
	const struct cli_bendec_type *element;
	const char *element_name; /* as the definition spells it */

	/* ENUM, FLAGS */
	enum cli_bendec_kind base; /* U8 to I64 */
	const char *base_name;     /* as the definition spells it */
	const struct cli_bendec_variant *variants; /* as defined */
	size_t variant_count;
	/* Sorted by value; of several variants with the same value only the
	 * last. */
	const struct cli_bendec_variant **by_value;
	size_t value_count;
	const struct cli_bendec_variant **by_name;

	/* STRUCT */
	const struct cli_bendec_field *fields;
	size_t field_count;
	const struct cli_bendec_field **by_field_name; /* ascending */
	/* The name of the member that holds the bytes behind the struct:
	 * "extra", with underscores added as long as a field has that name. */
	const char *extra_name;
	struct cli_bendec_text extra_lead;
	const struct cli_bendec_step *steps;
	size_t step_count;
	struct cli_bendec_text tail; /* what stands behind the last one */

	/* UNION */
	const struct cli_bendec_member *members;
	size_t member_count;
	const struct cli_bendec_member **by_discriminator; /* ascending */
	size_t discriminator_count;
	const char *const *path; /* names of fields, to the discriminator */
	size_t path_length;
	uint32_t discriminator_offset;
	const struct cli_bendec_type *discriminator; /* ENUM or FLAGS */
};

/* "struct", "enum", "u16". */
const char *cli_bendec_kind_name(enum cli_bendec_kind kind);
/* "header.kind", in the caller's buffer. */
struct cli_bendec_path {
	char text[256];
};
const char *cli_bendec_path_text(struct cli_bendec_path *buffer,
                                 const struct cli_bendec_type *type);

/* Converts the bits of an integer kind to sign and magnitude. */
struct cli_json_integer cli_bendec_integer(enum cli_bendec_kind kind,
                                           uint64_t bits);

/* ------------------------------------------------------------- definitions */

struct cli_bendec;

/* NULL if memory is short. */
struct cli_bendec *cli_bendec_new(void);
void cli_bendec_free(struct cli_bendec *schema);

/* Adds the definitions of a text, which is a JSON array of them or a single
 * one.  `file` names the text in errors and must stay. */
bool cli_bendec_add(struct cli_bendec *schema, const char *file,
                    const char *text, size_t size_bytes,
                    struct cli_bendec_error *error_out);

/* Whether a name is defined, before or after resolving. */
bool cli_bendec_defines(const struct cli_bendec *schema, const char *name);

/* Resolves and checks all definitions.  Called once; nothing may be added
 * afterwards. */
bool cli_bendec_resolve(struct cli_bendec *schema,
                        struct cli_bendec_error *error_out);

/* The definitions in the order they were added. */
struct cli_bendec_definition {
	const char *name;
	const char *alias; /* the name that it stands for, or NULL */
	const struct cli_bendec_type *type;
};
size_t cli_bendec_count(const struct cli_bendec *schema);
struct cli_bendec_definition cli_bendec_nth(const struct cli_bendec *schema,
                                            size_t n);

/* Finds the type of frames: the struct or union of a name or alias; for NULL
 * the only union, or the only struct that no other type uses. */
const struct cli_bendec_type *
cli_bendec_choose(const struct cli_bendec *schema, const char *name,
                  struct cli_bendec_error *error_out);
/* Finds any type by its name; false with an error that suggests a similar
 * name. */
bool cli_bendec_find(const struct cli_bendec *schema, const char *name,
                     struct cli_bendec_definition *definition_out,
                     struct cli_bendec_error *error_out);

/* ---------------------------------------------------------------- decoding */

/* Finds the struct type of a frame, by its discriminator if `type` is a union.
 * NULL, with a reason, if the frame fits none. */
const struct cli_bendec_type *
cli_bendec_match(const struct cli_bendec_type *type, const unsigned char *bytes,
                 size_t size_bytes, struct cli_bendec_error *error_out);

/*
 * Writes the struct at the start of `bytes` as JSON on one line, and `end`
 * behind it.  With `embed`, bytes behind the struct become the last member,
 * extra_name.  Enums and flags are numbers if `enum_numbers`.
 */
void cli_bendec_decode(const struct cli_bendec *schema,
                       const struct cli_bendec_type *type, bool enum_numbers,
                       bool embed, const unsigned char *bytes,
                       size_t size_bytes, char end, struct cli_writer *writer);

/*
 * Does the same, faster, for the common case: bytes that are exactly one
 * struct, whose JSON finds room at once.  False, with nothing written, for any
 * other.
 */
bool cli_bendec_decode_plain(const struct cli_bendec *schema,
                             const struct cli_bendec_type *type,
                             bool enum_numbers, const unsigned char *bytes,
                             size_t size_bytes, char end,
                             struct cli_writer *writer);

/* ---------------------------------------------------------------- encoding */

/* Room for any payload, and for any decoded string. */
#define CLI_BENDEC_PAYLOAD_ROOM 65536u
#define CLI_BENDEC_SCRATCH_ROOM (6u * 65536u)

/*
 * Encodes the value at `scan`, in a text that cli_json_check() has accepted, as
 * the bytes of a frame.  A member extra_name adds bytes behind the struct.
 * False, with the path of the part that is wrong, if it is no such value.
 */
bool cli_bendec_encode(const struct cli_bendec_type *type,
                       struct cli_json_scan *scan, unsigned char *payload,
                       unsigned char *scratch, size_t *size_out,
                       struct cli_bendec_error *error_out);

#endif
