/* How the command lines of shells are cut into words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell_line.h"
#include "support.h"

#define BASH CLI_SHELL_BASH
#define ZSH CLI_SHELL_ZSH
#define FISH CLI_SHELL_FISH

/* What bash has in COMP_WORDBREAKS. */
#define BREAKS " \t\n\"'><=;|&(:@"

/* The words, in brackets, and what is known of the last one: T for a tilde, $
 * for an expansion, > for a redirection, and how much of it bash keeps. */
static void describe(char *text, size_t size_bytes,
                     const struct cli_shell_line *line)
{
	size_t used = 0;

	for (size_t i = 0; i < line->count; i++)
		used += (size_t)snprintf(text + used, size_bytes - used, "[%s]",
		                         line->words[i]);
	used += (size_t)snprintf(text + used, size_bytes - used, "<%s>%s%s%s",
	                         line->word, line->tilde ? "T" : "",
	                         line->expanded ? "$" : "",
	                         line->redirects ? ">" : "");
	if (line->kept > 0)
		(void)snprintf(text + used, size_bytes - used, "%zu",
		               line->kept);
}

struct example {
	enum cli_shell shell;
	const char *line;
	const char *words;
};

static void check_all(const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct example *example = &examples[i];
		struct cli_shell_line line;
		char text[512];

		assert_true(cli_shell_line_read(
			&line, example->shell, example->line,
			example->shell == BASH ? BREAKS : ""));
		describe(text, sizeof(text), &line);
		if (strcmp(text, example->words) != 0)
			print_message("of '%s':\n", example->line);
		assert_string_equal(text, example->words);
		cli_shell_line_release(&line);
	}
}

static void test_words_are_what_stands_between_blanks(void **state)
{
	static const struct example examples[] = {
		{BASH, "", "<>"},           {BASH, "a", "<a>"},
		{BASH, "a ", "[a]<>"},      {ZSH, "  a\tb  c", "[a][b]<c>"},
		{FISH, "a \n b", "[a]<b>"}, {BASH, "a '' \"\"", "[a][]<>"},
	};

	(void)state;
	check_all(examples, COUNT_OF(examples));
}

static void test_quotes_are_taken_away_as_the_shell_does(void **state)
{
	static const struct example examples[] = {
		{ZSH, "x a\\ b\\'c\\\\", "[x]<a b'c\\>"},
		{ZSH, "x 'a \"\\b' c", "[x][a \"\\b]<c>"},
		{ZSH, "x 'it'\\''s' c", "[x][it's]<c>"},
		{ZSH, "x \"a\\\"b\\$c\\d\" e", "[x][a\"b$c\\d]<e>"},
		{ZSH, "x $'a\\tb\\x41\\101\\'\\e' c", "[x][a\tbAA'\033]<c>"},
		{ZSH, "x a\\\nb", "[x]<ab>"},
		/* In fish single quotes can be escaped in themselves, and
	         * letters stand for bytes outside of quotes. */
		{FISH, "x 'it\\'s \\n' c", "[x][it's \\n]<c>"},
		{FISH, "x a\\tb\\x41 \\#c", "[x][a\tbA]<#c>"},
		{FISH, "x \"a\\`b\" c", "[x][a\\`b]<c>"},
		{FISH, "x $'a' b", "[x][$a]<b>"},
	};

	(void)state;
	check_all(examples, COUNT_OF(examples));
}

static void test_the_last_word_need_not_be_complete(void **state)
{
	static const struct example examples[] = {
		{ZSH, "x 'a b", "[x]<a b>"},
		{ZSH, "x \"a b", "[x]<a b>"},
		{ZSH, "x $'a\\x4", "[x]<a\4>"},
		{ZSH, "x a\\", "[x]<a>"},
		{FISH, "x 'a\\", "[x]<a>"},
		{ZSH, "x \"$(a b", "[x]<$(a b>$"},
	};

	(void)state;
	check_all(examples, COUNT_OF(examples));
}

static void test_bash_keeps_what_stands_before_a_break(void **state)
{
	static const struct example examples[] = {
		{BASH, "x a:b", "[x]<a:b>2"},
		{BASH, "x a:b=c", "[x]<a:b=c>4"},
		{BASH, "x a\\:b", "[x]<a:b>"},
		{BASH, "x 'a:b'", "[x]<a:b>"},
		{BASH, "x --a=", "[x]<--a=>4"},
		/* An open quote is a break, a closed one is not. */
		{BASH, "x 'a:b", "[x]<a:b>"},
		{BASH, "x a:'b:c", "[x]<a:b:c>2"},
		{BASH, "x a'b", "[x]<ab>1"},
		{BASH, "x a'b'c", "[x]<abc>"},
		/* The word that is replaced begins with this one. */
		{BASH, "x a@b", "[x]<a@b>1"},
		{ZSH, "x a:b", "[x]<a:b>"},
		/* A word before the cursor does not count. */
		{BASH, "x a:b c", "[x][a:b]<c>"},
	};

	(void)state;
	check_all(examples, COUNT_OF(examples));
}

static void test_what_only_the_shell_can_tell_is_marked(void **state)
{
	static const struct example examples[] = {
		{BASH, "x ~/a", "[x]<~/a>T"},
		{BASH, "x a~", "[x]<a~>"},
		{BASH, "x '~/a'", "[x]<~/a>"},
		{BASH, "x \\~/a", "[x]<~/a>"},
		{ZSH, "x $a/b", "[x]<$a/b>$"},
		{ZSH, "x \"$a", "[x]<$a>$"},
		{ZSH, "x '$a", "[x]<$a>"},
		{ZSH, "x `a", "[x]<`a>$"},
		{ZSH, "x \\$a", "[x]<$a>"},
		{ZSH, "x $(a (b) c)d e", "[x][$(a (b) c)d]<e>"},
		{FISH, "x (a b)c e", "[x][(a b)c]<e>"},
	};

	(void)state;
	check_all(examples, COUNT_OF(examples));
}

static void test_redirections_and_other_commands_are_no_words(void **state)
{
	static const struct example examples[] = {
		{BASH, "x >a b", "[x]<b>"},
		{BASH, "x > a b", "[x]<b>"},
		{BASH, "x 2>a b", "[x]<b>"},
		{BASH, "x a2>b c", "[x][a2]<c>"},
		{BASH, "x '2'>b c", "[x][2]<c>"},
		{BASH, "x 2>&1 b", "[x]<b>"},
		{BASH, "x &>a b", "[x]<b>"},
		{BASH, "x a>", "[x][a]<>>"},
		{BASH, "x a >b", "[x][a]<b>>"},
		{BASH, "x <a'b", "[x]<ab>>1"},
		{BASH, "x a; y b", "[y]<b>"},
		{BASH, "x a && y b", "[y]<b>"},
		{BASH, "x a|y b", "[y]<b>"},
		{BASH, "(x b", "[x]<b>"},
		{BASH, "x 'a; y' b", "[x][a; y]<b>"},
		{FISH, "x a; y b", "[y]<b>"},
	};

	(void)state;
	check_all(examples, COUNT_OF(examples));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_what_stands_between_blanks),
		cmocka_unit_test(test_quotes_are_taken_away_as_the_shell_does),
		cmocka_unit_test(test_the_last_word_need_not_be_complete),
		cmocka_unit_test(test_bash_keeps_what_stands_before_a_break),
		cmocka_unit_test(test_what_only_the_shell_can_tell_is_marked),
		cmocka_unit_test(
			test_redirections_and_other_commands_are_no_words),
	};

	return cmocka_run_group_tests_name("cli_shell_line", tests, NULL, NULL);
}
