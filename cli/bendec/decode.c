/* Decodes the bytes of a frame to JSON, straight into the output. */
#include "base64.h"
#include "escape.h"
#include "internal.h"
#include "utf8.h"

#include "digits.h"

#include <inttypes.h>
#include <string.h>

/* ---------------------------------------------------------------- matching */

const struct cli_bendec_type *
cli_bendec_match(const struct cli_bendec_type *type, const unsigned char *bytes,
                 size_t size_bytes, struct cli_bendec_error *error_out)
{
	const struct cli_bendec_member *member;
	struct cli_json_integer number;
	struct cli_bendec_path path;
	uint32_t end;
	uint64_t bits;

	if (type->kind == CLI_BENDEC_UNION) {
		end = type->discriminator_offset +
		      type->discriminator->size_bytes;
		if (size_bytes < end) {
			bendec_report(
				error_out, CLI_BENDEC_MISMATCH, NULL,
				"%zu bytes end before the discriminator %s "
				"of %s, which takes bytes %" PRIu32
				" to %" PRIu32,
				size_bytes, cli_bendec_path_text(&path, type),
				type->name, type->discriminator_offset,
				end - 1);
			return NULL;
		}
		bits = bendec_load(bytes + type->discriminator_offset,
		                   type->discriminator->size_bytes);
		member = bendec_member_by_value(type, bits);
		if (member == NULL) {
			number = cli_bendec_integer(type->discriminator->base,
			                            bits);
			bendec_report(error_out, CLI_BENDEC_MISMATCH, NULL,
			              "the discriminator %s is %s%" PRIu64
			              ", and no member of %s has that value",
			              cli_bendec_path_text(&path, type),
			              number.negative ? "-" : "",
			              number.magnitude, type->name);
			return NULL;
		}
		type = member->type;
	}
	if (size_bytes >= type->size_bytes)
		return type;
	bendec_report(error_out, CLI_BENDEC_MISMATCH, NULL,
	              "%zu bytes are too few for %s, which has %" PRIu32,
	              size_bytes, type->name, type->size_bytes);
	return NULL;
}

/* ----------------------------------------------------------------- values */

struct decoder {
	const struct cli_powers *powers;
	bool enum_numbers;
};

/* A value is written only where there is room for its longest text and for
 * this: the blocks and words that are stored as a whole. */
#define SLACK_BYTES (CLI_FLOAT_MAX + CLI_BENDEC_BLOCK)

#define PUT(out, text) \
	(memcpy((out), (text), sizeof(text) - 1), (out) + sizeof(text) - 1)

static unsigned char *put_text(unsigned char *out,
                               const struct cli_bendec_text *text)
{
	size_t at = 0;

	do {
		memcpy(out + at, text->bytes + at, CLI_BENDEC_BLOCK);
		at += CLI_BENDEC_BLOCK;
	} while (at < text->size_bytes);
	return out + text->size_bytes;
}

static unsigned char *put_integer(unsigned char *out, enum cli_bendec_kind kind,
                                  uint64_t bits)
{
	struct cli_json_integer integer = cli_bendec_integer(kind, bits);

	*out = '-';
	return cli_put_digits(out + integer.negative, integer.magnitude);
}

/* Writes bytes that are neither text nor a number, in base64. */
static unsigned char *put_base64(unsigned char *out, const unsigned char *bytes,
                                 size_t size_bytes)
{
	out = PUT(out, "{\"base64\":\"");
	out += cli_base64_encode((char *)out, bytes, size_bytes);
	return PUT(out, "\"}");
}

/* The length without the zeros at the end. */
static size_t trim(const unsigned char *bytes, size_t size_bytes)
{
	while (size_bytes >= CLI_WORD_BYTES) {
		uint64_t word = cli_word_load(bytes + size_bytes -
		                              CLI_WORD_BYTES);

		if (word != 0)
			return size_bytes - (size_t)__builtin_clzll(word) / 8;
		size_bytes -= CLI_WORD_BYTES;
	}
	while (size_bytes > 0 && bytes[size_bytes - 1] == 0)
		size_bytes--;
	return size_bytes;
}

static unsigned char *put_string(unsigned char *out, const unsigned char *bytes,
                                 size_t size_bytes)
{
	size_t text_bytes = trim(bytes, size_bytes);

	if (!cli_utf8_is_valid(bytes, text_bytes))
		return put_base64(out, bytes, size_bytes);
	*out++ = '"';
	out += cli_escape_json(out, bytes, text_bytes);
	*out++ = '"';
	return out;
}

static unsigned char *put_bool(unsigned char *out, unsigned char byte)
{
	if (byte > 1)
		return cli_put_digits(out, byte);
	if (byte == 1)
		return PUT(out, "true");
	return PUT(out, "false");
}

