/*
 * Random filters and frames, for the comparison with jq and grep:
 *
 *	filter_cases expressions|documents|patterns|lines SEED COUNT
 *
 * prints so many, one a line.  Whole numbers stay where doubles are exact, and
 * nothing is made that versions of jq answer differently.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static unsigned draw(unsigned limit)
{
	state = state * UINT64_C(6364136223846793005) +
	        UINT64_C(1442695040888963407);
	return (unsigned)(state >> 33) % limit;
}

static const char *pick(const char *const *words, size_t count)
{
	return words[draw((unsigned)count)];
}

#define PICK(words) pick(words, sizeof(words) / sizeof((words)[0]))

static const char *const names[] = {"a", "b", "c", "long_name", "a", "b"};

static const char *const strings[] = {
	"\"\"",
	"\"a\"",
	"\"b\"",
	"\"ab\"",
	"\"error\"",
	"\"Error\"",
	"\"x error y\"",
	"\"\\u00e9\"",
	"\"\u00e9t\"",
	"\"a\\\"q\"",
	"\"a\\\\n\"",
	"\"a\\nb\"",
	"\"12\"",
	"\"null\"",
	"\"\\ud83d\\ude00\"",
	"\"err\\u006fr\"",
	"\"word_1 and\"",
};

static const char *const numbers[] = {
	"0",  "1",        "2",   "-1",   "3",     "1.0",  "1.5",
	"-0", "1e2",      "100", "1e-1", "0.1",   "1E+2", "0.10",
	"12", "-12.5e-1", "7",   "8",    "1e308", "5e-1", "4503599627370496",
};

/* ------------------------------------------------------------- documents */

static void put_value(unsigned depth);

static void put_container(unsigned depth, bool object)
{
	unsigned count = draw(5);

	putchar(object ? '{' : '[');
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			fputs(draw(8) == 0 ? " , " : ",", stdout);
		if (object)
			printf(draw(20) == 0 ? "\"\\u0061\":" : "\"%s\":",
			       PICK(names));
		put_value(depth + 1);
	}
	putchar(object ? '}' : ']');
}

static void put_value(unsigned depth)
{
	unsigned kind = draw(depth < 4 ? 10 : 6);

	if (kind < 2)
		fputs(PICK(numbers), stdout);
	else if (kind < 4)
		fputs(PICK(strings), stdout);
	else if (kind == 4)
		fputs(draw(2) == 0 ? "true" : "false", stdout);
	else if (kind == 5)
		fputs("null", stdout);
	else
		put_container(depth, kind < 9);
}

static void put_document(void)
{
	if (draw(6) == 0)
		put_value(0);
	else
		put_container(0, draw(5) > 0);
}

/* ----------------------------------------------------------- expressions */

/* What may stand where: no ? in a condition of all, no (...)? in one of any,
 * which versions of jq differ about. */
struct place {
	unsigned depth;
	bool no_optional;
	bool no_try;
};

static void put_expression(struct place place);

static void put_path(struct place place, bool each)
{
	unsigned steps = draw(3) + 1;

	if (!each && draw(8) == 0) {
		putchar('.');
		return;
	}
	for (unsigned i = 0; i < steps; i++) {
		unsigned kind = draw(6);

		if (kind == 0)
			printf("%s[%d]", i == 0 ? "." : "", (int)draw(5) - 2);
		else if (kind == 1)
			printf("%s[\"%s\"]", i == 0 ? "." : "", PICK(names));
		else
			printf(".%s", PICK(names));
		if (!place.no_optional && draw(5) == 0)
			putchar('?');
	}
	if (each)
		fputs("[]", stdout);
	if (each && !place.no_optional && draw(4) == 0)
		putchar('?');
}

static void put_regex(void)
{
	static const char *const atoms[] = {
		"a",     "b",     "err",       "[a-e]", "[^a]",   ".",
		"\\\\d", "\\\\w", "\\\\s",     "(a|b)", "(?:er)", "o",
		"r",     "\\\\.", "[\\\\w.-]", "\\\\b", "E",      "\u00e9",
	};
	static const char *const repeats[] = {"*", "+", "?", "{1,2}", "+?"};
	unsigned count = draw(4) + 1;

	putchar('"');
	if (draw(4) == 0)
		putchar('^');
	for (unsigned i = 0; i < count; i++) {
		const char *atom = PICK(atoms);

		fputs(atom, stdout);
		if (draw(3) == 0 && strcmp(atom, "\\\\b") != 0)
			fputs(PICK(repeats), stdout);
	}
	if (draw(4) == 0)
		putchar('$');
	putchar('"');
}

static void put_condition(struct place place, bool all)
{
	place.depth++;
	place.no_try = true;
	place.no_optional |= all;
	put_expression(place);
}

static void put_search(struct place place)
{
	bool all = draw(2) == 0;

	fputs(all ? "all" : "any", stdout);
	switch (draw(3)) {
	case 0: break;
	case 1:
		putchar('(');
		put_condition(place, all);
		putchar(')');
		break;
	default:
		putchar('(');
		put_path(place, true);
		fputs("; ", stdout);
		put_condition(place, all);
		putchar(')');
	}
}

