/* Filters: literals, what a pattern requires, patterns, and values as jq has
 * them.  tests/interop/filters.bats compares them with jq and grep. */
#include "literals.h"
#include "pattern.h"
#include "required.h"
#include "support.h"
#include "value.h"
#include "where.h"

#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------- literals */

static struct cli_literals literals_of(const char *const *texts, size_t count)
{
	struct cli_literals literals = {.count = 0};

	for (size_t i = 0; i < count; i++)
		assert_true(cli_literals_add(&literals, texts[i],
		                             strlen(texts[i])));
	return literals;
}

TEST(test_literal_is_found_where_memmem_finds_it)
{
	static const char *const needles[] = {"a",    "ab",      "aab", "aaaa",
	                                      "abab", "bbbaaab", "ba"};
	unsigned char bytes[80];

	srand(1);
	for (int round = 0; round < rounds_of(20000); round++) {
		const char *needle =
			needles[(size_t)rand() % COUNT_OF(needles)];
		struct cli_literals set = literals_of(&needle, 1);
		size_t size = (size_t)rand() % sizeof(bytes);
		const unsigned char *wanted;

		for (size_t i = 0; i < size; i++)
			bytes[i] = (unsigned char)('a' + rand() % 2);
		wanted = memmem(bytes, size, needle, strlen(needle));
		assert_ptr_equal(
			cli_literal_find(&set.items[0], bytes, bytes + size),
			wanted);
	}
}

/* Bytes with masks, from a text: '?' is a gap, and '~' makes the letter behind
 * it one of either case. */
static size_t masked_of(const char *text, unsigned char *bytes,
                        unsigned char *masks)
{
	size_t size = 0;

	for (; *text != '\0'; text++, size++) {
		masks[size] = *text == '?'   ? CLI_MASK_ANY
		              : *text == '~' ? CLI_MASK_LETTER
		                             : CLI_MASK_EXACT;
		text += *text == '~';
		bytes[size] = (unsigned char)*text;
	}
	return size;
}

static const unsigned char *find_masked_slowly(const unsigned char *bytes,
                                               size_t size,
                                               const unsigned char *needle,
                                               const unsigned char *masks,
                                               size_t needle_size)
{
	for (size_t i = 0; i + needle_size <= size; i++) {
		size_t same = 0;

		while (same < needle_size &&
		       ((bytes[i + same] ^ needle[same]) & masks[same]) == 0)
			same++;
		if (same == needle_size)
			return bytes + i;
	}
	return NULL;
}

TEST(test_masked_literal_is_found_where_each_byte_fits)
{
	static const char *const needles[] = {"~a?b", "ab??~b", "~a~b",
	                                      "b?????????????????a", "~b"};
	unsigned char bytes[90], needle[32], masks[32];

	srand(3);
	for (int round = 0; round < rounds_of(20000); round++) {
		size_t needle_size = masked_of(
			needles[(size_t)rand() % COUNT_OF(needles)], needle,
			masks);
		struct cli_literals set = {.count = 0};
		size_t size = (size_t)rand() % sizeof(bytes);

		for (size_t i = 0; i < size; i++)
			bytes[i] = (unsigned char)"abABx"[rand() % 5];
		assert_true(cli_literals_add_masked(&set, needle, masks,
		                                    needle_size));
		assert_ptr_equal(
			cli_literal_find(&set.items[0], bytes, bytes + size),
			find_masked_slowly(bytes, size, needle, masks,
		                           needle_size));
	}
}

