/*
 * Encodes a JSON value as the bytes of a frame.
 *
 * The text is walked once, and numbers are read from it in place.  A refusal
 * arises deep inside the value; its path is built on the way out.
 */
#include "base64.h"
#include "internal.h"

#include "bounded_text.h"
#include "spelling.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct encoder {
	unsigned char *scratch; /* CLI_BENDEC_SCRATCH_ROOM */
	char reason[384];
	/* The path of the refused value, from `path_start` to the end. */
	char path[512];
	size_t path_start;
};

/* ---------------------------------------------------------------- refusals */

__attribute__((format(printf, 2, 3))) static bool
refuse(struct encoder *encoder, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(encoder->reason, sizeof(encoder->reason), format,
	                arguments);
	va_end(arguments);
	encoder->path_start = sizeof(encoder->path) - 1;
	encoder->path[encoder->path_start] = '\0';
	return false;
}

/* Puts a part before the path of the refused value; a path that becomes too
 * long loses its beginning. */
static bool prepend(struct encoder *encoder, const char *part)
{
	static const char cut[] = "...";
	size_t length = strlen(part);

	if (encoder->path_start == 0)
		return false;
	if (length + sizeof(cut) > encoder->path_start) {
		encoder->path_start -= sizeof(cut) - 1;
		memcpy(encoder->path + encoder->path_start, cut,
		       sizeof(cut) - 1);
		memmove(encoder->path, encoder->path + encoder->path_start,
		        sizeof(encoder->path) - encoder->path_start);
		encoder->path_start = 0;
		return false;
	}
	encoder->path_start -= length;
	memcpy(encoder->path + encoder->path_start, part, length);
	return false;
}

static bool in_field(struct encoder *encoder, const char *name)
{
	char next = encoder->path[encoder->path_start];

	if (next != '\0' && next != '[')
		(void)prepend(encoder, ".");
	return prepend(encoder, name);
}

static bool in_element(struct encoder *encoder, size_t index)
{
	char next = encoder->path[encoder->path_start];
	char part[32];

	if (next != '\0' && next != '[')
		(void)prepend(encoder, ".");
	(void)snprintf(part, sizeof(part), "[%zu]", index);
	return prepend(encoder, part);
}

static bool expect(struct encoder *encoder, const struct cli_json_scan *scan,
                   enum cli_json_kind kind, const char *what)
{
	enum cli_json_kind found = cli_json_kind(scan);

	if (found == kind)
		return true;
	return refuse(encoder, "expected %s, found %s", what,
	              cli_json_kind_name(found));
}

/* ----------------------------------------------------------------- strings */

/* Decodes a string: in place in the text if it has no escapes, else into the
 * scratch buffer. */
static bool take_string(struct encoder *encoder, struct cli_json_scan *scan,
                        struct cli_json_span *string_out)
{
	struct cli_json_span span = cli_json_take_string(scan);

	*string_out = span;
	if (memchr(span.bytes, '\\', span.size_bytes) == NULL)
		return true;
	if (span.size_bytes > CLI_BENDEC_SCRATCH_ROOM)
		return refuse(encoder, "a string of %zu bytes is too long",
		              span.size_bytes);
	string_out->bytes = encoder->scratch;
	if (cli_json_unescape(encoder->scratch, span, &string_out->size_bytes))
		return true;
	return refuse(encoder, "has half a surrogate pair, which no UTF-8 can "
	                       "hold");
}

/* Reads a string of base64. */
static bool take_base64(struct encoder *encoder, struct cli_json_scan *scan,
                        struct cli_json_span *bytes_out)
{
	if (!expect(encoder, scan, CLI_JSON_STRING, "a string of base64") ||
	    !take_string(encoder, scan, bytes_out))
		return false;
	if (bytes_out->size_bytes > CLI_BENDEC_SCRATCH_ROOM ||
	    !cli_base64_decode(encoder->scratch, &bytes_out->size_bytes,
	                       (const char *)bytes_out->bytes,
	                       bytes_out->size_bytes))
		return refuse(encoder, "is no valid base64");
	bytes_out->bytes = encoder->scratch;
	return true;
}

/* {"base64":"..."} */
static bool take_base64_object(struct encoder *encoder,
                               struct cli_json_scan *scan,
                               struct cli_json_span *bytes_out)
{
	struct cli_json_span name;
	struct cli_quoted quoted;
	bool found = false;

