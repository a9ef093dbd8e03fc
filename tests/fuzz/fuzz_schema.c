/*
 * Type definitions: any text is refused in words or resolves to types that
 * hold together, and by which any bytes become JSON and the same bytes again.
 * INPUT: the text, and behind a NUL the bytes.
 */
#include "fuzz.h"
#include "json_check.h"

#include "bendec.h"
#include "stdout_buffer.h"

#include <stdlib.h>
#include <string.h>

#define MOST_TEXT 65536u
#define MOST_BYTES 65531u
/* Types whose values take more are left out, for the sake of speed. */
#define MOST_JSON 65536u

static uint8_t payload[CLI_BENDEC_PAYLOAD_ROOM];
static uint8_t scratch[CLI_BENDEC_SCRATCH_ROOM];

/* -------------------------------------------------------------- soundness */

static void check_type(const struct cli_bendec_type *type);

static void check_struct(const struct cli_bendec_type *type)
{
	uint32_t offset = 0;

	for (size_t i = 0; i < type->field_count; i++) {
		const struct cli_bendec_field *field = &type->fields[i];

		require(field->offset == offset);
		require(field->type->depth < type->depth);
		require(field->type->kind != CLI_BENDEC_UNION);
		require(i == 0 || strcmp(type->by_field_name[i - 1]->name,
		                         type->by_field_name[i]->name) < 0);
		require(strcmp(field->name, type->extra_name) != 0);
		offset += field->type->size_bytes;
	}
	require(offset == type->size_bytes);
}

static void check_enum(const struct cli_bendec_type *type)
{
	require(type->base <= CLI_BENDEC_I64);
	require(type->value_count <= type->variant_count);
	for (size_t i = 1; i < type->variant_count; i++)
		require(strcmp(type->by_name[i - 1]->name,
		               type->by_name[i]->name) < 0);
	for (size_t i = 1; i < type->value_count; i++)
		require(type->by_value[i - 1]->value <
		        type->by_value[i]->value);
}

static void check_union(const struct cli_bendec_type *type)
{
	uint32_t end = type->discriminator_offset +
	               type->discriminator->size_bytes;
	uint32_t largest = 0;

	require(type->discriminator_count > 0);
	for (size_t i = 0; i < type->member_count; i++) {
		const struct cli_bendec_type *member = type->members[i].type;

		require(member->kind == CLI_BENDEC_STRUCT);
		require(end <= member->size_bytes);
		largest = member->size_bytes > largest ? member->size_bytes
		                                       : largest;
	}
	require(largest == type->size_bytes);
	for (size_t i = 1; i < type->discriminator_count; i++)
		require(type->by_discriminator[i - 1]->value <
		        type->by_discriminator[i]->value);
}

static void check_type(const struct cli_bendec_type *type)
{
	require(type->size_bytes <= MOST_BYTES && type->depth >= 1);
	switch (type->kind) {
	case CLI_BENDEC_STRUCT: check_struct(type); break;
	case CLI_BENDEC_UNION: check_union(type); break;
	case CLI_BENDEC_ENUM:
	case CLI_BENDEC_FLAGS: check_enum(type); break;
	case CLI_BENDEC_ARRAY:
	case CLI_BENDEC_TEXT:
		require(type->length > 0);
		require(type->size_bytes ==
		        type->length * type->element->size_bytes);
		check_type(type->element);
		break;
	default: require(type->size_bytes > 0); break;
	}
}

/* -------------------------------------------------------------- round trip */

static void check_frame(const struct cli_bendec *schema,
                        const struct cli_bendec_type *type,
                        const uint8_t *bytes, size_t size_bytes, bool numbers)
{
	struct cli_bendec_error error;
	const struct cli_bendec_type *matched = cli_bendec_match(
		type, bytes, size_bytes, &error);
	struct fuzz_written written;
	struct cli_json_error json;
	struct cli_output output;
	struct cli_json_scan scan;
	size_t encoded_bytes;

	if (matched == NULL) {
		require(error.text[0] != '\0');
		return;
	}
	require(cli_output_init(&output, FUZZ_FD) == 0);
	struct cli_writer writer = cli_output_writer(&output);

	cli_bendec_decode(schema, matched, numbers, true, bytes, size_bytes,
	                  '\n', &writer);
	require(cli_output_flush(&output) == 0);
	cli_output_release(&output);
	written = fuzz_take_output();
	require(written.size_bytes > 0 &&
	        written.bytes[written.size_bytes - 1] == '\n');
	written.size_bytes--;
	require(size_bytes > matched->size_bytes ||
	        written.size_bytes <= matched->json_bytes);
	require(fuzz_is_harmless(written.bytes, written.size_bytes));
	require(cli_json_check((const char *)written.bytes, written.size_bytes,
	                       &json));
	cli_json_begin(&scan, (const char *)written.bytes, written.size_bytes);
	require(cli_bendec_encode(type, &scan, payload, scratch, &encoded_bytes,
	                          &error));
	require(encoded_bytes == size_bytes &&
	        memcmp(payload, bytes, size_bytes) == 0);
}

static void check_frames(const struct cli_bendec *schema,
                         const struct cli_bendec_type *type,
                         const struct fuzz_input *rest)
{
	uint8_t *bytes;
	size_t size_bytes;

	if (type->kind < CLI_BENDEC_STRUCT || type->json_bytes > MOST_JSON)
		return;
	/* As many bytes as it needs, and one more or less. */
	for (int more = -1; more <= 1; more++) {
		size_t wanted = type->size_bytes + (size_t)(1 + more);

		if (wanted-- == 0 || wanted > MOST_BYTES)
			continue;
		bytes = rest->left_bytes > 0
		                ? fuzz_repeat(rest->at, rest->left_bytes,
		                              wanted / rest->left_bytes + 1,
		                              wanted + rest->left_bytes,
		                              &size_bytes)
		                : calloc(wanted + 1, 1);
		require(bytes != NULL);
		check_frame(schema, type, bytes, wanted, more == 0);
		free(bytes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct fuzz_input input = {data, size_bytes};
	char *text = fuzz_take_text(&input);
	struct cli_bendec *schema = cli_bendec_new();
	struct cli_bendec_error error = {.text = ""};

	require(schema != NULL);
	if (strlen(text) > MOST_TEXT)
		text[MOST_TEXT] = '\0';
	if (cli_bendec_add(schema, "file", text, strlen(text), &error) &&
	    cli_bendec_resolve(schema, &error)) {
		size_t count = cli_bendec_count(schema);

		for (size_t i = 0; i < count; i++) {
			struct cli_bendec_definition definition =
				cli_bendec_nth(schema, i);

			require(cli_bendec_defines(schema, definition.name));
			check_type(definition.type);
			if (i < 16)
				check_frames(schema, definition.type, &input);
		}
		(void)cli_bendec_choose(schema, NULL, &error);
	} else {
		require(error.text[0] != '\0' &&
		        error.failure != CLI_BENDEC_NO_FAILURE);
	}
	cli_bendec_free(schema);
	free(text);
	return 0;
}