/* Frames behind one another, with size words that look like the literal. */
TEST(test_literals_mark_no_frame_for_what_lies_between)
{
	static const char text[] = "..xyAB"
				   "ABcdAB"
				   "AB..AB"
				   "cAB";
	const unsigned char *bytes = (const unsigned char *)text;
	const struct shmlog_frame frames[] = {
		{.payload = bytes, .size_bytes = 4},
		{.payload = bytes + 8, .size_bytes = 2},
		{.payload = bytes + 14, .size_bytes = 0},
		{.payload = bytes + 18, .size_bytes = 3},
	};
	static const char *const needle[] = {"AB"};
	struct cli_literals set = literals_of(needle, 1);
	enum cli_held held[COUNT_OF(frames)];

	cli_literals_mark(&set, frames, COUNT_OF(frames), held);
	assert_int_equal(held[0], CLI_HELD_NONE);
	assert_int_equal(held[1], CLI_HELD_NONE);
	assert_int_equal(held[2], CLI_HELD_NONE);
	assert_int_equal(held[3], CLI_HELD_SOME);
	set.items[0].decides = true;
	cli_literals_mark(&set, frames, COUNT_OF(frames), held);
	assert_int_equal(held[3], CLI_HELD_DECIDING);
}

static bool holds_one(const struct cli_literals *literals,
                      const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < literals->count; i++) {
		const struct cli_literal *one = &literals->items[i];

		if (memmem(bytes, size, one->bytes, one->size_bytes) != NULL)
			return true;
	}
	return false;
}

TEST(test_literals_mark_each_frame_that_holds_one)
{
	static const char *const needles[] = {"ab", "bba", "c"};
	struct cli_literals set = literals_of(needles, COUNT_OF(needles));
	unsigned char bytes[4096];
	struct shmlog_frame frames[256];
	enum cli_held held[256];

	srand(2);
	for (int round = 0; round < rounds_of(300); round++) {
		size_t at = 0, count = 0;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (unsigned char)"abbbbdc"[rand() % 6];
		while (count < 256 && at + 20 < sizeof(bytes)) {
			frames[count] = (struct shmlog_frame){
				.payload = bytes + at,
				.size_bytes = (uint32_t)(rand() % 12)};
			/* Now and then they do not lie in a row. */
			at += frames[count++].size_bytes +
			      (rand() % 9 == 0 ? 7 : 4);
		}
		cli_literals_mark(&set, frames, count, held);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(held[i] != CLI_HELD_NONE,
			                 holds_one(&set, frames[i].payload,
			                           frames[i].size_bytes));
	}
}

/* --------------------------------------------------------------- required */

enum requires {
	REQUIRES_NOTHING, /* nothing can be said */
	REQUIRES_SOME,    /* a match contains one of them */
	REQUIRES_ALL      /* ... and each of them is a match */
};

struct requirement {
	const char *pattern;
	enum requires wanted;
	/* One behind another, with a space between; a gap is a '?', a letter
	 * of either case a small one. */
	const char *literals;
	unsigned flags;
};

/* Adds a literal to a text, without blanks at its ends. */
static void show(char *text, const struct cli_literal *item)
{
	size_t from = item->bytes[0] == ' ';
	size_t size = item->size_bytes -
	              (item->bytes[item->size_bytes - 1] == ' ');

	text += strlen(text);
	for (size_t i = from; i < size; i++) {
		if (item->masks[i] == CLI_MASK_ANY)
			*text++ = '?';
		else if (item->masks[i] == CLI_MASK_LETTER)
			*text++ = (char)(item->bytes[i] | 0x20);
		else
			*text++ = (char)item->bytes[i];
	}
	*text = '\0';
}