static unsigned char *put_enum(unsigned char *out,
                               const struct cli_bendec_type *type,
                               uint64_t bits, bool numbers)
{
	const struct cli_bendec_variant *variant = NULL;

	if (!numbers)
		variant = bendec_variant_by_value(type, bits);
	if (variant == NULL)
		return put_integer(out, type->base, bits);
	return put_text(out, &variant->quoted);
}

/* Writes the names of the bits that are set, and a number for the bits without
 * a name. */
static unsigned char *put_flags(unsigned char *out,
                                const struct cli_bendec_type *type,
                                uint64_t bits, bool numbers)
{
	uint64_t left = bits;

	if (numbers)
		return put_integer(out, type->base, bits);
	*out++ = '[';
	for (size_t i = 0; i < type->variant_count && left != 0; i++) {
		uint64_t value = type->variants[i].value;

		if ((value & ~bits) != 0 || (value & left) == 0)
			continue;
		out = put_text(out, &type->variants[i].quoted);
		*out++ = ',';
		left &= ~value;
	}
	if (left != 0) {
		out = cli_put_digits(out, left);
		*out++ = ',';
	}
	out -= bits != 0; /* the last comma */
	*out++ = ']';
	return out;
}

static unsigned char *put_array(const struct decoder *decoder,
                                const struct cli_bendec_type *type,
                                const unsigned char *bytes, unsigned char *out);
static unsigned char *put_struct(const struct decoder *decoder,
                                 const struct cli_bendec_type *type,
                                 const unsigned char *bytes,
                                 unsigned char *out);

/* Extends a number of fewer bits, whose highest bit is `sign`, to 64 bits. */
static inline uint64_t extend(uint64_t bits, unsigned sign)
{
	uint64_t bit = UINT64_C(1) << sign;

	return (bits ^ bit) - bit;
}

/* Writes a value; integers, the most frequent ones, without a call. */
__attribute__((always_inline)) static inline unsigned char *
put_value(const struct decoder *decoder, enum cli_bendec_kind kind,
          const struct cli_bendec_type *type, const unsigned char *bytes,
          unsigned char *out)
{
	uint64_t value;

	switch (kind) {
	case CLI_BENDEC_U8: value = bytes[0]; break;
	case CLI_BENDEC_U16: value = bendec_load(bytes, 2); break;
	case CLI_BENDEC_U32: value = bendec_load(bytes, 4); break;
	case CLI_BENDEC_U64: value = bendec_load(bytes, 8); break;
	case CLI_BENDEC_I8: value = extend(bytes[0], 7); goto with_sign;
	case CLI_BENDEC_I16:
		value = extend(bendec_load(bytes, 2), 15);
		goto with_sign;
	case CLI_BENDEC_I32:
		value = extend(bendec_load(bytes, 4), 31);
		goto with_sign;
	case CLI_BENDEC_I64: value = bendec_load(bytes, 8); goto with_sign;
	case CLI_BENDEC_F32:
		return cli_put_f32(out, (uint32_t)bendec_load(bytes, 4),
		                   decoder->powers);
	case CLI_BENDEC_F64:
		return cli_put_f64(out, bendec_load(bytes, 8), decoder->powers);
	case CLI_BENDEC_BOOL: return put_bool(out, bytes[0]);
	case CLI_BENDEC_BYTES: return put_base64(out, bytes, type->size_bytes);
	case CLI_BENDEC_ENUM:
		return put_enum(out, type, bendec_load(bytes, type->size_bytes),
		                decoder->enum_numbers);
	case CLI_BENDEC_FLAGS:
		return put_flags(out, type,
		                 bendec_load(bytes, type->size_bytes),
		                 decoder->enum_numbers);
	case CLI_BENDEC_TEXT: return put_string(out, bytes, type->length);
	case CLI_BENDEC_ARRAY: return put_array(decoder, type, bytes, out);
	default: return put_struct(decoder, type, bytes, out);
	}
	return cli_put_digits(out, value);
with_sign:
	if (value >> 63 != 0) {
		*out++ = '-';
		value = 0 - value;
	}
	return cli_put_digits(out, value);
}

static unsigned char *put_array(const struct decoder *decoder,
                                const struct cli_bendec_type *type,
                                const unsigned char *bytes, unsigned char *out)
{
	const struct cli_bendec_type *element = type->element;

	*out++ = '[';
	for (uint32_t i = 0; i < type->length; i++) {
		out = put_value(decoder, element->kind, element, bytes, out);
		*out++ = ',';
		bytes += element->size_bytes;
	}
	out[-1] = ']';
	return out;
}

static unsigned char *put_struct(const struct decoder *decoder,
                                 const struct cli_bendec_type *type,
                                 const unsigned char *bytes, unsigned char *out)
{
	const struct cli_bendec_step *step = type->steps;
	const struct cli_bendec_step *end = step + type->step_count;

	for (; step < end; step++) {
		out = put_text(out, &step->lead);
		out = put_value(decoder, step->kind, step->type,
		                bytes + step->offset, out);
	}
	return put_text(out, &type->tail);
}