	cli_json_enter(scan);
	while (cli_json_next_member(scan, &name)) {
		if (!cli_json_string_is(name, "base64"))
			return refuse(encoder,
			              "bytes are {\"base64\":\"...\"}, "
			              "without a member %s",
			              cli_quote_bytes(&quoted, name.bytes,
			                              name.size_bytes));
		if (!take_base64(encoder, scan, bytes_out))
			return false;
		found = true;
	}
	return found || refuse(encoder, "expected {\"base64\":\"...\"}, found "
	                                "an empty object");
}

/* ----------------------------------------------------------------- numbers */

static bool refuse_range(struct encoder *encoder, struct cli_json_span number,
                         enum cli_bendec_kind kind)
{
	struct bendec_range range;

	return refuse(
		encoder, "%.*s%s does not fit %s, %s",
		number.size_bytes > 60 ? 60 : (int)number.size_bytes,
		(const char *)number.bytes, number.size_bytes > 60 ? "..." : "",
		cli_bendec_kind_name(kind), bendec_range_text(&range, kind));
}

/* Reads a whole number. */
static bool take_bits(struct encoder *encoder, struct cli_json_scan *scan,
                      enum cli_bendec_kind kind, uint64_t *bits_out)
{
	struct cli_json_span number = cli_json_take_value(scan);
	struct cli_json_integer integer;

	switch (cli_json_integer(number, &integer)) {
	case CLI_JSON_WHOLE: break;
	case CLI_JSON_FRACTION:
		return refuse(encoder, "%.*s%s is no whole number, as %s is",
		              number.size_bytes > 60 ? 60
		                                     : (int)number.size_bytes,
		              (const char *)number.bytes,
		              number.size_bytes > 60 ? "..." : "",
		              cli_bendec_kind_name(kind));
	case CLI_JSON_TOO_LARGE: return refuse_range(encoder, number, kind);
	}
	return bendec_bits(kind, integer, bits_out) ||
	       refuse_range(encoder, number, kind);
}

static bool encode_integer(struct encoder *encoder,
                           const struct cli_bendec_type *type,
                           struct cli_json_scan *scan, unsigned char *out)
{
	uint64_t bits;

	if (!expect(encoder, scan, CLI_JSON_NUMBER, "a number") ||
	    !take_bits(encoder, scan, type->kind, &bits))
		return false;
	bendec_store(out, type->size_bytes, bits);
	return true;
}

/* Reads a floating-point number of either size. */
static bool read_float(const struct cli_bendec_type *type,
                       struct cli_json_span number, uint64_t *bits_out)
{
	uint32_t bits;

	if (type->kind == CLI_BENDEC_F64)
		return cli_read_f64(number.bytes, bits_out);
	if (!cli_read_f32(number.bytes, &bits))
		return false;
	*bits_out = bits;
	return true;
}

static bool read_float_word(const struct cli_bendec_type *type,
                            struct cli_json_span word, uint64_t *bits_out)
{
	uint32_t bits;

	if (type->kind == CLI_BENDEC_F64)
		return cli_read_f64_word(word.bytes, word.size_bytes, bits_out);
	if (!cli_read_f32_word(word.bytes, word.size_bytes, &bits))
		return false;
	*bits_out = bits;
	return true;
}

static bool encode_float(struct encoder *encoder,
                         const struct cli_bendec_type *type,
                         struct cli_json_scan *scan, unsigned char *out)
{
	const char *name = cli_bendec_kind_name(type->kind);
	const char *most = type->kind == CLI_BENDEC_F64
	                           ? "1.7976931348623157e+308"
	                           : "3.4028235e+38";
	struct cli_json_span span;
	struct cli_quoted quoted;
	uint64_t bits;

	if (cli_json_kind(scan) == CLI_JSON_STRING) {
		if (!take_string(encoder, scan, &span))
			return false;
		if (!read_float_word(type, span, &bits))
			return refuse(encoder,
			              "the string %s is no \"NaN\", "
			              "\"Infinity\" or \"-Infinity\"",
			              cli_quote_bytes(&quoted, span.bytes,
			                              span.size_bytes));
	} else {
		if (!expect(encoder, scan, CLI_JSON_NUMBER, "a number"))
			return false;
		span = cli_json_take_value(scan);
		if (!read_float(type, span, &bits))
			return refuse(
				encoder, "%.*s%s does not fit %s, -%s to %s",
				span.size_bytes > 60 ? 60
						     : (int)span.size_bytes,
				(const char *)span.bytes,
				span.size_bytes > 60 ? "..." : "", name, most,
				most);
	}
	bendec_store(out, type->size_bytes, bits);
	return true;
}