TEST(test_required_literals_are_those_of_every_match)
{
	static const struct requirement cases[] = {
		{"error", REQUIRES_ALL, "error", 0},
		{"error|warning", REQUIRES_ALL, "error warning", 0},
		{"a\\.b", REQUIRES_ALL, "a.b", 0},
		{"err(or)?s", REQUIRES_SOME, "err", 0},
		{"erro*r", REQUIRES_SOME, "err", 0},
		{"ab+cd", REQUIRES_SOME, "ab", 0},
		{"^level: .*disk", REQUIRES_SOME, "level:", 0},
		{"x{2}yz", REQUIRES_SOME, "yz", 0},
		{"[0-9]+ ms|took", REQUIRES_SOME, "ms took", 0},
		{"{\"a\":1}", REQUIRES_ALL, "{\"a\":1}", 0},
		{"(?<=x)foo", REQUIRES_SOME, "foo", 0},
		{"[]x]foo[^]]", REQUIRES_SOME, "foo", 0},
		{"[a\\]b]foo", REQUIRES_SOME, "foo", 0},
		{"a(b[)]c)de", REQUIRES_SOME, "de", 0},
		/* One character of many leaves a gap, unless it is a code
	         * point; an assertion leaves none. */
		{"na.ve", REQUIRES_SOME, "na?ve", 0},
		{"h[12][0-9]7\"", REQUIRES_SOME, "h??7\"", 0},
		{".a\\db.", REQUIRES_SOME, "a?b", 0},
		{"a.+b.c", REQUIRES_SOME, "b?c", 0},
		{"ab.?cde", REQUIRES_SOME, "cde", 0},
		{"na.ve", REQUIRES_SOME, "na", CLI_REGEX_UTF},
		{"one\\btwo$", REQUIRES_SOME, "onetwo", 0},
		{"one\\Rtwo3", REQUIRES_SOME, "two3", 0},
		{"Err: 5", REQUIRES_ALL, "err: 5", CLI_REGEX_IGNORE_CASE},
		{"A.c", REQUIRES_SOME, "a?c", CLI_REGEX_IGNORE_CASE},
		{"disk Full", REQUIRES_SOME, "full",
	         CLI_REGEX_IGNORE_CASE | CLI_REGEX_UTF},
		/* K and S have a third case, which is longer. */
		{"lisp", REQUIRES_SOME, "li",
	         CLI_REGEX_IGNORE_CASE | CLI_REGEX_UTF},
		{"like", REQUIRES_SOME, "li",
	         CLI_REGEX_IGNORE_CASE | CLI_REGEX_UTF},
		{"lisp", REQUIRES_ALL, "lisp", CLI_REGEX_IGNORE_CASE},
		{"ab\u00e9cde", REQUIRES_SOME, "cde",
	         CLI_REGEX_IGNORE_CASE | CLI_REGEX_UTF},
		/* Not plain to see, or too short to be of use. */
		{"a", REQUIRES_NOTHING, "", 0},
		{"", REQUIRES_NOTHING, "", 0},
		{"error|", REQUIRES_NOTHING, "", 0},
		{"(error)", REQUIRES_NOTHING, "", 0},
		{"(?i)error", REQUIRES_NOTHING, "", 0},
		{"(?x) er ror", REQUIRES_NOTHING, "", 0},
		{"\\x41bcd", REQUIRES_NOTHING, "", 0},
		{"\\Qa|b\\Ecd", REQUIRES_NOTHING, "", 0},
		{"foo\\1", REQUIRES_NOTHING, "", 0},
		{"ab{,3}cd", REQUIRES_NOTHING, "", 0},
		{"(*MARK:ab)cd", REQUIRES_NOTHING, "", 0},
		{"[[:alpha:]]cd", REQUIRES_NOTHING, "", 0},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cli_literals literals = {.count = 0};
		char text[256] = "";
		enum requires got = REQUIRES_NOTHING;

		if (cli_required_literals(cases[i].pattern,
		                          strlen(cases[i].pattern),
		                          cases[i].flags, &literals))
			got = REQUIRES_ALL;
		for (size_t k = 0; k < literals.count; k++) {
			if (k > 0)
				strcat(text, " ");
			show(text, &literals.items[k]);
			if (!literals.items[k].decides)
				got = REQUIRES_SOME;
		}
		if (got != cases[i].wanted ||
		    strcmp(text, cases[i].literals) != 0)
			fail_with("%s: %d, %s", cases[i].pattern, (int)got,
			          text);
	}
}

/* --------------------------------------------------------------- patterns */

static enum cli_regex_match find(const char *const *patterns, size_t count,
                                 bool ignore_case, const char *text,
                                 size_t size_bytes)
{
	struct cli_pattern_error error;
	struct cli_pattern *pattern = cli_pattern_compile(patterns, count,
	                                                  ignore_case, &error);
	enum cli_regex_match match;

	if (pattern == NULL && error.regex.failure == CLI_REGEX_NOT_BUILT)
		skip();
	assert_non_null(pattern);
	match = cli_pattern_search(pattern, (const unsigned char *)text,
	                           size_bytes, 0, NULL);
	cli_pattern_free(pattern);
	return match;
}

