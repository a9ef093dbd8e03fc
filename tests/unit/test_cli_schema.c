/* Type definitions: what they resolve to, and what is refused. */
#include "support.h"

#include "bendec.h"
#include "command.h"

#include <stdlib.h>
#include <string.h>

static struct cli_bendec *schema;
static struct cli_bendec_error error;

static int make_schema(void **state)
{
	(void)state;
	schema = cli_bendec_new();
	memset(&error, 0, sizeof(error));
	return schema == NULL;
}

static int free_schema(void **state)
{
	(void)state;
	cli_bendec_free(schema);
	return 0;
}

/* Definitions with single quotes for double ones. */
static bool add(const char *file, const char *definitions)
{
	char *text = strdup(definitions);
	bool added;

	assert_non_null(text);
	for (char *at = text; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at;
	added = cli_bendec_add(schema, file, text, strlen(text), &error);
	free(text);
	return added;
}

static bool load(const char *definitions)
{
	return add("file", definitions) && cli_bendec_resolve(schema, &error);
}

static const struct cli_bendec_type *find(const char *name)
{
	struct cli_bendec_definition definition;

	if (!cli_bendec_find(schema, name, &definition, &error))
		fail_with("%s: %s", name, error.text);
	return definition.type;
}

static const struct cli_bendec_type *field(const struct cli_bendec_type *type,
                                           size_t n)
{
	assert_in_range(n, 0, type->field_count - 1);
	return type->fields[n].type;
}

/* ---------------------------------------------------------------- resolving */

TEST(test_fields_are_packed)
{
	assert_true(load("[{'name':'P','fields':[{'name':'a','type':'u8'},"
	                 "{'name':'b','type':'u64'},{'name':'c',"
	                 "'type':'i16'},{'name':'d','type':'u32',"
	                 "'length':3}]}]"));
	assert_int_equal(find("P")->size_bytes, 23);
	assert_int_equal(find("P")->fields[1].offset, 1);
	assert_int_equal(find("P")->fields[2].offset, 9);
	assert_int_equal(find("P")->fields[3].offset, 11);
}

TEST(test_primitives_are_known_without_being_defined)
{
	static const struct {
		const char *name;
		enum cli_bendec_kind kind;
		uint32_t size_bytes;
	} cases[] = {
		{"u8", CLI_BENDEC_U8, 1},     {"u16", CLI_BENDEC_U16, 2},
		{"u32", CLI_BENDEC_U32, 4},   {"u64", CLI_BENDEC_U64, 8},
		{"i8", CLI_BENDEC_I8, 1},     {"i16", CLI_BENDEC_I16, 2},
		{"i32", CLI_BENDEC_I32, 4},   {"i64", CLI_BENDEC_I64, 8},
		{"f32", CLI_BENDEC_F32, 4},   {"f64", CLI_BENDEC_F64, 8},
		{"bool", CLI_BENDEC_BOOL, 1}, {"char", CLI_BENDEC_U8, 1},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[128];
		const struct cli_bendec_type *type;

		snprintf(text, sizeof(text),
		         "{'name':'T%zu','fields':[{'name':'x','type':'%s'}]}",
		         i, cases[i].name);
		cli_bendec_free(schema);
		schema = cli_bendec_new();
		assert_true(load(text));
		type = field(cli_bendec_nth(schema, 0).type, 0);
		assert_int_equal(type->kind, cases[i].kind);
		assert_int_equal(type->size_bytes, cases[i].size_bytes);
	}
}

TEST(test_definitions_stand_in_any_order_and_file)
{
	assert_true(
		add("a", "[{'name':'A','fields':[{'name':'b','type':'B'}]}]"));
	assert_true(
		add("b", "[{'name':'C','fields':[{'name':'x','type':'u8'}]}]"));
	assert_true(add("c", "[{'name':'B','alias':'C'}]"));
	assert_true(cli_bendec_resolve(schema, &error));
	assert_ptr_equal(field(find("A"), 0), find("C"));
}

TEST(test_kind_may_be_missing_a_name_or_a_number)
{
	assert_true(load("[{'name':'A','size':3},{'kind':'Primitive',"
	                 "'name':'B','size':3},{'kind':1,'name':'C',"
	                 "'size':3},{'kind':'Array','name':'D','type':'A',"
	                 "'length':2},{'kind':null,'name':'E','alias':'D'}]"));
	assert_int_equal(find("A")->kind, CLI_BENDEC_BYTES);
	assert_int_equal(find("C")->kind, CLI_BENDEC_BYTES);
	assert_int_equal(find("E")->size_bytes, 6);
}

TEST(test_a_name_is_looked_for_in_its_own_namespace)
{
	assert_true(load("[{'name':'ns.A','fields':[{'name':'x','type':'B'},"
	                 "{'name':'y','type':'C'}]},{'name':'ns.B',"
	                 "'fields':[{'name':'x','type':'u16'}]},"
	                 "{'name':'ns.C','fields':[{'name':'x',"
	                 "'type':'u8'}]},{'name':'C','fields':[{'name':'x',"
	                 "'type':'u64'}]}]"));
	assert_ptr_equal(field(find("ns.A"), 0), find("ns.B"));
	/* What is defined as it stands comes first. */
	assert_ptr_equal(field(find("ns.A"), 1), find("C"));
}

TEST(test_an_array_of_char_by_this_name_is_text)
{
	assert_true(load("[{'name':'char','alias':'u8'},{'name':'Letter',"
	                 "'alias':'char'},{'name':'Word','type':'char',"
	                 "'length':4},{'name':'A','fields':[{'name':'a',"
	                 "'type':'char','length':3},{'name':'b',"
	                 "'type':'Letter','length':3},{'name':'c',"
	                 "'type':'Word'},{'name':'d','type':'Word',"
	                 "'length':2},{'name':'e','type':'u8','length':3},"
	                 "{'name':'f','type':'char'}]}]"));
	assert_int_equal(field(find("A"), 0)->kind, CLI_BENDEC_TEXT);
	assert_int_equal(field(find("A"), 1)->kind, CLI_BENDEC_ARRAY);
	assert_int_equal(field(find("A"), 2)->kind, CLI_BENDEC_TEXT);
	assert_int_equal(field(find("A"), 3)->element->kind, CLI_BENDEC_TEXT);
	assert_int_equal(field(find("A"), 4)->kind, CLI_BENDEC_ARRAY);
	assert_int_equal(field(find("A"), 5)->kind, CLI_BENDEC_U8);
}

TEST(test_an_alias_is_read_by_its_name_where_it_is_used)
{
	assert_true(load("[{'name':'bool','alias':'u8'},{'name':'Flag',"
	                 "'alias':'bool'},{'name':'A','fields':[{'name':'a',"
	                 "'type':'bool'},{'name':'b','type':'Flag'}]}]"));
	assert_int_equal(field(find("A"), 0)->kind, CLI_BENDEC_BOOL);
	assert_int_equal(field(find("A"), 1)->kind, CLI_BENDEC_U8);
}

TEST(test_a_length_of_zero_is_none)
{
	assert_true(load("[{'name':'A','fields':[{'name':'a','type':'u16',"
	                 "'length':0}]}]"));
	assert_int_equal(find("A")->size_bytes, 2);
	assert_int_equal(field(find("A"), 0)->kind, CLI_BENDEC_U16);
}

TEST(test_variants_are_numbers_or_strings_of_them)
{
	static const uint64_t values[] = {0x1001, 0x1010, 0x1005,
	                                  UINT64_C(0x8000000000000fff)};
	const struct cli_bendec_type *type;

	assert_true(load("[{'name':'E','underlying':'u64','offset':'0x1000',"
	                 "'variants':[['A',1],['B','0x10','words'],['C',"
	                 "'0b101'],['D','0x7fffffffffffffff']]}]"));
	type = find("E");
	assert_int_equal(type->variant_count, COUNT_OF(values));
	for (size_t i = 0; i < COUNT_OF(values); i++)
		assert_int_equal(type->variants[i].value, values[i]);
}

TEST(test_of_variants_with_one_value_the_last_counts)
{
	const struct cli_bendec_type *type;

	assert_true(load("[{'name':'E','underlying':'u8','variants':[['A',"
	                 "1],['B',0],['C',1]]}]"));
	type = find("E");
	assert_int_equal(type->value_count, 2);
	assert_string_equal(type->by_value[1]->name, "C");
}

static const char animals[] =
	"[{'name':'Kind','underlying':'u16',"
	"'offset':'0x1000','variants':[['Zebra',1],"
	"['Toucan',2]]},{'name':'Header',"
	"'fields':[{'name':'n','type':'u8'},{'name':'kind',"
	"'type':'Kind'}]},{'name':'Zebra',"
	"'fields':[{'name':'header','type':'Header'},"
	"{'name':'legs','type':'u8'}]},{'name':'Toucan',"
	"'fields':[{'name':'header','type':'Header'},"
	"{'name':'wings','type':'u16'}]},{'name':'Animal',"
	"'discriminator':['header','kind'],"
	"'members':['Zebra','Toucan']}]";

TEST(test_a_union_goes_by_an_enum_deep_inside)
{
	const struct cli_bendec_type *type;

	assert_true(load(animals));
	type = find("Animal");
	assert_int_equal(type->size_bytes, 5);
	assert_int_equal(type->discriminator_offset, 1);
	assert_int_equal(type->members[0].value, 0x1001);
	assert_int_equal(type->members[1].value, 0x1002);
}

TEST(test_a_member_whose_variant_is_hidden_has_no_value)
{
	const struct cli_bendec_type *type;

	assert_true(load("[{'name':'K','underlying':'u8','variants':"
	                 "[['A',1],['B',2],['Other',1]]},"
	                 "{'name':'A','fields':[{'name':'k','type':'K'}]},"
	                 "{'name':'B','fields':[{'name':'k','type':'K'}]},"
	                 "{'name':'U','discriminator':['k'],"
	                 "'members':['A','B']}]"));
	type = find("U");
	assert_false(type->members[0].has_value);
	assert_true(type->members[1].has_value);
	assert_int_equal(type->discriminator_count, 1);
}

/* -------------------------------------------------------------- choosing */

TEST(test_the_one_union_is_chosen)
{
	assert_true(load(animals));
	assert_ptr_equal(cli_bendec_choose(schema, NULL, &error),
	                 find("Animal"));
}

TEST(test_the_one_struct_that_no_other_uses_is_chosen)
{
	assert_true(load("[{'name':'A','fields':[{'name':'b','type':'B'}]},{'"
	                 "name':'B','fields':[]}]"));
	assert_ptr_equal(cli_bendec_choose(schema, NULL, &error), find("A"));
}

TEST(test_of_two_neither_is_chosen)
{
	assert_true(
		load("[{'name':'A','fields':[]},{'name':'B','fields':[]}]"));
	assert_null(cli_bendec_choose(schema, NULL, &error));
	assert_int_equal(error.failure, CLI_BENDEC_UNKNOWN_NAME);
	assert_non_null(strstr(error.text, "'A', 'B'"));
}

TEST(test_a_type_that_frames_cannot_have_is_not_chosen)
{
	assert_true(load("[{'name':'E','underlying':'u8','variants':[]}]"));
	assert_null(cli_bendec_choose(schema, "E", &error));
	assert_int_equal(error.failure, CLI_BENDEC_UNKNOWN_NAME);
	assert_null(cli_bendec_choose(schema, "Other", &error));
	assert_int_equal(error.failure, CLI_BENDEC_UNKNOWN_NAME);
}

/* -------------------------------------------------------------- refusals */

struct refusal {
	const char *definitions;
	const char *part; /* of the message */
};

#define ENUM "{'name':'E','underlying':'u8','variants':[['A',1],['B',2]]}"

static const struct refusal refusals[] = {
	{"", "not JSON"},
	{"[", "line 1, byte 2"},
	{"[\n {'name':}]", "line 2, byte 10"},
	{"7", "expected an array of definitions, found a number"},
	{"[7]", "definition 1: is a number"},
	{"[{}]", "definition 1: has no \"name\""},
	{"[{'name':''}]", "is empty"},
	{"[{'name':'a\\u0000b','size':1}]", "holds a NUL"},
	{"[{'name':'\\ud800','size':1}]", "half a surrogate pair"},
	{"[{'name':7,'size':1}]", "must be a string, not a number"},
	{"[{'name':'A'}]", "type 'A': is no type"},
	{"[{'name':'A','kind':'Struct'}]", "but it has no \"fields\""},
	{"[{'name':'A','kind':'Struct','size':1}]", "make it Primitive"},
	{"[{'name':'A','kind':'Thing','size':1}]", "unknown \"kind\""},
	{"[{'name':'A','kind':7,'size':1}]", "unknown \"kind\""},
	{"[{'name':'A','size':0}]", "must be at least 1"},
	{"[{'name':'A','size':-1}]", "no whole number from 0 to 65531"},
	{"[{'name':'A','size':1.5}]", "no whole number"},
	{"[{'name':'A','size':65532}]", "no whole number from 0 to 65531"},
	{"[{'name':'A','size':18446744073709551617}]", "no whole number"},
	{"[{'name':'A','size':'8'}]", "must be a number, not a string"},
	{"[{'name':'u64','size':4}]", "u64 has 8"},
	{"[{'name':'u8','fields':[]}]", "u8 is a primitive of 1 byte"},
	{"[{'name':'A','size':1},{'name':'A','size':2}]",
         "type 'A': is defined in 'file' as well, with another \"size\""},
	{"[{'name':'A','fields':[{'name':'a','type':'u8'},"
         "{'name':'a','type':'u8'}]}]",
         "field 'a': is defined twice"},
	{"[{'name':'A','fields':[{'name':'a','type':'B'}]}]",
         "type 'A', field 'a': unknown type 'B'"},
	{"[{'name':'A','fields':[{'name':'a','type':'u46'}]}]",
         "did you mean 'u16'?"},
	{"[{'name':'A','fields':[7]}]", "type 'A', field 1: is a number"},
	{"[{'name':'A','fields':[{'type':'u8'}]}]", "field 1: has no \"name\""},
	{"[{'name':'A','fields':[{'name':'x'}]}]",
         "field 'x': has no \"type\""},
	{"[{'name':'A','fields':[{'name':'a','type':'u8',"
         "'length':65532}]}]",
         "field 'a': \"length\""},
	{"[{'name':'A','fields':[{'name':'a','type':'u8',"
         "'length':-1}]}]",
         "no whole number"},
	{"[{'name':'A','fields':[{'name':'a','type':'u64',"
         "'length':65531}]}]",
         "524248 bytes are more than"},
	{"[{'name':'A','fields':[{'name':'a','type':'u8',"
         "'length':65531},{'name':'b','type':'u8'}]}]",
         "field 'b': 65532 bytes are more than the 65531"},
	{"[{'name':'A','type':'u64','length':10000}]", "80000 bytes"},
	{"[{'name':'A','type':'u8','length':0}]", "at least 1"},
	{"[{'name':'A','fields':[{'name':'a','type':'A'}]}]",
         "the circle is 'A', 'A'"},
	{"[{'name':'A','fields':[{'name':'b','type':'B'}]},"
         "{'name':'B','fields':[{'name':'c','type':'C',"
         "'length':2}]},{'name':'C','alias':'A'}]",
         "the circle is 'A', 'B', 'C', 'A'"},
	{"[{'name':'A','alias':'A'}]", "contains itself"},
	{"[{'name':'E','underlying':'f64','variants':[]}]", "is no integer"},
	{"[{'name':'E','variants':[]}]", "without \"underlying\""},
	{"[{'name':'E','underlying':'u8','variants':[['A',"
         "256]]}]",
         "variant 'A': 256 does not fit u8, 0 to 255"},
	{"[{'name':'E','underlying':'i8','variants':[['A',"
         "-129]]}]",
         "-129 does not fit i8, -128 to 127"},
	{"[{'name':'E','underlying':'u8','offset':250,"
         "'variants':[['A',6]]}]",
         "256 does not fit"},
	{"[{'name':'E','underlying':'u64','offset':1,"
         "'variants':[['A','0xffffffffffffffff']]}]",
         "more than 64 bits"},
	{"[{'name':'E','underlying':'u8','variants':[['A',"
         "'12']]}]",
         "nor a string such as \"0x1f\""},
	{"[{'name':'E','underlying':'u8','offset':'0b1',"
         "'variants':[]}]",
         "offset"},
	{"[{'name':'E','underlying':'u8','variants':[['A',"
         "1.5]]}]",
         "no whole number"},
	{"[{'name':'E','underlying':'u8','variants':[['A']]}]", "lacks"},
	{"[{'name':'E','underlying':'u8','variants':[['A',"
         "1],['A',2]]}]",
         "variant 'A': is defined twice"},
	{"[{'name':'U','members':['A']}]", "without \"discriminator\""},
	{"[{'name':'U','discriminator':['k'],'members':[]}]",
         "without members"},
	{"[" ENUM ",{'name':'A','fields':[{'name':'x','type':'E'}]},"
         "{'name':'U','discriminator':['k'],"
         "'members':['A']}]",
         "type 'U',"
         " member 'A': the discriminator's field 'k' is not in 'A'"},
	{"[{'name':'A','fields':[{'name':'k','type':'u8'}]},"
         "{'name':'U','discriminator':['k'],"
         "'members':['A']}]",
         "is no enum"},
	{"[" ENUM ",{'name':'A','fields':[{'name':'k','type':'E',"
         "'length':2}]},{'name':'U','discriminator':['k'],"
         "'members':['A']}]",
         "is no enum"},
	{"[" ENUM ",{'name':'A','fields':[{'name':'k','type':'E'}]},"
         "{'name':'B','fields':[{'name':'n','type':'u8'},"
         "{'name':'k','type':'E'}]},{'name':'U',"
         "'discriminator':['k'],'members':['A','B']}]",
         "at offset 1"},
	{"[" ENUM ",{'name':'F','underlying':'u8','variants':[['B',2]]},"
         "{'name':'A','fields':[{'name':'k','type':'E'}]},"
         "{'name':'B','fields':[{'name':'k','type':'F'}]},{'name':'U',"
         "'discriminator':['k'],'members':['A','B']}]",
         "its discriminator is F at offset 0, that of the first member E"},
	{"[" ENUM ",{'name':'C','fields':[{'name':'k','type':'E'}]},"
         "{'name':'U','discriminator':['k'],"
         "'members':['C']}]",
         "no variant"},
	{"[" ENUM ",{'name':'A','fields':[{'name':'k','type':'E'}]},"
         "{'name':'U','discriminator':['k'],'members':['A',"
         "'A']}]",
         "same value"},
	{"[" ENUM ",{'name':'U','discriminator':['k'],"
         "'members':['E']}]",
         "is no struct"},
	{"[" ENUM ",{'name':'A','fields':[{'name':'k','type':'E'}]},"
         "{'name':'U','discriminator':['k'],"
         "'members':['A']},{'name':'S',"
         "'fields':[{'name':'u','type':'U'}]}]",
         "is a union"},
	{"[{'name':'A','fields':[]},{'name':'B','type':'A','length':"
         "65531},"
         "{'name':'C','type':'B','length':65531}]",
         "more than 16 MiB as JSON"},
};

TEST(test_what_cannot_be_is_refused_by_name)
{
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		const struct refusal *refusal = &refusals[i];

		cli_bendec_free(schema);
		schema = cli_bendec_new();
		memset(&error, 0, sizeof(error));
		if (load(refusal->definitions))
			fail_with("taken: %s", refusal->definitions);
		if (strstr(error.text, refusal->part) == NULL)
			fail_with("%s\n  says: %s\n  not: %s",
			          refusal->definitions, error.text,
			          refusal->part);
		assert_int_equal(error.failure, CLI_BENDEC_BAD_DEFINITION);
		assert_string_equal(error.file, "file");
	}
}