static bool encode_bool(struct encoder *encoder, struct cli_json_scan *scan,
                        unsigned char *out)
{
	uint64_t bits;

	if (cli_json_kind(scan) == CLI_JSON_NUMBER) {
		if (!take_bits(encoder, scan, CLI_BENDEC_U8, &bits))
			return false;
		*out = (unsigned char)bits;
		return true;
	}
	if (!expect(encoder, scan, CLI_JSON_BOOL, "true or false"))
		return false;
	*out = cli_json_take_value(scan).size_bytes == 4;
	return true;
}

/* ------------------------------------------------------------------- enums */

static bool refuse_variant(struct encoder *encoder,
                           const struct cli_bendec_type *type,
                           struct cli_json_span name)
{
	struct cli_spelling nearest;
	struct cli_quoted quoted;
	struct cli_quoted best;

	cli_spelling_init(&nearest, (const char *)name.bytes, name.size_bytes);
	for (size_t i = 0; i < type->variant_count; i++)
		cli_spelling_offer(&nearest, type->variants[i].name);
	cli_quote_bytes(&quoted, name.bytes, name.size_bytes);
	if (nearest.best == NULL)
		return refuse(encoder, "%s has no variant %s", type->name,
		              quoted.text);
	return refuse(encoder, "%s has no variant %s; did you mean %s?",
	              type->name, quoted.text, cli_quote(&best, nearest.best));
}

/* Reads a variant: its name, or a number. */
static bool take_variant(struct encoder *encoder,
                         const struct cli_bendec_type *type,
                         struct cli_json_scan *scan, uint64_t *bits_out)
{
	const struct cli_bendec_variant *variant;
	struct cli_json_span name;

	if (cli_json_kind(scan) == CLI_JSON_NUMBER)
		return take_bits(encoder, scan, type->base, bits_out);
	if (!expect(encoder, scan, CLI_JSON_STRING,
	            "the name of a variant, or a number") ||
	    !take_string(encoder, scan, &name))
		return false;
	variant = bendec_variant_by_name(type, (const char *)name.bytes,
	                                 name.size_bytes);
	if (variant == NULL)
		return refuse_variant(encoder, type, name);
	*bits_out = variant->value;
	return true;
}

/* Bits that make a signed type negative may also be given as an unsigned
 * number. */
static bool take_flag(struct encoder *encoder,
                      const struct cli_bendec_type *type,
                      struct cli_json_scan *scan, uint64_t *bits_out)
{
	static const enum cli_bendec_kind unsigned_kinds[] = {
		[CLI_BENDEC_U8] = CLI_BENDEC_U8,
		[CLI_BENDEC_U16] = CLI_BENDEC_U16,
		[CLI_BENDEC_U32] = CLI_BENDEC_U32,
		[CLI_BENDEC_U64] = CLI_BENDEC_U64,
		[CLI_BENDEC_I8] = CLI_BENDEC_U8,
		[CLI_BENDEC_I16] = CLI_BENDEC_U16,
		[CLI_BENDEC_I32] = CLI_BENDEC_U32,
		[CLI_BENDEC_I64] = CLI_BENDEC_U64,
	};

	if (cli_json_kind(scan) == CLI_JSON_NUMBER && *scan->at != '-')
		return take_bits(encoder, scan, unsigned_kinds[type->base],
		                 bits_out);
	return take_variant(encoder, type, scan, bits_out);
}

/* Reads flags: an array of variants and numbers, or a number. */
static bool take_flags(struct encoder *encoder,
                       const struct cli_bendec_type *type,
                       struct cli_json_scan *scan, uint64_t *bits_out)
{
	uint64_t bits;

	*bits_out = 0;
	if (cli_json_kind(scan) == CLI_JSON_NUMBER)
		return take_flag(encoder, type, scan, bits_out);
	if (!expect(encoder, scan, CLI_JSON_ARRAY,
	            "an array of names, or a number"))
		return false;
	cli_json_enter(scan);
	for (size_t i = 0; cli_json_next_element(scan); i++) {
		if (!take_flag(encoder, type, scan, &bits))
			return in_element(encoder, i);
		*bits_out |= bits;
	}
	return true;
}