static bool matches(const char *pattern, const char *text)
{
	return find(&pattern, 1, false, text, strlen(text)) == CLI_REGEX_MATCH;
}

TEST(test_pattern_takes_a_character_for_a_code_point_where_it_must)
{
	assert_true(matches("^..$", "\u00e9"));
	assert_true(matches("^\u00e9?.$", "\u20ac"));
	assert_true(matches("\\p{Lu}", "x\u00c9"));
	assert_false(matches("\\p{Lu}", "x\u00e9"));
	/* What is no UTF-8 of a payload matches nothing, and all else does. */
	assert_true(matches("\u00e9b", "\xff\xc3\u00e9b\xc3"));
	assert_false(matches("^\u00e9?.b", "\xff"
	                                   "b"));
	/* A pattern that is no UTF-8 is one of bytes. */
	assert_true(matches("\xff.", "a\xff\xc3"));
}

TEST(test_patterns_are_alternatives_whatever_is_in_them)
{
	static const char *const groups[] = {"(a)\\1", "(b)(c)\\2"};
	static const char *const comment[] = {"(?x)zz #)", "y"};
	static const char *const verb[] = {"(*ANYCRLF)zz", "y"};
	static const char *const named[] = {"(?<n>a)\\k<n>", "(?<n>b)\\k<n>"};
	static const char *const plain[] = {"^a", "b$", "(?i)c"};

	assert_int_equal(find(groups, 2, false, "bcc", 3), CLI_REGEX_MATCH);
	assert_int_equal(find(groups, 2, false, "bcb", 3), CLI_REGEX_NO_MATCH);
	assert_int_equal(find(comment, 2, false, "y", 1), CLI_REGEX_MATCH);
	assert_int_equal(find(verb, 2, false, "y", 1), CLI_REGEX_MATCH);
	assert_int_equal(find(named, 2, false, "bb", 2), CLI_REGEX_MATCH);
	assert_int_equal(find(plain, 3, false, "xC", 2), CLI_REGEX_MATCH);
	assert_int_equal(find(plain, 3, false, "xA", 2), CLI_REGEX_NO_MATCH);
	assert_int_equal(find(plain, 3, true, "xB", 2), CLI_REGEX_MATCH);
}

TEST(test_pattern_that_takes_too_long_says_so)
{
	static const char *const slow[] = {"^(a|aa)+$"};
	static const char *const deep[] = {"(?:(x)|y)*+z"};
	char *text = malloc(SHMLOG_PAYLOAD_MAX_BYTES);

	assert_non_null(text);
	memset(text, 'a', 64);
	text[63] = 'b';
	assert_int_equal(find(slow, 1, false, text, 64), CLI_REGEX_OVER_LIMIT);
	/* A long payload alone is none of those. */
	memset(text, 'y', SHMLOG_PAYLOAD_MAX_BYTES);
	text[SHMLOG_PAYLOAD_MAX_BYTES - 1] = 'z';
	assert_int_equal(find(deep, 1, false, text, SHMLOG_PAYLOAD_MAX_BYTES),
	                 CLI_REGEX_MATCH);
	free(text);
}

TEST(test_bad_pattern_of_several_is_named)
{
	static const char *const texts[] = {"a", "b(c", "d"};
	struct cli_pattern_error error;

	assert_null(cli_pattern_compile(texts, 3, false, &error));
	if (error.regex.failure == CLI_REGEX_NOT_BUILT)
		skip();
	assert_int_equal(error.nth, 1);
	assert_int_equal(error.regex.failure, CLI_REGEX_BAD);
	assert_int_equal(error.regex.offset, 3);
}

/* ----------------------------------------------------------------- values */

