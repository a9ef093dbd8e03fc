/* UTF-8, escaping, base64: what is let through, and what is not; words. */
#include "base64.h"
#include "escape.h"
#include "escape_wide.h"
#include "mention.h"
#include "numbers.h"
#include "support.h"
#include "utf8.h"
#include "wide.h"

#include <stdlib.h>
#include <string.h>

/* A text with its length, NULs included, and what becomes of it. */
struct pair {
	const char *bytes;
	size_t size_bytes;
	const char *want;
};

#define PAIR(literal, want)                        \
	{                                          \
		literal, sizeof(literal) - 1, want \
	}

/* ------------------------------------------------------------------ UTF-8 */

/* Encodes any number as UTF-8 would, surrogates and all. */
static size_t encode(unsigned char *out, unsigned point)
{
	if (point < 0x80) {
		out[0] = (unsigned char)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (unsigned char)(0xc0 | point >> 6);
		out[1] = (unsigned char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (unsigned char)(0xe0 | point >> 12);
		out[1] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
		out[2] = (unsigned char)(0x80 | (point & 0x3f));
		return 3;
	}
	out[0] = (unsigned char)(0xf0 | point >> 18);
	out[1] = (unsigned char)(0x80 | (point >> 12 & 0x3f));
	out[2] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
	out[3] = (unsigned char)(0x80 | (point & 0x3f));
	return 4;
}

TEST(test_utf8_decode_takes_every_code_point_but_surrogates)
{
	for (unsigned point = 0; point < 0x1fffff; point++) {
		bool legal = point <= 0x10ffff &&
		             (point < 0xd800 || point > 0xdfff);
		unsigned char bytes[4];
		size_t length = encode(bytes, point);
		unsigned decoded = 0;

		assert_int_equal(cli_utf8_decode(bytes, length, &decoded),
		                 legal ? length : 0);
		if (legal)
			assert_int_equal(decoded, point);
		if (length > 1)
			assert_int_equal(
				cli_utf8_decode(bytes, length - 1, &decoded),
				0);
	}
}

TEST(test_utf8_decode_refuses_what_is_not_the_shortest_form)
{
	static const struct pair bad[] = {
		PAIR("", ""),
		PAIR("\x80", ""),
		PAIR("\xbf", ""),
		PAIR("\xc0\x80", ""),
		PAIR("\xc1\xbf", ""),
		PAIR("\xe0\x80\x80", ""),
		PAIR("\xe0\x9f\xbf", ""),
		PAIR("\xf0\x80\x80\x80", ""),
		PAIR("\xf0\x8f\xbf\xbf", ""),
		PAIR("\xf8\x88\x80\x80\x80", ""),
		PAIR("\xff", ""),
		PAIR("\xc3(", ""),
		PAIR("\xe2\x82(", ""),
		PAIR("\xe2(\xa1", ""),
		PAIR("\xf0\x9f\x98(", ""),
	};
	unsigned point;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const unsigned char *bytes =
			(const unsigned char *)bad[i].bytes;

		assert_int_equal(
			cli_utf8_decode(bytes, bad[i].size_bytes, &point), 0);
	}
}

TEST(test_utf8_is_valid_finds_a_bad_byte_at_every_place)
{
	unsigned char text[64];

	memset(text, 'a', sizeof(text));
	assert_true(cli_utf8_is_valid(text, 0));
	assert_true(cli_utf8_is_valid(text, sizeof(text)));
	for (size_t at = 0; at < sizeof(text); at++) {
		text[at] = 0x80;
		for (size_t size = at + 1; size <= sizeof(text); size++)
			assert_false(cli_utf8_is_valid(text, size));
		assert_true(cli_utf8_is_valid(text, at));
		text[at] = 'a';
	}
	for (size_t at = 0; at + 3 <= sizeof(text); at++) {
		memcpy(text + at, "\xe2\x82\xac", 3);
		assert_true(cli_utf8_is_valid(text, sizeof(text)));
		assert_false(cli_utf8_is_valid(text, at + 2));
		memset(text, 'a', sizeof(text));
	}
}

/* ------------------------------------------------------ unsafe characters */