static bool take_enum(struct encoder *encoder,
                      const struct cli_bendec_type *type,
                      struct cli_json_scan *scan, uint64_t *bits_out)
{
	return type->kind == CLI_BENDEC_FLAGS
	               ? take_flags(encoder, type, scan, bits_out)
	               : take_variant(encoder, type, scan, bits_out);
}

static bool encode_enum(struct encoder *encoder,
                        const struct cli_bendec_type *type,
                        struct cli_json_scan *scan, unsigned char *out)
{
	uint64_t bits;

	if (!take_enum(encoder, type, scan, &bits))
		return false;
	bendec_store(out, type->size_bytes, bits);
	return true;
}

/* ------------------------------------------------------------------ arrays */

static bool encode_value(struct encoder *encoder,
                         const struct cli_bendec_type *type,
                         struct cli_json_scan *scan, unsigned char *out);

/* The elements that a shorter array lacks are zero already. */
static bool encode_array(struct encoder *encoder,
                         const struct cli_bendec_type *type,
                         struct cli_json_scan *scan, unsigned char *out)
{
	uint32_t count = 0;

	if (!expect(encoder, scan, CLI_JSON_ARRAY, "an array"))
		return false;
	cli_json_enter(scan);
	for (; cli_json_next_element(scan); count++) {
		if (count == type->length)
			return refuse(encoder,
			              "has more elements than the %" PRIu32
			              " there is room for",
			              type->length);
		if (!encode_value(encoder, type->element, scan, out))
			return in_element(encoder, count);
		out += type->element->size_bytes;
	}
	return true;
}

static bool encode_text(struct encoder *encoder,
                        const struct cli_bendec_type *type,
                        struct cli_json_scan *scan, unsigned char *out)
{
	enum cli_json_kind kind = cli_json_kind(scan);
	struct cli_json_span bytes;

	if (kind == CLI_JSON_ARRAY)
		return encode_array(encoder, type, scan, out);
	if (kind == CLI_JSON_OBJECT) {
		if (!take_base64_object(encoder, scan, &bytes))
			return false;
	} else if (!expect(encoder, scan, CLI_JSON_STRING, "a string") ||
	           !take_string(encoder, scan, &bytes)) {
		return false;
	}
	if (bytes.size_bytes > type->length)
		return refuse(encoder,
		              "%zu bytes are more than the %" PRIu32
		              " there is room for",
		              bytes.size_bytes, type->length);
	memcpy(out, bytes.bytes, bytes.size_bytes);
	return true;
}

/* Reads a primitive of an unknown name: all of its bytes. */
static bool encode_bytes(struct encoder *encoder,
                         const struct cli_bendec_type *type,
                         struct cli_json_scan *scan, unsigned char *out)
{
	struct cli_json_span bytes;

	if (cli_json_kind(scan) == CLI_JSON_OBJECT
	            ? !take_base64_object(encoder, scan, &bytes)
	            : !take_base64(encoder, scan, &bytes))
		return false;
	if (bytes.size_bytes != type->size_bytes)
		return refuse(encoder, "expected %" PRIu32 " bytes, found %zu",
		              type->size_bytes, bytes.size_bytes);
	memcpy(out, bytes.bytes, bytes.size_bytes);
	return true;
}

/* ----------------------------------------------------------------- structs */