/* ------------------------------------------------------ into the writer */

/* Whether room for a whole value can be reserved at once.  A larger value is an
 * array or a struct, and is written element by element. */
static bool fits(const struct cli_writer *writer,
                 const struct cli_bendec_type *type)
{
	return type->json_bytes + SLACK_BYTES <= writer->room_bytes / 2;
}

static void print_text(struct cli_writer *writer,
                       const struct cli_bendec_text *text)
{
	cli_writer_bytes(writer, text->bytes, text->size_bytes);
}

static void print_value(const struct decoder *decoder,
                        const struct cli_bendec_type *type,
                        const unsigned char *bytes, struct cli_writer *writer);

static void print_fields(const struct decoder *decoder,
                         const struct cli_bendec_type *type,
                         const unsigned char *bytes, struct cli_writer *writer)
{
	if (type->field_count == 0)
		cli_writer_string(writer, "{");
	for (size_t i = 0; i < type->field_count && !writer->failed; i++) {
		const struct cli_bendec_field *field = &type->fields[i];

		print_text(writer, &field->lead);
		print_value(decoder, field->type, bytes + field->offset,
		            writer);
	}
}

static void print_array(const struct decoder *decoder,
                        const struct cli_bendec_type *type,
                        const unsigned char *bytes, struct cli_writer *writer)
{
	for (uint32_t i = 0; i < type->length && !writer->failed; i++) {
		cli_writer_string(writer, i == 0 ? "[" : ",");
		print_value(decoder, type->element, bytes, writer);
		bytes += type->element->size_bytes;
	}
	cli_writer_string(writer, "]");
}

static void print_value(const struct decoder *decoder,
                        const struct cli_bendec_type *type,
                        const unsigned char *bytes, struct cli_writer *writer)
{
	unsigned char *room;

	if (fits(writer, type)) {
		room = cli_writer_reserve(writer, (size_t)type->json_bytes +
		                                          SLACK_BYTES);
		if (room != NULL)
			cli_writer_advance(
				writer, (size_t)(put_value(decoder, type->kind,
			                                   type, bytes, room) -
			                         room));
	} else if (type->kind == CLI_BENDEC_ARRAY) {
		print_array(decoder, type, bytes, writer);
	} else {
		print_fields(decoder, type, bytes, writer);
		cli_writer_string(writer, "}");
	}
}

/* Writes the bytes behind a struct as its last member. */
static void print_extra(const struct cli_bendec_type *type,
                        const unsigned char *bytes, size_t size_bytes,
                        struct cli_writer *writer)
{
	unsigned char *room;

	print_text(writer, &type->extra_lead);
	room = cli_writer_reserve(writer, cli_base64_size(size_bytes));
	if (room != NULL)
		cli_writer_advance(
			writer,
			cli_base64_encode((char *)room, bytes, size_bytes));
	cli_writer_string(writer, "\"");
}

void cli_bendec_decode(const struct cli_bendec *schema,
                       const struct cli_bendec_type *type, bool enum_numbers,
                       bool embed, const unsigned char *bytes,
                       size_t size_bytes, char end, struct cli_writer *writer)
{
	struct decoder decoder = {schema->powers, enum_numbers};
	bool extra = embed && size_bytes > type->size_bytes;
	unsigned char *room;
	unsigned char *out;

	if (!extra && fits(writer, type)) {
		room = cli_writer_reserve(writer, (size_t)type->json_bytes +
		                                          SLACK_BYTES);
		if (room == NULL)
			return;
		out = put_struct(&decoder, type, bytes, room);
		*out++ = (unsigned char)end;
		cli_writer_advance(writer, (size_t)(out - room));
		return;
	}
	print_fields(&decoder, type, bytes, writer);
	if (extra)
		print_extra(type, bytes + type->size_bytes,
		            size_bytes - type->size_bytes, writer);
	cli_writer_string(writer, "}");
	cli_writer_bytes(writer, &end, 1);
}

bool cli_bendec_decode_plain(const struct cli_bendec *schema,
                             const struct cli_bendec_type *type,
                             bool enum_numbers, const unsigned char *bytes,
                             size_t size_bytes, char end,
                             struct cli_writer *writer)
{
	struct decoder decoder = {schema->powers, enum_numbers};
	struct cli_bendec_error error;
	unsigned char *room;
	unsigned char *out;

	if (!fits(writer, type))
		return false;
	const struct cli_bendec_type *matched = cli_bendec_match(
		type, bytes, size_bytes, &error);

	if (matched == NULL || matched->size_bytes != size_bytes)
		return false;
	room = cli_writer_reserve(writer,
	                          (size_t)type->json_bytes + SLACK_BYTES);
	if (room == NULL)
		return false;
	out = put_struct(&decoder, matched, bytes, room);
	*out++ = (unsigned char)end;
	cli_writer_advance(writer, (size_t)(out - room));
	return true;
}