TEST(test_invisible_and_acting_code_points_are_unsafe)
{
	static const unsigned unsafe[] = {
		0,       0x07,    0x1b,    0x1f,    0x7f,     0x80,     0x9b,
		0x9f,    0xad,    0x34f,   0x600,   0x61c,    0x115f,   0x1160,
		0x17b4,  0x180e,  0x200b,  0x200d,  0x200e,   0x200f,   0x2028,
		0x2029,  0x202a,  0x202e,  0x2060,  0x2064,   0x2065,   0x2066,
		0x2069,  0x206a,  0x206f,  0x3164,  0xfdd0,   0xfdef,   0xfe00,
		0xfe0f,  0xfeff,  0xffa0,  0xfff9,  0xfffb,   0xfffe,   0xffff,
		0x1bca0, 0x1d173, 0x1fffe, 0x1ffff, 0xe0000,  0xe0001,  0xe0020,
		0xe007f, 0xe0100, 0xe01ef, 0xe0fff, 0x10fffe, 0x10ffff,
	};
	static const unsigned safe[] = {
		0x20,   0x7e,    0xa0,    0xac,    0xae,     0xe9,   0x34e,
		0x350,  0x61b,   0x2010,  0x2027,  0x202f,   0x2030, 0x205f,
		0x2070, 0x20ac,  0x3042,  0x3163,  0x3165,   0x4e2d, 0xac00,
		0xd7ff, 0xe000,  0xf8ff,  0xfdcf,  0xfdf0,   0xfe10, 0xfffc,
		0xfffd, 0x1f600, 0xdfffd, 0xe1000, 0x10fffd,
	};

	for (size_t i = 0; i < COUNT_OF(unsafe); i++)
		assert_true(cli_code_point_is_unsafe(unsafe[i]));
	for (size_t i = 0; i < COUNT_OF(safe); i++)
		assert_false(cli_code_point_is_unsafe(safe[i]));
}

/* --------------------------------------------------------------- escaping */

/* Escapes from and to memory of exactly the promised size, so that a byte too
 * many is seen by a sanitizer. */
static void expect_escape(size_t (*escape)(unsigned char *,
                                           const unsigned char *, size_t),
                          size_t most, const struct pair *pair)
{
	unsigned char *in = malloc(pair->size_bytes + 1);
	unsigned char *out = malloc(pair->size_bytes * most + 1);
	size_t length;

	memcpy(in, pair->bytes, pair->size_bytes);
	length = escape(out, in, pair->size_bytes);
	assert_true(length <= pair->size_bytes * most);
	out[length] = '\0';
	assert_string_equal((const char *)out, pair->want);
	free(in);
	free(out);
}

