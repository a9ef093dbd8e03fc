/*
 * Values by a schema that has everything: any JSON is refused in words or
 * becomes bytes, and what is decoded from bytes gives the same bytes again.
 * INPUT: FLAGS, and a JSON text or the bytes of a frame.
 */
#include "fuzz.h"
#include "json_check.h"

#include "bendec.h"
#include "stdout_buffer.h"

#include <stdlib.h>
#include <string.h>

#define MOST_BYTES 65531u

/* With single quotes for double ones. */
static const char definitions[] =
	"[{'name':'Kind','underlying':'u16','offset':'0x100',"
	"'variants':[['A',1],['B','0x2'],['C','0b11']]},"
	"{'name':'Flags','underlying':'i8','bitflags':true,'variants':"
	"[['no',0],['x',1],['y',2],['xz',5],['top',-128]]},"
	"{'name':'u24','size':3},"
	"{'name':'Head','fields':[{'name':'n','type':'u8'},"
	"{'name':'kind','type':'Kind'}]},"
	"{'name':'Point','fields':[{'name':'x','type':'f64'},"
	"{'name':'y','type':'f32'},{'name':'on','type':'bool'}]},"
	"{'name':'Row','type':'Point','length':2},"
	"{'name':'A','fields':[{'name':'head','type':'Head'},"
	"{'name':'text','type':'char','length':12},"
	"{'name':'flags','type':'Flags'},{'name':'rows','type':'Row'},"
	"{'name':'grid','type':'Row','length':2},"
	"{'name':'extra','type':'u24'}]},"
	"{'name':'B','fields':[{'name':'head','type':'Head'},"
	"{'name':'a','type':'u8'},{'name':'b','type':'u16'},"
	"{'name':'c','type':'u32'},{'name':'d','type':'u64'},"
	"{'name':'e','type':'i8'},{'name':'f','type':'i16'},"
	"{'name':'g','type':'i32'},{'name':'h','type':'i64'},"
	"{'name':'i','type':'u16','length':3}]},"
	"{'name':'C','fields':[{'name':'head','type':'Head'}]},"
	"{'name':'Any','discriminator':['head','kind'],"
	"'members':['A','B','C']}]";

static struct cli_bendec *schema;
static const struct cli_bendec_type *type;
static uint8_t payload[CLI_BENDEC_PAYLOAD_ROOM];
static uint8_t again[CLI_BENDEC_PAYLOAD_ROOM];
static uint8_t scratch[CLI_BENDEC_SCRATCH_ROOM];

static void load(void)
{
	struct cli_bendec_error error;
	char text[sizeof(definitions)];

	memcpy(text, definitions, sizeof(text));
	for (char *at = text; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at;
	schema = cli_bendec_new();
	require(schema != NULL);
	require(cli_bendec_add(schema, "file", text, strlen(text), &error));
	require(cli_bendec_resolve(schema, &error));
	type = cli_bendec_choose(schema, NULL, &error);
	require(type != NULL && strcmp(type->name, "Any") == 0);
}

/* Whether the text is a value; its bytes go to `out`. */
static bool encode(const char *text, size_t size_bytes, uint8_t *out,
                   size_t *size_out)
{
	struct cli_bendec_error error = {.text = ""};
	struct cli_json_error json;
	struct cli_json_scan scan;

	if (!cli_json_check(text, size_bytes, &json))
		return false;
	cli_json_begin(&scan, text, size_bytes);
	if (cli_bendec_encode(type, &scan, out, scratch, size_out, &error)) {
		require(*size_out <= MOST_BYTES);
		return true;
	}
	require(strlen(error.text) > 0 &&
	        strlen(error.text) < sizeof(error.text));
	return false;
}

/* Bytes to a value and back. */
static void check_bytes(const uint8_t *bytes, size_t size_bytes, bool numbers)
{
	struct cli_bendec_error error = {.text = ""};
	const struct cli_bendec_type *matched = cli_bendec_match(
		type, bytes, size_bytes, &error);
	struct fuzz_written written;
	struct cli_output output;
	size_t again_bytes = 0;

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
	require(written.size_bytes > 0);
	require(fuzz_is_harmless(written.bytes, written.size_bytes - 1));
	require(encode((const char *)written.bytes, written.size_bytes, again,
	               &again_bytes));
	require(again_bytes == size_bytes &&
	        memcmp(again, bytes, size_bytes) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct fuzz_input input = {data, size_bytes};
	uint8_t flags = fuzz_take_byte(&input);
	uint8_t *bytes;
	size_t encoded_bytes;

	if (schema == NULL)
		load();
	if (input.left_bytes > MOST_BYTES)
		input.left_bytes = MOST_BYTES;
	bytes = fuzz_copy(input.at, input.left_bytes);
	if ((flags & 1) != 0)
		check_bytes(bytes, input.left_bytes, (flags & 2) != 0);
	else if (encode((const char *)bytes, input.left_bytes, payload,
	                &encoded_bytes))
		check_bytes(payload, encoded_bytes, (flags & 2) != 0);
	free(bytes);
	return 0;
}
