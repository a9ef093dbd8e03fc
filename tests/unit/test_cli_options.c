/* How a command line is read, and what is said about one that is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "message.h"
#include "options.h"

enum {
	QUIET,
	COUNT,
	COUNTRY,
	MESSAGE,
	WATCH,
	FORCE
};

static const struct cli_option options[] = {
	[QUIET] = {.letter = 'q', .name = "quiet", .help = "say nothing"},
	[COUNT] = {.letter = 'n',
                   .name = "count",
                   .value = "N",
                   .help = "stop after N"},
	[COUNTRY] = {.name = "country-code", .value = "CODE", .help = "where"},
	[MESSAGE] = {.letter = 'm',
                     .name = "message",
                     .value = "TEXT",
                     .repeatable = true,
                     .help = "one of many"},
	[WATCH] = {.letter = 'w',
                   .name = "watch",
                   .value = "DURATION",
                   .value_optional = true,
                   .help = "again and again"},
	[FORCE] = {.letter = 'F', .help = "has no long name"},
};

#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))

static const struct cli_command command = {
	.name = "test",
	.summary = "try the arguments",
	.operands = "LOG [FILE...]",
	.options = options,
	.option_count = OPTION_COUNT,
	.min_operands = 0,
	.max_operands = SIZE_MAX,
};

#define WORDS_MAX 40

/* What the last try said on stderr or stdout. */
static char said[16384];
static int stream_copy;
static FILE *stream_file;

static void listen_to(int fd)
{
	fflush(stdout);
	stream_file = tmpfile();
	assert_non_null(stream_file);
	stream_copy = dup(fd);
	assert_true(stream_copy >= 0);
	assert_true(dup2(fileno(stream_file), fd) == fd);
}

static void stop_listening(int fd)
{
	size_t bytes;

	fflush(stdout);
	assert_true(dup2(stream_copy, fd) == fd);
	close(stream_copy);
	rewind(stream_file);
	bytes = fread(said, 1, sizeof(said) - 1, stream_file);
	said[bytes] = '\0';
	fclose(stream_file);
}

/* Parses words separated by blanks; "''" is the empty word. */
static int parse_for(const struct cli_command *tried, const char *line,
                     struct cli_args **args_out)
{
	static char copy[4096];
	char *argv[WORDS_MAX + 1];
	int argc = 0, status;

	assert_true(strlen(line) < sizeof(copy));
	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		assert_true(argc < WORDS_MAX);
		argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	}
	argv[argc] = NULL;
	listen_to(STDERR_FILENO);
	status = cli_args_parse(tried, argc, argv, args_out);
	stop_listening(STDERR_FILENO);
	return status;
}

static struct cli_args *accept(const char *line)
{
	struct cli_args *args = NULL;

	assert_int_equal(parse_for(&command, line, &args), CLI_OK);
	assert_non_null(args);
	assert_string_equal(said, "");
	return args;
}

static void refuse_for(const struct cli_command *tried, const char *line,
                       const char *message)
{
	struct cli_args *args = (struct cli_args *)&said;
	char expected[4096];

	assert_int_equal(parse_for(tried, line, &args), CLI_USAGE);
	assert_null(args);
	snprintf(expected, sizeof(expected),
	         "shmlog test: %s\nTry 'shmlog test --help'.\n", message);
	assert_string_equal(said, expected);
}

static void refuse(const char *line, const char *message)
{
	refuse_for(&command, line, message);
}

static void test_options_stand_anywhere_and_operands_keep_order(void **state)
{
	struct cli_args *args = accept("test a -q b --count 5 c");

	(void)state;
	assert_int_equal(cli_args_count(args, QUIET), 1);
	assert_string_equal(cli_args_value(args, COUNT), "5");
	assert_int_equal(cli_args_operand_count(args), 3);
	assert_string_equal(cli_args_operand(args, 0), "a");
	assert_string_equal(cli_args_operand(args, 1), "b");
	assert_string_equal(cli_args_operand(args, 2), "c");
	assert_ptr_equal(cli_args_command(args), &command);
	assert_false(cli_args_help(args));
	cli_args_free(args);
}

static void test_posixly_correct_changes_nothing(void **state)
{
	(void)state;
	setenv("POSIXLY_CORRECT", "1", 1);
	test_options_stand_anywhere_and_operands_keep_order(state);
	unsetenv("POSIXLY_CORRECT");
}

static void test_each_way_to_write_a_value_gives_the_same(void **state)
{
	static const char *const lines[] = {
		"test -n5",  "test -n 5",   "test --count=5", "test --count 5",
		"test -qn5", "test -qqn 5", "test -Fqn5 x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct cli_args *args = accept(lines[i]);

		assert_string_equal(cli_args_value(args, COUNT), "5");
		cli_args_free(args);
	}
}