TEST(test_escape_terminal_lets_nothing_act_on_the_terminal)
{
	static const struct pair cases[] = {
		PAIR("", ""),
		PAIR("plain text, \\ and \" stay",
	             "plain text, \\ and \" stay"),
		PAIR("\n\t\r", "\\n\\t\\r"),
		PAIR("\0\x07\x1b[31m\x7f", "\\x00\\x07\\x1b[31m\\x7f"),
		PAIR("\xc2\x9b"
	             "31m",
	             "\\u{9b}31m"),
		PAIR("\x9b"
	             "31m\xff",
	             "\\x9b31m\\xff"),
		PAIR("a\xe2\x80\xae"
	             "b",
	             "a\\u{202e}b"),
		PAIR("\xc2\xad\xe2\x80\x8b\xef\xbb\xbf",
	             "\\u{ad}\\u{200b}\\u{feff}"),
		PAIR("\xf3\xa0\x80\x81\xf4\x8f\xbf\xbf",
	             "\\u{e0001}\\u{10ffff}"),
		PAIR("\xe6\x97\xa5\xf0\x9f\x98\x80\xc3\xa9",
	             "\xe6\x97\xa5\xf0\x9f\x98\x80\xc3\xa9"),
		PAIR("\xed\xa0\x80", "\\xed\\xa0\\x80"),
		PAIR("\xe2\x82", "\\xe2\\x82"),
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_escape(cli_escape_terminal, CLI_ESCAPE_TERMINAL_MAX,
		              &cases[i]);
}

TEST(test_escape_json_gives_a_safe_string_of_the_same_value)
{
	static const struct pair cases[] = {
		PAIR("", ""),
		PAIR("nothing special at all in this one",
	             "nothing special at all in this one"),
		PAIR("\"\\/", "\\\"\\\\/"),
		PAIR("\b\f\n\r\t", "\\b\\f\\n\\r\\t"),
		PAIR("\0\x01\x1b\x1f\x7f",
	             "\\u0000\\u0001\\u001b\\u001f\\u007f"),
		PAIR("\xc2\x80\xc2\x9b\xc2\x9f", "\\u0080\\u009b\\u009f"),
		PAIR("\xe2\x80\xae\xe2\x80\xa8", "\\u202e\\u2028"),
		PAIR("\xf3\xa0\x80\x81", "\\udb40\\udc01"),
		PAIR("\xf4\x8f\xbf\xbf", "\\udbff\\udfff"),
		PAIR("\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80",
	             "\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80"),
		/* bytes that are no text, each as a surrogate of its own */
		PAIR("\xff\x80", "\\udcff\\udc80"),
		PAIR("\xed\xa0\x80", "\\udced\\udca0\\udc80"),
		PAIR("1234567\"1234567\"12345678\"", "1234567\\\"1234567\\\""
	                                             "12345678\\\""),
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_escape(cli_escape_json, CLI_ESCAPE_JSON_MAX, &cases[i]);
}

TEST(test_escape_json_escapes_a_special_byte_at_every_place)
{
	static const struct pair specials[] = {
		PAIR("\x1f", "\\u001f"), PAIR("\0", "\\u0000"),
		PAIR("\x7f", "\\u007f"), PAIR("\xff", "\\udcff"),
		PAIR("\n", "\\n"),       PAIR("\"", "\\\""),
		PAIR("\\", "\\\\"),
	};

	for (size_t i = 0; i < COUNT_OF(specials) * 40 * 40; i++) {
		const struct pair *special = &specials[i / (40 * 40)];
		size_t size = i / 40 % 40;
		size_t at = i % 40;
		char text[40];
		char want[48];
		struct pair pair = {text, size, want};

		if (at >= size)
			continue;
		memset(text, ' ', size);
		text[at] = special->bytes[0];
		memset(want, ' ', sizeof(want));
		memcpy(want + at, special->want, strlen(special->want));
		want[size - 1 + strlen(special->want)] = '\0';
		expect_escape(cli_escape_json, CLI_ESCAPE_JSON_MAX, &pair);
	}
}

TEST(test_escapes_keep_their_bounds_whatever_the_bytes)
{
	struct chance chance = chance_start("escapes", 1);

	for (int round = 0; round < 20000; round++) {
		size_t size = chance_below(&chance, 60);
		size_t rare = 1 + chance_below(&chance, 20);
		unsigned char *in = malloc(size + 1);
		unsigned char *json = malloc(size * CLI_ESCAPE_JSON_MAX + 1);
		unsigned char *slow = malloc(size * CLI_ESCAPE_JSON_MAX + 1);
		unsigned char *terminal = malloc(
			size * CLI_ESCAPE_TERMINAL_MAX + 1);
		size_t length;

		for (size_t i = 0; i < size; i++) {
			in[i] = (unsigned char)"\"\\ab"[chance_below(&chance,
			                                             4)];
			if (chance_below(&chance, rare) == 0)
				in[i] = (unsigned char)chance_next(&chance);
		}
		length = cli_escape_json(json, in, size);
		assert_true(length <= size * CLI_ESCAPE_JSON_MAX);
		assert_int_equal(cli_escape_json_slowly(slow, in, size),
		                 length);
		assert_memory_equal(slow, json, length);
		assert_true(cli_utf8_is_valid(json, length));
		length = cli_escape_terminal(terminal, in, size);
		assert_true(length <= size * CLI_ESCAPE_TERMINAL_MAX);
		assert_true(cli_utf8_is_valid(terminal, length));
		free(in);
		free(json);
		free(slow);
		free(terminal);
	}
}

/* Text as wide instructions may read it: with so much behind it, in memory of
 * exactly that size. */
static void expect_text_escape(const unsigned char *bytes, size_t size_bytes,
                               size_t beyond)
{
	bool is_text = memchr(bytes, '\0', size_bytes) == NULL &&
	               cli_utf8_is_valid(bytes, size_bytes);
	unsigned char *in = malloc(size_bytes + beyond + 1);
	unsigned char *room = malloc(CLI_ESCAPE_ROOM(size_bytes));
	unsigned char *slow = malloc(CLI_ESCAPE_ROOM(size_bytes));
	unsigned char *out = room, *slow_out = slow;
	/* The byte in front makes the end of the input that of the memory. */
	unsigned char *text = in + 1;

	memcpy(text, bytes, size_bytes);
	/* What goes on behind it could end a character. */
	memset(text + size_bytes, 0x80, beyond);
	assert_int_equal(cli_escape_json_text(&out, text, size_bytes,
	                                      size_bytes + beyond),
	                 is_text);
	assert_int_equal(
		cli_escape_json_text_slowly(&slow_out, text, size_bytes),
		is_text);
	if (is_text) {
		assert_int_equal(out - room, slow_out - slow);
		assert_memory_equal(room, slow, (size_t)(out - room));
		assert_int_equal(cli_escape_json_slowly(slow, text, size_bytes),
		                 out - room);
		assert_memory_equal(room, slow, (size_t)(out - room));
	} else {
		assert_ptr_equal(out, room);
	}
	free(in);
	free(room);
	free(slow);
}

TEST(test_escape_text_takes_every_code_point_as_it_does_slowly)
{
	unsigned char text[40];

	for (unsigned point = 0; point <= 0x10ffff; point++) {
		size_t at = point % 32;

		memset(text, '"', sizeof(text));
		at += encode(text + at, point);
		expect_text_escape(text, at, point % 3 * 24);
	}
}

TEST(test_escape_text_refuses_what_is_none_at_any_place)
{
	struct chance chance = chance_start("text", 2);
	unsigned char text[200];

	for (int round = 0; round < 30000; round++) {
		size_t most = 1 + chance_below(&chance, 160), size = 0;
		size_t rare = 1 + chance_below(&chance, 40);

		while (size < most) {
			unsigned kind = (unsigned)chance_below(&chance, rare);

			if (kind == 0)
				size += encode(text + size,
				               (unsigned)chance_below(&chance,
				                                      0x11000));
			else if (kind == 1)
				text[size++] = (unsigned char)chance_next(
					&chance);
			else
				text[size++] =
					(unsigned char)"\"\\ab"[kind % 4];
		}
		/* It may end inside of a character. */
		expect_text_escape(text, most, chance_below(&chance, 80));
	}
}

#ifdef CLI_ESCAPE_WIDE

CLI_ESCAPE_WIDE static void
put_by_shuffles(unsigned char *out, const unsigned char *bytes, uint32_t hits)
{
	cli_escape_put_block(out, bytes, hits);
}

CLI_ESCAPE_WIDEST static void
put_by_pairs(unsigned char *out, const unsigned char *bytes, uint32_t hits)
{
	cli_escape_put_pairs(out, bytes, hits);
}

/* Puts a block, and compares it with one that is put byte by byte. */
static void check_block(void (*put)(unsigned char *out,
                                    const unsigned char *bytes, uint32_t hits),
                        uint32_t hits)
{
	unsigned char bytes[CLI_ESCAPE_LOADED], want[64], room[96];
	size_t used = 0;

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(hits * 31 + i * 7);
	for (unsigned i = 0; i < CLI_ESCAPE_STEP; i++) {
		if ((hits >> i & 1) != 0)
			want[used++] = '\\';
		want[used++] = bytes[i];
	}
	memset(room, 1, sizeof(room));
	put(room, bytes, hits);
	assert_memory_equal(room, want, used);
	for (unsigned i = 64; i < sizeof(room); i++)
		assert_int_equal(room[i], 1);
}

TEST(test_a_block_gets_its_backslashes_in_each_way)
{
	uint32_t hits = 1;

	for (unsigned i = 0; i < 100000; i++) {
		/* None, all, and any between. */
		uint32_t set = i < 2 ? 0 - i : hits >> i % 32;

		hits = hits * 1664525u + 1013904223u;
		if (cli_is_wide())
			check_block(put_by_shuffles, set);
		if (cli_is_wider())
			check_block(put_by_pairs, set);
	}
}

#endif

/* ---------------------------------------------------------------- numbers */

TEST(test_put_u64_writes_both_ends_of_the_range)
{
	unsigned char text[CLI_U64_MAX + 1];

	text[cli_put_u64(text, 0)] = '\0';
	assert_string_equal((const char *)text, "0");
	text[cli_put_u64(text, 9007199254740993u)] = '\0';
	assert_string_equal((const char *)text, "9007199254740993");
	text[cli_put_u64(text, UINT64_MAX)] = '\0';
	assert_string_equal((const char *)text, "18446744073709551615");
}

/* ----------------------------------------------------------------- base64 */

TEST(test_base64_encodes_the_examples_of_rfc_4648)
{
	static const struct pair cases[] = {
		PAIR("", ""),
		PAIR("f", "Zg=="),
		PAIR("fo", "Zm8="),
		PAIR("foo", "Zm9v"),
		PAIR("foob", "Zm9vYg=="),
		PAIR("fooba", "Zm9vYmE="),
		PAIR("foobar", "Zm9vYmFy"),
		PAIR("\xff\xff\xff\xfb\xef\xbe", "////++++"),
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[16];
		unsigned char back[16];
		size_t size;
		size_t length = cli_base64_encode(
			text, (const unsigned char *)cases[i].bytes,
			cases[i].size_bytes);

		assert_int_equal(length, cli_base64_size(cases[i].size_bytes));
		text[length] = '\0';
		assert_string_equal(text, cases[i].want);
		assert_true(cli_base64_decode(back, &size, text, length));
		assert_int_equal(size, cases[i].size_bytes);
		assert_memory_equal(back, cases[i].bytes, size);
	}
}

TEST(test_base64_round_trips_every_byte_at_every_place)
{
	for (size_t size = 1; size <= 5; size++) {
		for (unsigned value = 0; value < 256; value++) {
			unsigned char bytes[5];
			char text[8];
			size_t length;
			size_t back;

			for (size_t i = 0; i < size; i++)
				bytes[i] = (unsigned char)(value * (i + 1));
			length = cli_base64_encode(text, bytes, size);
			/* where the text is */
			assert_true(cli_base64_decode((unsigned char *)text,
			                              &back, text, length));
			assert_int_equal(back, size);
			assert_memory_equal(text, bytes, size);
		}
	}
}

TEST(test_base64_decode_is_strict)
{
	static const char *const bad[] = {
		"Z",        "Zg",       "Zg=",  "Zg===",      "====", "=Zg=",
		"Zg==Zg==", "Z===",     "Zh==", "Zm9=",       "Zm 8", "Zm8\n",
		"Zm-_",     "Zm8=Zm8=", "Zg=a", "\303\251ab",
	};
	unsigned char out[16];
	size_t size;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(
			cli_base64_decode(out, &size, bad[i], strlen(bad[i])));
}

/* ------------------------------------------------------------------ words */

TEST(test_mention_is_of_a_whole_word_in_any_case_and_number)
{
	static const char text[] = "end after N Frames (that pass)";

	assert_true(cli_mentions(text, "frames"));
	assert_true(cli_mentions(text, "FRAME"));
	assert_true(cli_mentions(text, "n"));
	assert_true(cli_mentions(text, "that"));
	assert_true(cli_mentions("a frame", "frames"));
	assert_true(cli_mentions("its passes", "pass"));
	assert_true(cli_mentions("cursor-file", "file"));
	assert_true(cli_mentions("cursor-file", "cursor-file"));
	assert_true(cli_mentions("reframe a frame", "frame"));
	assert_false(cli_mentions(text, "fram"));
	assert_false(cli_mentions(text, "rame"));
	assert_false(cli_mentions(text, "paths"));
	assert_false(cli_mentions(text, "framesss"));
	assert_false(cli_mentions(text, ""));
	assert_false(cli_mentions("", "x"));
	assert_false(cli_mentions(text, "s"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_utf8_decode_takes_every_code_point_but_surrogates),
		cmocka_unit_test(
			test_utf8_decode_refuses_what_is_not_the_shortest_form),
		cmocka_unit_test(
			test_utf8_is_valid_finds_a_bad_byte_at_every_place),
		cmocka_unit_test(
			test_invisible_and_acting_code_points_are_unsafe),
		cmocka_unit_test(
			test_escape_terminal_lets_nothing_act_on_the_terminal),
		cmocka_unit_test(
			test_escape_json_gives_a_safe_string_of_the_same_value),
		cmocka_unit_test(
			test_escape_json_escapes_a_special_byte_at_every_place),
		cmocka_unit_test(
			test_escapes_keep_their_bounds_whatever_the_bytes),
		cmocka_unit_test(
			test_escape_text_takes_every_code_point_as_it_does_slowly),
		cmocka_unit_test(
			test_escape_text_refuses_what_is_none_at_any_place),
#ifdef CLI_ESCAPE_WIDE
		cmocka_unit_test(test_a_block_gets_its_backslashes_in_each_way),
#endif
		cmocka_unit_test(test_put_u64_writes_both_ends_of_the_range),
		cmocka_unit_test(test_base64_encodes_the_examples_of_rfc_4648),
		cmocka_unit_test(
			test_base64_round_trips_every_byte_at_every_place),
		cmocka_unit_test(test_base64_decode_is_strict),
		cmocka_unit_test(
			test_mention_is_of_a_whole_word_in_any_case_and_number),
	};

	return cmocka_run_group_tests_name("cli_text", tests, NULL, NULL);
}