static void put_function(struct place place)
{
	static const char *const calls[] = {"startswith", "endswith",
	                                    "contains"};

	switch (draw(8)) {
	case 0: fputs("not", stdout); break;
	case 1: fputs("type", stdout); break;
	case 2: fputs("length", stdout); break;
	case 3: printf("%s(%s)", PICK(calls), PICK(strings)); break;
	case 4:
		if (draw(3) == 0)
			printf("has(%d)", (int)draw(3));
		else
			printf("has(\"%s\")", PICK(names));
		break;
	case 5:
		fputs("test(", stdout);
		put_regex();
		fputs(draw(3) == 0 ? "; \"i\")" : ")", stdout);
		break;
	default: put_search(place);
	}
}

static void put_constant(void)
{
	static const char *const others[] = {"null",
	                                     "true",
	                                     "false",
	                                     "[]",
	                                     "{}",
	                                     "[1]",
	                                     "{\"a\":1}",
	                                     "[1,\"a\",null]",
	                                     "{\"b\":{\"a\":1},\"a\":[1]}"};

	switch (draw(4)) {
	case 0: fputs(PICK(others), stdout); break;
	case 1: fputs(PICK(strings), stdout); break;
	default: fputs(PICK(numbers), stdout);
	}
}

static void put_operand(struct place place)
{
	switch (draw(8)) {
	case 0: put_constant(); break;
	case 1:
		putchar('(');
		put_path(place, false);
		fputs(" | ", stdout);
		put_function(place);
		putchar(')');
		break;
	case 2: put_function(place); break;
	default: put_path(place, false);
	}
}

static void put_comparison(struct place place)
{
	static const char *const operators[] = {
		"==", "!=", "<", "<=", ">", ">=", "=="};

	put_operand(place);
	printf(draw(3) == 0 ? "%s" : " %s ", PICK(operators));
	if (draw(3) == 0)
		put_operand(place);
	else
		put_constant();
}

static void put_expression(struct place place)
{
	struct place inner = place;

	inner.depth++;
	switch (draw(place.depth < 4 ? 11 : 5)) {
	case 0: put_path(place, false); break;
	case 1: put_function(place); break;
	case 2:
	case 3:
	case 4: put_comparison(place); break;
	case 5:
	case 6:
		put_expression(inner);
		fputs(draw(2) == 0 ? " and " : " or ", stdout);
		put_comparison(place);
		break;
	case 7:
		putchar('(');
		put_expression(inner);
		putchar(')');
		if (!place.no_try && !place.no_optional && draw(3) == 0)
			putchar('?');
		break;
	case 8:
		put_path(place, false);
		fputs(" | ", stdout);
		put_expression(inner);
		break;
	case 9:
		putchar('(');
		put_expression(inner);
		fputs(" | not)", stdout);
		break;
	default: put_search(place);
	}
}

/* --------------------------------------------------------------- patterns */

static void put_pattern(unsigned depth);

static void put_atom(unsigned depth)
{
	static const char *const atoms[] = {
		"a",   "b",   "error",       "info",   "[a-e]", "[^a ]",
		".",   "\\d", "\\w",         "\\s",    "x",     "10",
		"\\.", "\\b", "[[:digit:]]", "\\x61",  "\"",    "{",
		"\\W", "-",   "[]x]",        "[\\]a]",
	};

	if (depth < 3 && draw(6) == 0) {
		static const char *const groups[] = {
			"(", "(?:", "(?=", "(?!", "(?i)(?:", "(?>"};

		fputs(PICK(groups), stdout);
		put_pattern(depth + 1);
		putchar(')');
	} else {
		fputs(PICK(atoms), stdout);
	}
}

static void put_pattern(unsigned depth)
{
	static const char *const repeats[] = {"*",  "+",  "?",     "{2}",
	                                      "*?", "??", "{1,3}", "++"};
	unsigned count = draw(4) + 1;

	if (draw(8) == 0)
		putchar('^');
	for (unsigned i = 0; i < count; i++) {
		put_atom(depth);
		if (draw(4) == 0)
			fputs(PICK(repeats), stdout);
	}
	if (draw(10) == 0)
		putchar('$');
	if (draw(4) == 0) {
		putchar('|');
		put_pattern(depth + 1);
	}
}

static void put_line(void)
{
	static const char *const words[] = {
		"error", "info", "Error", "a", "b",      "x",   "10.0.0.1",
		"aaab",  "10",   "{",     "]", "\"q\"",  "a-b", "\t",
		"inf",   "erro", "",      "e", "\u00e9", ".",   "err or",
	};
	unsigned count = draw(12);

	for (unsigned i = 0; i < count; i++)
		printf("%s%s", PICK(words), draw(3) == 0 ? "" : " ");
}

/* -------------------------------------------------------------------- main */

static bool put_one(const char *kind)
{
	const struct place place = {.depth = 0};

	if (strcmp(kind, "expressions") == 0)
		put_expression(place);
	else if (strcmp(kind, "documents") == 0)
		put_document();
	else if (strcmp(kind, "patterns") == 0)
		put_pattern(0);
	else if (strcmp(kind, "lines") == 0)
		put_line();
	else
		return false;
	putchar('\n');
	return true;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: filter_cases KIND SEED COUNT\n", stderr);
		return 2;
	}
	state = strtoull(argv[2], NULL, 10) * 2 + 1;
	for (unsigned long i = strtoul(argv[3], NULL, 10); i > 0; i--) {
		if (!put_one(argv[1]))
			return 2;
	}
	return 0;
}