TEST(test_types_in_types_have_a_bottom)
{
	char text[80];

	assert_true(add("file",
	                "{'name':'S0','fields':[{'name':'a','type':'u8'}]}"));
	for (int i = 1; i < 400; i++) {
		snprintf(text, sizeof(text),
		         "{'name':'S%d','fields':[{'name':'a','type':'S%d'}]}",
		         i, i - 1);
		assert_true(add("file", text));
	}
	assert_false(cli_bendec_resolve(schema, &error));
	assert_non_null(strstr(error.text, "levels"));
}

/* Two definitions of one name, and what differs; NULL for nothing. */
static const struct {
	const char *one;
	const char *two;
	const char *difference;
} pairs[] = {
	{"{'name':'A','size':3}", "{'desc':'d','size':3,'name':'A'}", NULL},
	{"{'name':'A','size':3}", "{'name':'A','alias':'u8'}", "kind"},
	{"{'name':'A','alias':'u8'}", "{'name':'A','kind':2,'alias':'u8'}",
         NULL},
	{"{'name':'A','alias':'u8'}", "{'name':'A','alias':'i8'}", "\"alias\""},
	{"{'name':'A','type':'u8','length':2}",
         "{'name':'A','type':'u8','length':2}", NULL},
	{"{'name':'A','type':'u8','length':2}",
         "{'name':'A','type':'u8','length':3}", "\"length\""},
	{"{'name':'A','type':'u8','length':2}",
         "{'name':'A','type':'i8','length':2}", "\"type\""},
	{"{'name':'A','fields':[{'name':'a','type':'u8'}]}",
         "{'name':'A','fields':[{'name':'a','type':'u8','length':0}]}", NULL},
	{"{'name':'A','fields':[{'name':'a','type':'u8'}]}",
         "{'name':'A','fields':[{'name':'a','type':'u8','length':1}]}",
         "\"fields\""},
	{"{'name':'A','fields':[{'name':'a','type':'u8'}]}",
         "{'name':'A','fields':[{'name':'b','type':'u8'}]}", "\"fields\""},
	{"{'name':'A','fields':[{'name':'a','type':'u8'}]}",
         "{'name':'A','fields':[{'name':'a','type':'i8'}]}", "\"fields\""},
	{"{'name':'A','fields':[{'name':'a','type':'u8'}]}",
         "{'name':'A','fields':[]}", "\"fields\""},
	{"{'name':'A','underlying':'u8','offset':'0x10',"
         "'variants':[['X',1],['Y','0b11']]}",
         "{'name':'A','underlying':'u8','bitflags':false,"
         "'variants':[['X',17,'why'],['Y','0x13']]}",
         NULL},
	{"{'name':'A','underlying':'u8','variants':[['X',1]]}",
         "{'name':'A','underlying':'u16','variants':[['X',1]]}",
         "\"underlying\""},
	{"{'name':'A','underlying':'u8','variants':[['X',1]]}",
         "{'name':'A','underlying':'u8','bitflags':true,"
         "'variants':[['X',1]]}",
         "\"bitflags\""},
	{"{'name':'A','underlying':'i8','variants':[['X',1]]}",
         "{'name':'A','underlying':'i8','variants':[['X',-1]]}",
         "\"variants\""},
	{"{'name':'A','underlying':'i8','variants':[['X',1]]}",
         "{'name':'A','underlying':'i8','variants':[['Y',1]]}", "\"variants\""},
	{"{'name':'A','discriminator':['k','l'],'members':['B','C']}",
         "{'name':'A','discriminator':['k','l'],'members':['B','C']}", NULL},
	{"{'name':'A','discriminator':['k'],'members':['B','C']}",
         "{'name':'A','discriminator':['k'],'members':['C','B']}",
         "\"members\""},
	{"{'name':'A','discriminator':['k','l'],'members':['B']}",
         "{'name':'A','discriminator':['k'],'members':['B']}",
         "\"discriminator\""},
	{"{'name':'A','discriminator':['k','l'],'members':['B']}",
         "{'name':'A','discriminator':['k','m'],'members':['B']}",
         "\"discriminator\""},
};

