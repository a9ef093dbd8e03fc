/* Values by type definitions: bytes to JSON and back. */
#include "json_check.h"
#include "support.h"

#include "bendec.h"
#include "command.h"
#include "stdout_buffer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With single quotes for double ones. */
static const char definitions[] =
	"[{'name':'u24','size':3},"
	"{'name':'Level','underlying':'u8','variants':"
	"[['Low',1],['High',200],['Last',1]]},"
	"{'name':'Sign','underlying':'i16','offset':-10,'variants':"
	"[['Minus',0],['Plus',20]]},"
	"{'name':'Bits','underlying':'u8','bitflags':true,'variants':"
	"[['none',0],['a',1],['b',2],['ab',3],['top','0x80']]},"
	"{'name':'Pair','type':'u8','length':2},"
	"{'name':'Inner','fields':[{'name':'x','type':'u8'},"
	"{'name':'y','type':'u16'}]},"
	"{'name':'Empty','fields':[]},"
	"{'name':'Nest','fields':[{'name':'a','type':'Inner'},"
	"{'name':'b','type':'Inner','length':2},"
	"{'name':'e','type':'Empty'}]},"
	"{'name':'Deep','fields':[{'name':'n','type':'u8'},"
	"{'name':'e','type':'Empty'},{'name':'i','type':'Inner'},"
	"{'name':'f','type':'Empty'},{'name':'m','type':'i8'}]},"
	"{'name':'Deeper','fields':[{'name':'d','type':'Deep'},"
	"{'name':'last','type':'Deep'}]},"
	"{'name':'Extra','fields':[{'name':'extra','type':'u8'},"
	"{'name':'extra_','type':'u8'}]}]";

/* Structs with a field "v" of each type. */
static const struct {
	const char *name;
	const char *type;
	unsigned length;
} singles[] = {
	{"U8", "u8", 0},      {"U16", "u16", 0},     {"U32", "u32", 0},
	{"U64", "u64", 0},    {"I8", "i8", 0},       {"I16", "i16", 0},
	{"I32", "i32", 0},    {"I64", "i64", 0},     {"F32", "f32", 0},
	{"F64", "f64", 0},    {"Bool", "bool", 0},   {"Bytes", "u24", 0},
	{"Enum", "Level", 0}, {"Signed", "Sign", 0}, {"Flags", "Bits", 0},
	{"Text", "char", 4},  {"Words", "u16", 3},   {"Grid", "Pair", 2},
};

static struct cli_bendec *schema;
static struct cli_bendec_error error;
static unsigned char payload[CLI_BENDEC_PAYLOAD_ROOM];
static unsigned char scratch_room[CLI_BENDEC_SCRATCH_ROOM];