static void test_value_may_look_like_anything(void **state)
{
	struct cli_args *args;

	(void)state;
	args = accept("test -n -5");
	assert_string_equal(cli_args_value(args, COUNT), "-5");
	cli_args_free(args);
	args = accept("test -n -- x");
	assert_string_equal(cli_args_value(args, COUNT), "--");
	assert_int_equal(cli_args_operand_count(args), 1);
	cli_args_free(args);
	args = accept("test --count --quiet");
	assert_string_equal(cli_args_value(args, COUNT), "--quiet");
	assert_int_equal(cli_args_count(args, QUIET), 0);
	cli_args_free(args);
	args = accept("test --count==a=b -n=c");
	assert_string_equal(cli_args_value(args, COUNT), "=c");
	cli_args_free(args);
	args = accept("test -m --help");
	assert_false(cli_args_help(args));
	assert_string_equal(cli_args_value(args, MESSAGE), "--help");
	cli_args_free(args);
}

static void test_empty_value_is_a_value(void **state)
{
	struct cli_args *args = accept("test -m '' --message= --message ''");

	(void)state;
	assert_int_equal(cli_args_count(args, MESSAGE), 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(cli_args_nth(args, MESSAGE, i), "");
	assert_string_equal(cli_args_value(args, MESSAGE), "");
	cli_args_free(args);
}

static void test_repeated_option_keeps_every_value_in_order(void **state)
{
	struct cli_args *args = accept("test -m a -n 1 x -mb -n2 --message=c");

	(void)state;
	assert_int_equal(cli_args_count(args, MESSAGE), 3);
	assert_string_equal(cli_args_nth(args, MESSAGE, 0), "a");
	assert_string_equal(cli_args_nth(args, MESSAGE, 1), "b");
	assert_string_equal(cli_args_nth(args, MESSAGE, 2), "c");
	assert_string_equal(cli_args_value(args, MESSAGE), "c");
	assert_string_equal(cli_args_value(args, COUNT), "2");
	cli_args_free(args);
	args = accept("test -qqqqqqqqqqqq --quiet --quiet");
	assert_int_equal(cli_args_count(args, QUIET), 14);
	cli_args_free(args);
}

static void test_optional_value_comes_only_with_an_equals_sign(void **state)
{
	struct cli_args *args = accept("test --watch x");

	(void)state;
	assert_int_equal(cli_args_count(args, WATCH), 1);
	assert_null(cli_args_value(args, WATCH));
	assert_int_equal(cli_args_operand_count(args), 1);
	cli_args_free(args);
	args = accept("test --watch=2s");
	assert_string_equal(cli_args_value(args, WATCH), "2s");
	cli_args_free(args);
	args = accept("test --watch=");
	assert_string_equal(cli_args_value(args, WATCH), "");
	cli_args_free(args);
	args = accept("test --watch=2s -wq");
	assert_null(cli_args_value(args, WATCH));
	assert_int_equal(cli_args_count(args, QUIET), 1);
	cli_args_free(args);
	args = accept("test");
	assert_int_equal(cli_args_count(args, WATCH), 0);
	assert_null(cli_args_value(args, WATCH));
	cli_args_free(args);
}

static void test_two_dashes_end_the_options(void **state)
{
	struct cli_args *args = accept("test -q -- -5 -- --help -q");

	(void)state;
	assert_int_equal(cli_args_count(args, QUIET), 1);
	assert_int_equal(cli_args_operand_count(args), 4);
	assert_string_equal(cli_args_operand(args, 0), "-5");
	assert_string_equal(cli_args_operand(args, 1), "--");
	assert_string_equal(cli_args_operand(args, 2), "--help");
	assert_string_equal(cli_args_operand(args, 3), "-q");
	cli_args_free(args);
}

static void test_dash_and_empty_word_are_operands(void **state)
{
	struct cli_args *args = accept("test - -q '' -");

	(void)state;
	assert_int_equal(cli_args_operand_count(args), 3);
	assert_string_equal(cli_args_operand(args, 0), "-");
	assert_string_equal(cli_args_operand(args, 1), "");
	assert_string_equal(cli_args_operand(args, 2), "-");
	cli_args_free(args);
}

static void test_help_goes_before_every_error(void **state)
{
	static const char *const lines[] = {
		"test -h",           "test --help",
		"test -qh",          "test --bogus -h",
		"test --cou --help", "test x --quiet=1 --help",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct cli_args *args = accept(lines[i]);

		assert_true(cli_args_help(args));
		cli_args_free(args);
	}
}

static void test_unknown_option_is_refused_with_the_nearest_name(void **state)
{
	(void)state;
	refuse("test --cou", "unknown option '--cou'; did you mean '--count'?");
	refuse("test --countr=5",
	       "unknown option '--countr'; did you mean '--country-code'?");
	refuse("test --cuont 5",
	       "unknown option '--cuont'; did you mean '--count'?");
	refuse("test --hepl",
	       "unknown option '--hepl'; did you mean '--help'?");
	refuse("test -count",
	       "unknown option '-count'; did you mean '--count'?");
	refuse("test --COUNT", "unknown option '--COUNT'");
	refuse("test --zzzzzz", "unknown option '--zzzzzz'");
	refuse("test --=x", "unknown option '--'");
}

static void test_unknown_letter_is_refused(void **state)
{
	(void)state;
	refuse("test -x", "unknown option '-x'");
	refuse("test -qx", "unknown option '-x' in '-qx'");
	refuse("test -\xc3\xa9", "unknown option '-\xc3\xa9'");
	refuse("test -\x1b[2J", "unknown option '-\\x1b' in '-\\x1b[2J'");
	refuse("test -=", "unknown option '-='");
}

static void test_negative_number_is_led_behind_two_dashes(void **state)
{
	(void)state;
	refuse("test -5", "unknown option '-5'; to give it as an operand, put "
	                  "'--' before it");
	refuse("test log -12", "unknown option '-12'; to give it as an "
	                       "operand, put '--' before it");
}

static void
test_letters_may_stand_behind_a_number_that_is_an_option(void **state)
{
	struct cli_command numbered = command;
	struct cli_args *args;

	(void)state;
	numbered.number_option = "count";
	assert_int_equal(parse_for(&numbered, "test -5qF log -7", &args),
	                 CLI_OK);
	assert_string_equal(cli_args_nth(args, COUNT, 0), "5");
	assert_string_equal(cli_args_nth(args, COUNT, 1), "7");
	assert_int_equal(cli_args_count(args, QUIET), 1);
	assert_int_equal(cli_args_count(args, FORCE), 1);
	assert_int_equal(cli_args_operand_count(args), 1);
	cli_args_free(args);
	assert_int_equal(parse_for(&numbered, "test -12w", &args), CLI_OK);
	assert_string_equal(cli_args_value(args, COUNT), "12");
	cli_args_free(args);
	/* A letter may take a value, too. */
	assert_int_equal(parse_for(&numbered, "test -3mtext", &args), CLI_OK);
	assert_string_equal(cli_args_value(args, COUNT), "3");
	assert_string_equal(cli_args_nth(args, MESSAGE, 0), "text");
	cli_args_free(args);
	refuse_for(&numbered, "test -5x", "unknown option '-x' in '-5x'");
	refuse_for(&numbered, "test -5.5",
	           "unknown option '-5.5'; to give it as an operand, put '--' "
	           "before it");
	refuse_for(&numbered, "test -111111111111111111111111q",
	           "unknown option '-111111111111111111111111q'; to give it as "
	           "an operand, put '--' before it");
}

static void test_value_that_is_missing_or_unwanted_is_refused(void **state)
{
	(void)state;
	refuse("test -n", "option '-n' needs a value: N");
	refuse("test -qn", "option '-n' needs a value: N");
	refuse("test --message", "option '--message' needs a value: TEXT");
	refuse("test --quiet=yes", "option '--quiet' takes no value");
	refuse("test --quiet=", "option '--quiet' takes no value");
	refuse("test --help=x", "option '--help' takes no value");
}

static void test_number_of_operands_is_held(void **state)
{
	struct cli_command two = command;
	struct cli_args *args;

	(void)state;
	two.operands = "LOG POS...";
	two.min_operands = 2;
	two.max_operands = 3;
	refuse_for(&two, "test", "missing operand: LOG");
	refuse_for(&two, "test a -q", "missing operand: POS");
	refuse_for(&two, "test a b c d e", "too many operands: 'd'");
	assert_int_equal(parse_for(&two, "test a b c", &args), CLI_OK);
	cli_args_free(args);
	two.min_operands = two.max_operands = 0;
	refuse_for(&two, "test a", "too many operands: 'a'");
}

static void test_required_option_left_out_is_refused(void **state)
{
	static const struct cli_option needed[] = {
		{.letter = 'c',
	         .name = "capacity",
	         .value = "SIZE",
	         .required = true},
	};
	struct cli_command strict = command;
	struct cli_args *args;

	(void)state;
	strict.options = needed;
	strict.option_count = 1;
	refuse_for(&strict, "test x", "option '--capacity SIZE' is required");
	assert_int_equal(parse_for(&strict, "test -c '' x", &args), CLI_OK);
	cli_args_free(args);
}

static void test_huge_command_line_is_read(void **state)
{
	enum {
		MANY = 20000
	};
	char **argv = calloc(2 * MANY + 2, sizeof(*argv));
	char *long_word = malloc(1000002);
	struct cli_args *args;

	(void)state;
	assert_non_null(argv);
	assert_non_null(long_word);
	memset(long_word, 'x', 1000001);
	long_word[1000001] = '\0';
	argv[0] = (char *)(uintptr_t) "test";
	for (int i = 0; i < MANY; i++) {
		argv[1 + i] = (char *)(uintptr_t) "-mword";
		argv[1 + MANY + i] = (char *)(uintptr_t) "operand";
	}
	argv[2 * MANY] = long_word;
	assert_int_equal(cli_args_parse(&command, 2 * MANY + 1, argv, &args),
	                 CLI_OK);
	assert_int_equal(cli_args_count(args, MESSAGE), MANY);
	assert_string_equal(cli_args_nth(args, MESSAGE, MANY - 1), "word");
	assert_int_equal(cli_args_operand_count(args), MANY);
	assert_ptr_equal(cli_args_operand(args, MANY - 1), long_word);
	cli_args_free(args);

	/* The message about it stays short. */
	long_word[0] = long_word[1] = '-';
	listen_to(STDERR_FILENO);
	assert_int_equal(cli_args_parse(&command, 2 * MANY + 1, argv, &args),
	                 CLI_USAGE);
	stop_listening(STDERR_FILENO);
	assert_true(strlen(said) < 512);
	assert_non_null(strstr(said, "xxx...'\n"));
	free(long_word);
	free(argv);
}

static void test_help_lists_every_option(void **state)
{
	(void)state;
	listen_to(STDOUT_FILENO);
	cli_args_print_help(&command);
	stop_listening(STDOUT_FILENO);
	assert_string_equal(said,
	                    "Usage: shmlog test [OPTIONS] LOG [FILE...]\n"
	                    "\n"
	                    "try the arguments\n"
	                    "\n"
	                    "Options:\n"
	                    "  -q, --quiet              say nothing\n"
	                    "  -n, --count N            stop after N\n"
	                    "      --country-code CODE  where\n"
	                    "  -m, --message TEXT       one of many\n"
	                    "  -w, --watch[=DURATION]   again and again\n"
	                    "  -F                       has no long name\n"
	                    "  -h, --help               print this text\n"
	                    "\n"
	                    "The exit statuses are listed in shmlog(1).\n");
}

static void test_usage_is_one_line_on_stderr(void **state)
{
	(void)state;
	listen_to(STDERR_FILENO);
	cli_args_print_usage(&command);
	stop_listening(STDERR_FILENO);
	assert_string_equal(said,
	                    "Usage: shmlog test [OPTIONS] LOG [FILE...]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_options_stand_anywhere_and_operands_keep_order),
		cmocka_unit_test(test_posixly_correct_changes_nothing),
		cmocka_unit_test(test_each_way_to_write_a_value_gives_the_same),
		cmocka_unit_test(test_value_may_look_like_anything),
		cmocka_unit_test(test_empty_value_is_a_value),
		cmocka_unit_test(
			test_repeated_option_keeps_every_value_in_order),
		cmocka_unit_test(
			test_optional_value_comes_only_with_an_equals_sign),
		cmocka_unit_test(test_two_dashes_end_the_options),
		cmocka_unit_test(test_dash_and_empty_word_are_operands),
		cmocka_unit_test(test_help_goes_before_every_error),
		cmocka_unit_test(
			test_unknown_option_is_refused_with_the_nearest_name),
		cmocka_unit_test(test_unknown_letter_is_refused),
		cmocka_unit_test(test_negative_number_is_led_behind_two_dashes),
		cmocka_unit_test(
			test_letters_may_stand_behind_a_number_that_is_an_option),
		cmocka_unit_test(
			test_value_that_is_missing_or_unwanted_is_refused),
		cmocka_unit_test(test_number_of_operands_is_held),
		cmocka_unit_test(test_required_option_left_out_is_refused),
		cmocka_unit_test(test_huge_command_line_is_read),
		cmocka_unit_test(test_help_lists_every_option),
		cmocka_unit_test(test_usage_is_one_line_on_stderr),
	};

	cli_message_command("test");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