TEST(test_a_type_may_be_defined_again_but_not_otherwise)
{
	char wanted[128];

	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		cli_bendec_free(schema);
		schema = cli_bendec_new();
		memset(&error, 0, sizeof(error));
		assert_true(add("one", pairs[i].one));
		bool taken = add("two", pairs[i].two);

		if (taken != (pairs[i].difference == NULL))
			fail_with("%s: %s", pairs[i].two, error.text);
		if (taken) {
			assert_int_equal(cli_bendec_count(schema), 1);
			continue;
		}
		snprintf(wanted, sizeof(wanted),
		         "type 'A': is defined in 'one' as well, with another "
		         "%s",
		         pairs[i].difference);
		assert_string_equal(error.text, wanted);
		assert_string_equal(error.file, "two");
		assert_int_equal(error.failure, CLI_BENDEC_BAD_DEFINITION);
	}
}

TEST(test_errors_name_the_file_of_the_definition)
{
	assert_true(add("one", "[{'name':'A','size':1}]"));
	assert_true(add("two", "[{'name':'B','alias':'Q'}]"));
	assert_false(cli_bendec_resolve(schema, &error));
	assert_string_equal(error.file, "two");
}

#define SCHEMA_TEST(name) \
	cmocka_unit_test_setup_teardown(name, make_schema, free_schema)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCHEMA_TEST(test_fields_are_packed),
		SCHEMA_TEST(test_primitives_are_known_without_being_defined),
		SCHEMA_TEST(test_definitions_stand_in_any_order_and_file),
		SCHEMA_TEST(test_kind_may_be_missing_a_name_or_a_number),
		SCHEMA_TEST(test_a_name_is_looked_for_in_its_own_namespace),
		SCHEMA_TEST(test_an_array_of_char_by_this_name_is_text),
		SCHEMA_TEST(test_an_alias_is_read_by_its_name_where_it_is_used),
		SCHEMA_TEST(test_a_length_of_zero_is_none),
		SCHEMA_TEST(test_variants_are_numbers_or_strings_of_them),
		SCHEMA_TEST(test_of_variants_with_one_value_the_last_counts),
		SCHEMA_TEST(test_a_union_goes_by_an_enum_deep_inside),
		SCHEMA_TEST(test_a_member_whose_variant_is_hidden_has_no_value),
		SCHEMA_TEST(test_the_one_union_is_chosen),
		SCHEMA_TEST(test_the_one_struct_that_no_other_uses_is_chosen),
		SCHEMA_TEST(test_of_two_neither_is_chosen),
		SCHEMA_TEST(test_a_type_that_frames_cannot_have_is_not_chosen),
		SCHEMA_TEST(test_what_cannot_be_is_refused_by_name),
		SCHEMA_TEST(test_types_in_types_have_a_bottom),
		SCHEMA_TEST(test_a_type_may_be_defined_again_but_not_otherwise),
		SCHEMA_TEST(test_errors_name_the_file_of_the_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