static int order(const char *one, const char *two)
{
	struct cli_arena arena = {.blocks = NULL};
	struct cli_value first = cli_value_of_text(one, strlen(one));
	struct cli_value second = cli_value_of_text(two, strlen(two));
	int forwards = 0, backwards = 0;

	assert_true(cli_value_compare(&arena, &first, &second, &forwards));
	assert_true(cli_value_compare(&arena, &second, &first, &backwards));
	cli_arena_free(&arena);
	assert_int_equal((forwards > 0) - (forwards < 0),
	                 (backwards < 0) - (backwards > 0));
	return (forwards > 0) - (forwards < 0);
}

TEST(test_values_stand_in_the_order_of_jq)
{
	static const char *const ascending[] = {
		"null",
		"false",
		"true",
		"-1e400",
		"-18446744073709551617",
		"-18446744073709551616",
		"-1.5",
		"-1",
		"0",
		"1e-300",
		"0.5",
		"1",
		"1.5",
		"9007199254740992",
		"9007199254740993",
		"18446744073709551615",
		"18446744073709551616",
		"1e400",
		"\"\"",
		"\"A\"",
		"\"a\"",
		"\"a\\u0000\"",
		"\"ab\"",
		"\"b\"",
		"\"\u00e9\"",
		"\"\\ufffd\"",
		"\"\\ud83d\\ude00\"",
		"[]",
		"[0]",
		"[0,0]",
		"[1]",
		"{}",
		"{\"a\":1}",
		"{\"a\":2}",
		"{\"a\":1,\"b\":0}",
		"{\"b\":0}",
	};

	for (size_t i = 0; i < COUNT_OF(ascending); i++) {
		for (size_t k = 0; k < COUNT_OF(ascending); k++) {
			int wanted = (i > k) - (i < k);

			if (order(ascending[i], ascending[k]) != wanted)
				fail_with("%s and %s", ascending[i],
				          ascending[k]);
		}
	}
}

TEST(test_values_of_many_spellings_are_the_same)
{
	static const char *const pairs[][2] = {
		{"1", "1.0"},
		{"100", "1e2"},
		{"100", "0.1E+3"},
		{"-0", "0.0e5"},
		{"0.1", "0.10000000000000001"},
		{"1.5", "15e-1"},
		{"18446744073709551616", "18446744073709551616.000"},
		{"\"a\"", "\"\\u0061\""},
		{"\"\\/\"", "\"/\""},
		{"\"\\ud800\"", "\"\\ufffd\""},
		{"[ 1 , 2 ]", "[1,2]"},
		{"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"},
		{"{\"a\":1,\"a\":2}", "{\"\\u0061\":2}"},
		{" {} ", "{}"},
	};

	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		if (order(pairs[i][0], pairs[i][1]) != 0)
			fail_with("%s and %s", pairs[i][0], pairs[i][1]);
	}
}

TEST(test_values_that_are_too_deep_are_not_compared)
{
	struct cli_arena arena = {.blocks = NULL};
	char text[2 * CLI_VALUE_DEPTH + 4];
	struct cli_value value;
	int ignored;

	memset(text, '[', CLI_VALUE_DEPTH + 1);
	memset(text + CLI_VALUE_DEPTH + 1, ']', CLI_VALUE_DEPTH + 1);
	value = cli_value_of_text(text, 2 * CLI_VALUE_DEPTH + 2);
	assert_false(cli_value_compare(&arena, &value, &value, &ignored));
	value = cli_value_of_text(text + 2, 2 * CLI_VALUE_DEPTH - 2);
	assert_true(cli_value_compare(&arena, &value, &value, &ignored));
	cli_arena_free(&arena);
}

/* ------------------------------------------------------------ expressions */

static enum cli_where_answer judge(const char *expression, const char *json)
{
	struct cli_where_error error;
	struct cli_where *where = cli_where_parse(expression, &error);
	enum cli_where_answer answer;

	if (where == NULL && error.failure == CLI_WHERE_NO_REGEX)
		skip();
	if (where == NULL)
		fail_with("%s: %s", expression, error.reason);
	answer = cli_where_judge(where, (const unsigned char *)json,
	                         strlen(json));
	cli_where_free(where);
	return answer;
}