static bool add(struct cli_bendec *to, const char *text)
{
	char quoted[2048];

	snprintf(quoted, sizeof(quoted), "%s", text);
	for (char *at = quoted; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at;
	return cli_bendec_add(to, "file", quoted, strlen(quoted), &error);
}

static int make_schema(void **state)
{
	bool added;

	(void)state;
	schema = cli_bendec_new();
	if (schema == NULL)
		return 1;
	added = add(schema, definitions);
	for (size_t i = 0; i < COUNT_OF(singles); i++) {
		char text[128];

		snprintf(text, sizeof(text),
		         "{'name':'%s','fields':[{'name':'v','type':'%s',"
		         "'length':%u}]}",
		         singles[i].name, singles[i].type, singles[i].length);
		added = added && add(schema, text);
	}
	if (!added || !cli_bendec_resolve(schema, &error)) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	return 0;
}

static int free_schema(void **state)
{
	(void)state;
	cli_bendec_free(schema);
	return 0;
}

static const struct cli_bendec_type *type_of(const char *name)
{
	const struct cli_bendec_type *type = cli_bendec_choose(schema, name,
	                                                       &error);

	if (type == NULL)
		fail_with("%s", error.text);
	return type;
}

/* The value of a field "v", or of the whole if `name` is of another struct. */
static const char *decode(const char *name, const void *bytes,
                          size_t size_bytes, bool numbers)
{
	static char text[1024];
	const struct cli_bendec_type *type = type_of(name);
	struct cli_output output;
	int ends[2];
	ssize_t got;

	assert_ptr_equal(cli_bendec_match(type, bytes, size_bytes, &error),
	                 type);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(cli_output_init(&output, ends[1]), 0);
	struct cli_writer writer = cli_output_writer(&output);

	cli_bendec_decode(schema, type, numbers, true, bytes, size_bytes, ';',
	                  &writer);
	assert_int_equal(cli_output_flush(&output), 0);
	cli_output_release(&output);
	close(ends[1]);
	got = read(ends[0], text, sizeof(text) - 1);
	close(ends[0]);
	assert_in_range(got, 3, sizeof(text) - 1);
	assert_int_equal(text[got - 1], ';');
	text[got - 1] = '\0';
	return text;
}

static bool encode(const char *name, const char *text, size_t *size_out)
{
	const struct cli_bendec_type *type = type_of(name);
	struct cli_json_error json;
	struct cli_json_scan scan;

	if (!cli_json_check(text, strlen(text), &json))
		fail_with("%s: %s", text, json.reason);
	cli_json_begin(&scan, text, strlen(text));
	return cli_bendec_encode(type, &scan, payload, scratch_room, size_out,
	                         &error);
}

static void expect_bytes(const char *name, const char *text, const void *bytes,
                         size_t size_bytes)
{
	size_t encoded_bytes;

	if (!encode(name, text, &encoded_bytes))
		fail_with("%s: %s", text, error.text);
	assert_int_equal(encoded_bytes, size_bytes);
	assert_memory_equal(payload, bytes, size_bytes);
}

/* Each way, and with numbers for names where they differ. */
struct pair {
	const char *name;
	const char *bytes;
	size_t size_bytes;
	const char *text;
	const char *numbers;
};

#define V(value) "{\"v\":" value "}"
#define PAIR(name, bytes, value)                               \
	{                                                      \
		name, bytes, sizeof(bytes) - 1, V(value), NULL \
	}
#define NUMBERED(name, bytes, value, number)                        \
	{                                                           \
		name, bytes, sizeof(bytes) - 1, V(value), V(number) \
	}
#define WHOLE(name, bytes, text)                           \
	{                                                  \
		name, bytes, sizeof(bytes) - 1, text, NULL \
	}

static const struct pair pairs[] = {
	PAIR("U8", "\xff", "255"),
	PAIR("U8", "\0", "0"),
	PAIR("U16", "\x01\x02", "513"),
	PAIR("U32", "\xff\xff\xff\xff", "4294967295"),
	PAIR("U32", "\0\xe1\xf5\x05", "100000000"),
	PAIR("U64", "\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
	PAIR("U64", "\x01\0\0\0\0\0\x20\0", "9007199254740993"),
	PAIR("U64", "\0\0\xc1\x6f\xf2\x86\x23\0", "10000000000000000"),
	PAIR("U64", "\xff\xff\xc0\x6f\xf2\x86\x23\0", "9999999999999999"),
	PAIR("I8", "\x80", "-128"),
	PAIR("I8", "\x7f", "127"),
	PAIR("I16", "\0\x80", "-32768"),
	PAIR("I32", "\xff\xff\xff\xff", "-1"),
	PAIR("I64", "\0\0\0\0\0\0\0\x80", "-9223372036854775808"),
	PAIR("I64", "\xff\xff\xff\xff\xff\xff\xff\x7f", "9223372036854775807"),
	PAIR("F32", "\xcd\xcc\xcc\x3d", "0.1"),
	PAIR("F64", "\x9a\x99\x99\x99\x99\x99\xb9\x3f", "0.1"),
	PAIR("F64", "\0\0\0\0\0\0\0\x80", "-0"),
	PAIR("F64", "\0\0\0\0\0\0\xf0\xff", "\"-Infinity\""),
	PAIR("F64", "\0\0\0\0\0\0\xf8\x7f", "\"NaN\""),
	PAIR("F64", "\x01\0\0\0\0\0\xf8\xff", "\"NaN(0xfff8000000000001)\""),
	PAIR("Bool", "\0", "false"),
	PAIR("Bool", "\1", "true"),
	PAIR("Bool", "\2", "2"),
	PAIR("Bytes", "\0\1\xff", "{\"base64\":\"AAH/\"}"),
	NUMBERED("Enum", "\xc8", "\"High\"", "200"),
	NUMBERED("Enum", "\1", "\"Last\"", "1"),
	NUMBERED("Enum", "\7", "7", "7"),
	NUMBERED("Signed", "\xf6\xff", "\"Minus\"", "-10"),
	NUMBERED("Signed", "\x0a\0", "\"Plus\"", "10"),
	NUMBERED("Signed", "\xff\xff", "-1", "-1"),
	NUMBERED("Flags", "\0", "[]", "0"),
	NUMBERED("Flags", "\x83", "[\"a\",\"b\",\"top\"]", "131"),
	NUMBERED("Flags", "\x7e", "[\"b\",124]", "126"),
	PAIR("Text", "\0\0\0\0", "\"\""),
	PAIR("Text", "ab\0\0", "\"ab\""),
	PAIR("Text", "abcd", "\"abcd\""),
	PAIR("Text", "a\0b\0", "\"a\\u0000b\""),
	PAIR("Text", "\xc5\xbc\"\\", "\"\xc5\xbc\\\"\\\\\""),
	PAIR("Text", "\xe2\x80\xae\n", "\"\\u202e\\n\""),
	PAIR("Text", "\xff\0\0\0", "{\"base64\":\"/wAAAA==\"}"),
	PAIR("Text", "abc\xc5", "{\"base64\":\"YWJjxQ==\"}"),
	PAIR("Words", "\1\0\2\0\xff\xff", "[1,2,65535]"),
	PAIR("Grid", "\1\2\3\4", "[[1,2],[3,4]]"),
	WHOLE("Nest", "\1\2\0\3\4\0\5\6\0",
              "{\"a\":{\"x\":1,\"y\":2},\"b\":[{\"x\":3,\"y\":4},"
              "{\"x\":5,\"y\":6}],\"e\":{}}"),
	WHOLE("Deeper", "\1\2\3\0\xff\4\5\6\0\xfe",
              "{\"d\":{\"n\":1,\"e\":{},\"i\":{\"x\":2,\"y\":3},\"f\":{},"
              "\"m\":-1},\"last\":{\"n\":4,\"e\":{},"
              "\"i\":{\"x\":5,\"y\":6},\"f\":{},\"m\":-2}}"),
	WHOLE("Empty", "", "{}"),
	WHOLE("Empty", "\1\2", "{\"extra\":\"AQI=\"}"),
	WHOLE("U8", "\1\2\3", "{\"v\":1,\"extra\":\"AgM=\"}"),
	WHOLE("Extra", "\1\2\3",
              "{\"extra\":1,\"extra_\":2,\"extra__\":\"Aw==\"}"),
};

TEST(test_bytes_and_values_are_each_other)
{
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		const struct pair *pair = &pairs[i];
		const char *numbers = pair->numbers;

		assert_string_equal(decode(pair->name, pair->bytes,
		                           pair->size_bytes, false),
		                    pair->text);
		expect_bytes(pair->name, pair->text, pair->bytes,
		             pair->size_bytes);
		if (numbers == NULL)
			continue;
		assert_string_equal(
			decode(pair->name, pair->bytes, pair->size_bytes, true),
			numbers);
		expect_bytes(pair->name, numbers, pair->bytes,
		             pair->size_bytes);
	}
}

/* What is read beside what is printed. */
TEST(test_values_have_more_than_one_spelling)
{
	static const struct pair cases[] = {
		PAIR("U8", "\xfa", "2.5e2"),
		PAIR("U8", "\1", "1.0"),
		PAIR("U8", "\1", "100e-2"),
		PAIR("U8", "\0", "-0"),
		PAIR("U8", "\0", "0e999999999999"),
		PAIR("F64", "\0\0\0\0\0\0\0\0", "1e-400"),
		PAIR("Bool", "\1", "1"),
		PAIR("Bytes", "\0\1\xff", "\"AAH\\/\""),
		PAIR("Text", "AB\0\0", "[65,66]"),
		PAIR("Text", "\xff\0\0\0", "{\"base64\":\"/w==\"}"),
		PAIR("Text", "\xf0\x9f\x98\x80", "\"\\ud83d\\ude00\""),
		PAIR("Text", "ab\0\0", "\"\\u0061b\\u0000\""),
		PAIR("Words", "\1\0\0\0\0\0", "[1]"),
		PAIR("Words", "\0\0\0\0\0\0", "[]"),
		PAIR("Grid", "\1\0\0\0", "[[1]]"),
		PAIR("Flags", "\3", "[\"ab\"]"),
		PAIR("Flags", "\x45", "[\"a\",4,64]"),
		PAIR("Flags", "\0", "[\"none\"]"),
		PAIR("Enum", "\1", "\"Low\""),
		WHOLE("U8", "\7", " { \"\\u0076\" : 7 } "),
		/* Of a repeated member the last one counts, all of it. */
		WHOLE("U8", "\2", "{\"v\":1,\"v\":2}"),
		WHOLE("Nest", "\0\2\0\0\0\0\0\0\0",
	              "{\"a\":{\"x\":1},\"a\":{\"y\":2}}"),
		WHOLE("Nest", "\0\0\0\7\0\0\0\0\0",
	              "{\"b\":[{\"y\":9},{\"x\":9}],\"e\":{},\"b\":[{\"x\":7}]"
	              "}"),
		WHOLE("Nest", "\0\0\0\0\0\0\0\0\0", "{}"),
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_bytes(cases[i].name, cases[i].text, cases[i].bytes,
		             cases[i].size_bytes);
}

TEST(test_what_does_not_fit_is_refused_by_its_path)
{
	static const struct {
		const char *name;
		const char *text;
		const char *error;
	} cases[] = {
		{"U8", V("256"), "v: 256 does not fit u8, 0 to 255"},
		{"U8", V("-1"), "v: -1 does not fit u8, 0 to 255"},
		{"U8", V("1.5"), "v: 1.5 is no whole number, as u8 is"},
		{"U8", V("1e-1"), "v: 1e-1 is no whole number, as u8 is"},
		{"U8", V("1e999999999999"),
	         "v: 1e999999999999 does not fit u8, 0 to 255"},
		{"U64", V("18446744073709551616"),
	         "v: 18446744073709551616 does not fit u64, 0 to "
	         "18446744073709551615"},
		{"I64", V("-9223372036854775809"),
	         "v: -9223372036854775809 does not fit i64, "
	         "-9223372036854775808 to 9223372036854775807"},
		{"I8", V("128"), "v: 128 does not fit i8, -128 to 127"},
		{"U8", V("\"1\""), "v: expected a number, found a string"},
		{"U8", V("null"), "v: expected a number, found null"},
		{"F64", V("1e309"),
	         "v: 1e309 does not fit f64, -1.7976931348623157e+308 to "
	         "1.7976931348623157e+308"},
		{"F32", V("1e39"),
	         "v: 1e39 does not fit f32, -3.4028235e+38 to 3.4028235e+38"},
		{"F64", V("\"inf\""),
	         "v: the string 'inf' is no \"NaN\", \"Infinity\" or "
	         "\"-Infinity\""},
		{"Bool", V("256"), "v: 256 does not fit u8, 0 to 255"},
		{"Bool", V("\"true\""),
	         "v: expected true or false, found a string"},
		{"Bytes", V("\"AAA=\""), "v: expected 3 bytes, found 2"},
		{"Bytes", V("\"AAA\""), "v: is no valid base64"},
		{"Bytes", V("{}"),
	         "v: expected {\"base64\":\"...\"}, found an empty object"},
		{"Bytes", V("{\"b\":1}"),
	         "v: bytes are {\"base64\":\"...\"}, without a member 'b'"},
		{"Enum", V("\"Hihg\""),
	         "v: Level has no variant 'Hihg'; did you mean 'High'?"},
		{"Enum", V("256"), "v: 256 does not fit u8, 0 to 255"},
		{"Enum", V("[]"),
	         "v: expected the name of a variant, or a number, found an "
	         "array"},
		{"Flags", V("[\"a\",\"c\\u0000\"]"),
	         "v[1]: Bits has no variant 'c\\x00'"},
		{"Flags", V("[256]"), "v[0]: 256 does not fit u8, 0 to 255"},
		{"Flags", V("\"a\""),
	         "v: expected an array of names, or a number, found a string"},
		{"Text", V("\"abcde\""),
	         "v: 5 bytes are more than the 4 there is room for"},
		{"Text", V("\"\\udc00\""),
	         "v: has half a surrogate pair, which no UTF-8 can hold"},
		{"Text", V("[256]"), "v[0]: 256 does not fit u8, 0 to 255"},
		{"Words", V("[1,2,3,4]"),
	         "v: has more elements than the 3 there is room for"},
		{"Words", V("7"), "v: expected an array, found a number"},
		{"Grid", V("[[1],[2,300]]"),
	         "v[1][1]: 300 does not fit u8, 0 to 255"},
		{"U8", V("1,\"w\":2"), "w: U8 has no such field"},
		{"U8", "[]", "expected an object, as U8 is, found an array"},
		{"Nest", "{\"b\":[{},{\"y\":-1}]}",
	         "b[1].y: -1 does not fit u16, 0 to 65535"},
		{"Nest", "{\"a\":{\"z\":{\"deep\":[]}}}",
	         "a.z: Inner has no such field"},
		{"Nest", "{\"a\":{\"extra\":\"\"}}",
	         "a.extra: Inner has no such field"},
		{"U8", "{\"extra\":7}",
	         "extra: expected a string of base64, found a number"},
	};
	size_t size_bytes;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (encode(cases[i].name, cases[i].text, &size_bytes))
			fail_with("taken: %s", cases[i].text);
		assert_string_equal(error.text, cases[i].error);
		assert_int_equal(error.failure, CLI_BENDEC_BAD_VALUE);
	}
}

TEST(test_frames_too_short_match_nothing)
{
	assert_null(cli_bendec_match(
		type_of("U64"), (const unsigned char *)"1234567", 7, &error));
	assert_string_equal(error.text,
	                    "7 bytes are too few for U64, which has 8");
}

/* Deep inside of what is larger than any room at once. */
TEST(test_values_larger_than_the_output_are_whole)
{
	static const char large[] =
		"[{'name':'One','fields':[{'name':'a_name_of_a_length',"
		"'type':'u8'}]},{'name':'Many','fields':[{'name':'all',"
		"'type':'One','length':65531}]}]";
	struct cli_bendec *other = cli_bendec_new();
	const struct cli_bendec_type *type;
	struct cli_output output;
	struct cli_json_error json;
	struct cli_json_scan scan;
	size_t size_bytes = 65531;
	unsigned char *bytes = malloc(size_bytes);
	FILE *file = tmpfile();
	char *text;
	long length;

	assert_non_null(other);
	assert_non_null(bytes);
	assert_non_null(file);
	assert_true(add(other, large));
	assert_true(cli_bendec_resolve(other, &error));
	type = cli_bendec_choose(other, NULL, &error);
	for (size_t i = 0; i < size_bytes; i++)
		bytes[i] = (unsigned char)(i * 7);
	assert_int_equal(cli_output_init(&output, fileno(file)), 0);
	struct cli_writer writer = cli_output_writer(&output);

	cli_bendec_decode(other, type, false, true, bytes, size_bytes, '\n',
	                  &writer);
	assert_int_equal(cli_output_flush(&output), 0);
	cli_output_release(&output);
	length = lseek(fileno(file), 0, SEEK_END);
	text = malloc((size_t)length);
	assert_non_null(text);
	assert_int_equal(pread(fileno(file), text, (size_t)length, 0), length);
	fclose(file);
	assert_true(cli_json_check(text, (size_t)length, &json));
	cli_json_begin(&scan, text, (size_t)length);
	assert_true(cli_bendec_encode(type, &scan, payload, scratch_room,
	                              &size_bytes, &error));
	assert_int_equal(size_bytes, 65531);
	assert_memory_equal(payload, bytes, size_bytes);
	free(text);
	free(bytes);
	cli_bendec_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_and_values_are_each_other),
		cmocka_unit_test(test_values_have_more_than_one_spelling),
		cmocka_unit_test(test_what_does_not_fit_is_refused_by_its_path),
		cmocka_unit_test(test_frames_too_short_match_nothing),
		cmocka_unit_test(test_values_larger_than_the_output_are_whole),
	};

	return cmocka_run_group_tests(tests, make_schema, free_schema);
}