static const struct cli_bendec_field *
find_field(const struct cli_bendec_type *type, struct cli_json_span name)
{
	size_t low = 0;
	size_t high = type->field_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = bendec_compare_name(
			type->by_field_name[middle]->name, name.bytes,
			name.size_bytes);

		if (order == 0)
			return type->by_field_name[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool refuse_field(struct encoder *encoder,
                         const struct cli_bendec_type *type,
                         struct cli_json_span name)
{
	struct cli_spelling nearest;
	struct cli_quoted best;
	/* The path shows the name, however long it is. */
	char text[BENDEC_NAME_MAX + 1];
	size_t length = name.size_bytes < sizeof(text) ? name.size_bytes
	                                               : sizeof(text) - 1;

	memcpy(text, name.bytes, length);
	text[length] = '\0';
	cli_spelling_init(&nearest, (const char *)name.bytes, name.size_bytes);
	for (size_t i = 0; i < type->field_count; i++)
		cli_spelling_offer(&nearest, type->fields[i].name);
	if (nearest.best == NULL)
		(void)refuse(encoder, "%s has no such field", type->name);
	else
		(void)refuse(encoder, "%s has no such field; did you mean %s?",
		             type->name, cli_quote(&best, nearest.best));
	return in_field(encoder, text);
}

/* Decodes the name of a member: in place, or in the scratch buffer. */
static bool read_member_name(struct encoder *encoder,
                             struct cli_json_span *name)
{
	struct cli_json_span span = *name;

	if (memchr(span.bytes, '\\', span.size_bytes) == NULL)
		return true;
	name->bytes = encoder->scratch;
	if (span.size_bytes <= CLI_BENDEC_SCRATCH_ROOM &&
	    cli_json_unescape(encoder->scratch, span, &name->size_bytes))
		return true;
	return refuse(encoder, "the name of a member is too long, or has half "
	                       "a surrogate pair");
}

/* The bytes behind the struct. */
struct extra {
	unsigned char *bytes; /* where it goes, or NULL where there is none */
	size_t size_bytes;
	size_t room_bytes;
};

static bool encode_extra(struct encoder *encoder, struct cli_json_scan *scan,
                         struct extra *extra)
{
	struct cli_json_span bytes;

	if (!take_base64(encoder, scan, &bytes))
		return false;
	if (bytes.size_bytes > extra->room_bytes)
		return refuse(encoder,
		              "%zu bytes are more than the %zu that "
		              "a frame has room for",
		              bytes.size_bytes, extra->room_bytes);
	memcpy(extra->bytes, bytes.bytes, bytes.size_bytes);
	extra->size_bytes = bytes.size_bytes;
	return true;
}

/* Encodes one member of an object.  `next` is the field that is probably meant;
 * fields before it may have been written already. */
static bool encode_member(struct encoder *encoder,
                          const struct cli_bendec_type *type,
                          struct cli_json_span name, struct cli_json_scan *scan,
                          unsigned char *out,
                          const struct cli_bendec_field **next,
                          struct extra *extra)
{
	const struct cli_bendec_field *end = type->fields + type->field_count;
	const struct cli_bendec_field *field = *next;

	if (field == end || bendec_compare_name(field->name, name.bytes,
	                                        name.size_bytes) != 0) {
		if (!read_member_name(encoder, &name))
			return false;
		field = find_field(type, name);
		if (field == NULL && extra != NULL &&
		    bendec_compare_name(type->extra_name, name.bytes,
		                        name.size_bytes) == 0)
			return encode_extra(encoder, scan, extra) ||
			       in_field(encoder, type->extra_name);
		if (field == NULL)
			return refuse_field(encoder, type, name);
	}
	/* The last one of a repeated member replaces all of the earlier one. */
	if (field < *next)
		memset(out + field->offset, 0, field->type->size_bytes);
	else
		*next = field + 1;
	return encode_value(encoder, field->type, scan, out + field->offset) ||
	       in_field(encoder, field->name);
}

static bool encode_struct(struct encoder *encoder,
                          const struct cli_bendec_type *type,
                          struct cli_json_scan *scan, unsigned char *out,
                          struct extra *extra)
{
	const struct cli_bendec_field *next = type->fields;
	struct cli_json_span name;

	if (cli_json_kind(scan) != CLI_JSON_OBJECT)
		return refuse(encoder, "expected an object, as %s is, found %s",
		              type->name,
		              cli_json_kind_name(cli_json_kind(scan)));
	cli_json_enter(scan);
	while (cli_json_next_member(scan, &name)) {
		if (!encode_member(encoder, type, name, scan, out, &next,
		                   extra))
			return false;
	}
	return true;
}

static bool encode_value(struct encoder *encoder,
                         const struct cli_bendec_type *type,
                         struct cli_json_scan *scan, unsigned char *out)
{
	switch (type->kind) {
	case CLI_BENDEC_F32:
	case CLI_BENDEC_F64: return encode_float(encoder, type, scan, out);
	case CLI_BENDEC_BOOL: return encode_bool(encoder, scan, out);
	case CLI_BENDEC_BYTES: return encode_bytes(encoder, type, scan, out);
	case CLI_BENDEC_ENUM:
	case CLI_BENDEC_FLAGS: return encode_enum(encoder, type, scan, out);
	case CLI_BENDEC_TEXT: return encode_text(encoder, type, scan, out);
	case CLI_BENDEC_ARRAY: return encode_array(encoder, type, scan, out);
	case CLI_BENDEC_STRUCT:
		return encode_struct(encoder, type, scan, out, NULL);
	default: return encode_integer(encoder, type, scan, out);
	}
}

/* ------------------------------------------------------------------ unions */

/* "'LogEvent', 'Trade' or 'Heartbeat'", as far as there is room. */
static const char *list_members(char *list, size_t room,
                                const struct cli_bendec_type *type)
{
	size_t used = 0;

	*list = '\0';
	for (size_t i = 0; i < type->member_count; i++) {
		const char *between = i == 0 ? "" : ", ";
		const char *name = type->members[i].name;

		if (i > 0 && i + 1 == type->member_count)
			between = " or ";
		if (used + strlen(between) + strlen(name) + 1 > room)
			break;
		used += (size_t)snprintf(list + used, room - used, "%s%s",
		                         between, name);
	}
	return list;
}

/* Moves the scan before the value of the discriminator; false, without a
 * reason, if there is none. */
static bool find_discriminator(struct encoder *encoder,
                               const struct cli_bendec_type *type,
                               struct cli_json_scan *scan)
{
	for (size_t i = 0; i < type->path_length; i++) {
		struct cli_json_scan found = {NULL, scan->end};
		struct cli_json_span name;

		if (cli_json_kind(scan) != CLI_JSON_OBJECT)
			return false;
		cli_json_enter(scan);
		while (cli_json_next_member(scan, &name)) {
			if (read_member_name(encoder, &name) &&
			    bendec_compare_name(type->path[i], name.bytes,
			                        name.size_bytes) == 0)
				found.at = scan->at;
			(void)cli_json_take_value(scan);
		}
		if (found.at == NULL)
			return false;
		*scan = found;
	}
	return true;
}

/* Finds the member of a union that an object is. */
static bool find_member(struct encoder *encoder,
                        const struct cli_bendec_type *type,
                        struct cli_json_scan scan,
                        const struct cli_bendec_type **member_out)
{
	const struct cli_bendec_member *member;
	struct cli_bendec_path path;
	char list[200];
	uint64_t bits;

	cli_bendec_path_text(&path, type);
	if (cli_json_kind(&scan) != CLI_JSON_OBJECT)
		return refuse(encoder, "expected an object, as %s is, found %s",
		              type->name,
		              cli_json_kind_name(cli_json_kind(&scan)));
	if (!find_discriminator(encoder, type, &scan)) {
		(void)refuse(encoder, "is missing, and says whether this is %s",
		             list_members(list, sizeof(list), type));
		return in_field(encoder, path.text);
	}
	if (!take_enum(encoder, type->discriminator, &scan, &bits))
		return in_field(encoder, path.text);
	member = bendec_member_by_value(type, bits);
	if (member == NULL) {
		(void)refuse(encoder,
		             "%" PRIu64 " stands for no member of %s, "
		             "which are %s",
		             bits, type->name,
		             list_members(list, sizeof(list), type));
		return in_field(encoder, path.text);
	}
	*member_out = member->type;
	return true;
}

bool cli_bendec_encode(const struct cli_bendec_type *type,
                       struct cli_json_scan *scan, unsigned char *payload,
                       unsigned char *scratch, size_t *size_out,
                       struct cli_bendec_error *error_out)
{
	struct encoder encoder = {.scratch = scratch};
	struct extra extra;
	const char *path;

	if (type->kind == CLI_BENDEC_UNION &&
	    !find_member(&encoder, type, *scan, &type))
		goto refused;
	memset(payload, 0, type->size_bytes);
	extra = (struct extra){.bytes = payload + type->size_bytes,
	                       .room_bytes = BENDEC_MOST_BYTES -
	                                     type->size_bytes};
	if (encode_struct(&encoder, type, scan, payload, &extra)) {
		*size_out = type->size_bytes + extra.size_bytes;
		return true;
	}
refused:
	path = encoder.path + encoder.path_start;
	bendec_report(error_out, CLI_BENDEC_BAD_VALUE, NULL, "%s%s%s", path,
	              *path != '\0' ? ": " : "", encoder.reason);
	return false;
}