TEST(test_where_takes_no_bytes_that_are_no_json)
{
	static const char *const texts[] = {
		"",     " ",     "{\"a\":1",   "{'a':1}", "1 2",
		"nan",  "01",    "{\"a\":1}}", "tru",     "\"\xff\"",
		"[1,]", "plain", "\"a\nb\"",
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_int_equal(judge("true", texts[i]), CLI_WHERE_NO);
	assert_int_equal(judge("true", " null\n"), CLI_WHERE_YES);
}

TEST(test_where_is_exact_about_whole_numbers)
{
	assert_int_equal(judge(". == 9007199254740993", "9007199254740993"),
	                 CLI_WHERE_YES);
	assert_int_equal(judge(". == 9007199254740993", "9007199254740992"),
	                 CLI_WHERE_NO);
	assert_int_equal(
		judge(". > 18446744073709551615", "18446744073709551616"),
		CLI_WHERE_YES);
	assert_int_equal(judge(".a < -9223372036854775808",
	                       "{\"a\":-9223372036854775809}"),
	                 CLI_WHERE_YES);
}

TEST(test_where_sees_through_escapes_and_repeated_members)
{
	assert_int_equal(judge(".level == \"error\"",
	                       "{\"le\\u0076el\":\"err\\u006fr\"}"),
	                 CLI_WHERE_YES);
	assert_int_equal(judge(".a == 2", "{\"a\":2,\"a\":3}"), CLI_WHERE_NO);
	assert_int_equal(judge(".a == 3", "{\"a\":2,\"\\u0061\":3}"),
	                 CLI_WHERE_YES);
	assert_int_equal(judge("length == 1", "{\"a\":2,\"a\":3}"),
	                 CLI_WHERE_YES);
	assert_int_equal(judge(".[\"a\\\\n\"]", "{\"a\\n\":true}"),
	                 CLI_WHERE_NO);
	assert_int_equal(judge(".[\"a\\\\n\"]", "{\"a\\\\n\":true}"),
	                 CLI_WHERE_YES);
	assert_int_equal(judge("has(\"a\") | not", "null"), CLI_WHERE_YES);
	assert_int_equal(judge("contains(\"b\")", "\"a\\u0000b\""),
	                 CLI_WHERE_YES);
	assert_int_equal(judge("length == 2", "\"\\ud83d\\ude00\\ud800\""),
	                 CLI_WHERE_YES);
}

TEST(test_where_says_when_a_regular_expression_takes_too_long)
{
	assert_int_equal(judge("test(\"^(a|aa)+$\")",
	                       "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	                       "aaaaaaaaaaaaaab\""),
	                 CLI_WHERE_OVER_LIMIT);
}

struct refusal {
	const char *expression;
	enum cli_where_failure failure;
	size_t column;
};

TEST(test_where_refuses_with_the_column)
{
	static const struct refusal cases[] = {
		{"", CLI_WHERE_SYNTAX, 1},
		{"  ", CLI_WHERE_SYNTAX, 3},
		{".a ==", CLI_WHERE_SYNTAX, 6},
		{".a = 1", CLI_WHERE_OUTSIDE, 4},
		{".a |= 1", CLI_WHERE_OUTSIDE, 4},
		{".a + 1", CLI_WHERE_OUTSIDE, 4},
		{".a // 1", CLI_WHERE_OUTSIDE, 4},
		{".a, .b", CLI_WHERE_OUTSIDE, 3},
		{".a[]", CLI_WHERE_OUTSIDE, 3},
		{".a[1:2]", CLI_WHERE_OUTSIDE, 5},
		{".a[.b]", CLI_WHERE_OUTSIDE, 4},
		{"..", CLI_WHERE_OUTSIDE, 1},
		{".a..b", CLI_WHERE_OUTSIDE, 3},
		{".a.", CLI_WHERE_SYNTAX, 3},
		{".a[\"b\"", CLI_WHERE_SYNTAX, 7},
		{"(.a", CLI_WHERE_SYNTAX, 4},
		{".a)", CLI_WHERE_SYNTAX, 3},
		{"1 == 1 == 1", CLI_WHERE_SYNTAX, 8},
		{"\"\u00e9\" == \"a", CLI_WHERE_SYNTAX, 8},
		{"\"\\(.a)\"", CLI_WHERE_OUTSIDE, 2},
		{"\"\\ud800\"", CLI_WHERE_SYNTAX, 2},
		{"[.a]", CLI_WHERE_OUTSIDE, 2},
		{".a == 01", CLI_WHERE_OUTSIDE, 7},
		{"- .a", CLI_WHERE_OUTSIDE, 1},
		{"$x", CLI_WHERE_SYNTAX, 1},
		{"$ENV.x", CLI_WHERE_OUTSIDE, 1},
		{"a", CLI_WHERE_SYNTAX, 1},
		{".a b", CLI_WHERE_SYNTAX, 4},
		{".a #b", CLI_WHERE_SYNTAX, 4},
		{"#b", CLI_WHERE_SYNTAX, 1},
		{". == 0x10", CLI_WHERE_SYNTAX, 7},
		{"test(\"(\")", CLI_WHERE_SYNTAX, 8},
		{"test(\"[a\")", CLI_WHERE_SYNTAX, 9},
		{"test(\"a)\")", CLI_WHERE_SYNTAX, 8},
		{"INDEX(.a)", CLI_WHERE_OUTSIDE, 1},
		{"wit", CLI_WHERE_SYNTAX, 1},
		{"walks(.)", CLI_WHERE_SYNTAX, 1},
		{"yn(1; 2)", CLI_WHERE_OUTSIDE, 1},
		{"@text", CLI_WHERE_OUTSIDE, 1},
		{".a as $x | 1", CLI_WHERE_OUTSIDE, 4},
		{"map(.a)", CLI_WHERE_OUTSIDE, 1},
		{"if . then 1 else 2 end", CLI_WHERE_OUTSIDE, 1},
		{"startswith(.a)", CLI_WHERE_OUTSIDE, 12},
		{"contains([1])", CLI_WHERE_OUTSIDE, 10},
		{"has(.a)", CLI_WHERE_OUTSIDE, 5},
		{"test(\"a\"; \"x\")", CLI_WHERE_OUTSIDE, 11},
		{"test(\"a(?<n>b)\")", CLI_WHERE_OUTSIDE, 9},
		{"test(\"a**\")", CLI_WHERE_OUTSIDE, 9},
		{"test(\"a\\\\h\")", CLI_WHERE_OUTSIDE, 8},
		{"all(.a?)", CLI_WHERE_OUTSIDE, 1},
		{"any((.a)? == .b)", CLI_WHERE_OUTSIDE, 1},
		{"any(any != (1)?)", CLI_WHERE_OUTSIDE, 1},
		{"any(1; .)", CLI_WHERE_OUTSIDE, 5},
		{"any(.[]; .; .)", CLI_WHERE_OUTSIDE, 11},
		{".a \x01", CLI_WHERE_SYNTAX, 4},
		{".a ?// .b", CLI_WHERE_OUTSIDE, 4},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cli_where_error error;
		struct cli_where *where = cli_where_parse(cases[i].expression,
		                                          &error);

		if (where != NULL || error.failure != cases[i].failure ||
		    error.column != cases[i].column)
			fail_with("%s: %s: %d at column %zu: %s",
			          cases[i].expression,
			          where != NULL ? "taken" : "refused",
			          (int)error.failure, error.column,
			          error.reason);
	}
}

TEST(test_where_bounds_how_deep_and_how_long_an_expression_is)
{
	char text[6000];
	struct cli_where_error error;
	struct cli_where *where;

	memset(text, '(', 300);
	text[300] = '\0';
	assert_null(cli_where_parse(text, &error));
	assert_int_equal(error.column, 201);
	for (size_t i = 0; i < 2048; i++)
		memcpy(text + 2 * i, ".a", 3);
	where = cli_where_parse(text, &error);
	assert_non_null(where);
	assert_int_equal(cli_where_judge(where, (const unsigned char *)"{}", 2),
	                 CLI_WHERE_NO);
	cli_where_free(where);
	strcat(text, ".a");
	assert_null(cli_where_parse(text, &error));
	assert_int_equal(error.column, 4097);
}

struct filtering {
	const char *expression;
	const char *literals; /* with a space behind each */
};

TEST(test_where_knows_what_a_payload_must_hold)
{
	static const struct filtering cases[] = {
		{".level == \"error\"", "\"error\" "},
		{"\"error\" == .a.b[0]", "\"error\" "},
		{".a == \"x\" or .b == \"yy\"", "\"x\" \"yy\" "},
		{".a == \"x\" and .b == \"yy\"", "\"yy\" "},
		{".a | startswith(\"ab\")", "\"ab "},
		{".a | endswith(\"ab\")", "ab\" "},
		{".a | contains(\"ab\")", "ab "},
		{"any(.tags[]; . == \"x\")", "\"x\" "},
		{".flag", "\"flag\" "},
		{"has(\"k\")", "\"k\" "},
		{"(.level == \"error\")?", "\"error\" "},
		/* Nothing that a payload must hold. */
		{".a == 1", ""},
		{".a != \"x\"", ""},
		{".a == \"x\" or .b", "\"x\" \"b\" "},
		{".a == \"x\" or .b == 1", ""},
		{"(.a == \"x\") | not", ""},
		{"(.a == \"x\") == false", ""},
		{"all(.tags[]; . == \"x\")", ""},
		{"(.a | type) == \"string\"", ""},
		{"type | startswith(\"str\")", ""},
		{".a == \"q\\\"\"", ""},
		{"\"x\" | contains(\"x\")", ""},
		{".a == {\"b\":\"x\"}", ""},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cli_where_error error;
		struct cli_where *where = cli_where_parse(cases[i].expression,
		                                          &error);
		const struct cli_literals *literals;
		char text[256] = "";

		assert_non_null(where);
		literals = cli_where_literals(where);
		for (size_t k = 0; k < literals->count; k++) {
			strncat(text, (const char *)literals->items[k].bytes,
			        literals->items[k].size_bytes);
			strcat(text, " ");
		}
		if (strcmp(text, cases[i].literals) != 0)
			fail_with("%s: %s", cases[i].expression, text);
		cli_where_free(where);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literal_is_found_where_memmem_finds_it),
		cmocka_unit_test(
			test_masked_literal_is_found_where_each_byte_fits),
		cmocka_unit_test(
			test_literals_mark_no_frame_for_what_lies_between),
		cmocka_unit_test(test_literals_mark_each_frame_that_holds_one),
		cmocka_unit_test(
			test_required_literals_are_those_of_every_match),
		cmocka_unit_test(
			test_pattern_takes_a_character_for_a_code_point_where_it_must),
		cmocka_unit_test(
			test_patterns_are_alternatives_whatever_is_in_them),
		cmocka_unit_test(test_pattern_that_takes_too_long_says_so),
		cmocka_unit_test(test_bad_pattern_of_several_is_named),
		cmocka_unit_test(test_values_stand_in_the_order_of_jq),
		cmocka_unit_test(test_values_of_many_spellings_are_the_same),
		cmocka_unit_test(
			test_values_that_are_too_deep_are_not_compared),
		cmocka_unit_test(test_where_takes_no_bytes_that_are_no_json),
		cmocka_unit_test(test_where_is_exact_about_whole_numbers),
		cmocka_unit_test(
			test_where_sees_through_escapes_and_repeated_members),
		cmocka_unit_test(
			test_where_says_when_a_regular_expression_takes_too_long),
		cmocka_unit_test(test_where_refuses_with_the_column),
		cmocka_unit_test(
			test_where_bounds_how_deep_and_how_long_an_expression_is),
		cmocka_unit_test(test_where_knows_what_a_payload_must_hold),
	};

	return cmocka_run_group_tests_name("cli_filter", tests, NULL, NULL);
}
