/* The hints for spellings of other tools, row by row: each is reached, and names
 * only what is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "hints.h"
#include "message.h"
#include "options.h"
#include "support.h"

/* The commands that are built in; programs of their own have tests in
 * tests/cli/usage.bats. */
extern const struct cli_command cmd_append, cmd_bench, cmd_create, cmd_dump,
	cmd_grow, cmd_ls, cmd_rm, cmd_rotate, cmd_schema, cmd_seek, cmd_stat,
	cmd_tail, cmd_top, cmd_verify, cmd_view;
static const struct cli_command *const commands[] = {
	&cmd_append, &cmd_bench, &cmd_create, &cmd_dump,   &cmd_grow,
	&cmd_ls,     &cmd_rm,    &cmd_rotate, &cmd_schema, &cmd_seek,
	&cmd_stat,   &cmd_tail,  &cmd_top,    &cmd_verify, &cmd_view};

static const struct cli_command *find_command(const char *name, size_t bytes)
{
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		if (strlen(commands[i]->name) == bytes &&
		    memcmp(commands[i]->name, name, bytes) == 0)
			return commands[i];
	}
	return NULL;
}

/* Whether a command has the option that a text begins with, dashes and all. */
static bool has_option(const struct cli_command *command, const char *text)
{
	size_t bytes = strspn(text + 2, "abcdefghijklmnopqrstuvwxyz-");

	for (size_t i = 0; i < command->option_count; i++) {
		const struct cli_option *option = &command->options[i];

		if (text[1] != '-' && option->letter == text[1])
			return true;
		if (text[1] == '-' && option->name != NULL &&
		    strlen(option->name) == bytes &&
		    memcmp(option->name, text + 2, bytes) == 0)
			return true;
	}
	return false;
}

/* Checks the options in a piece of a hint.  Quoted text is that of another
 * tool, or a line with a command of its own. */
static void check_options(const struct cli_command *command, const char *text)
{
	static const char shmlog[] = "'shmlog ";
	const struct cli_command *meant = command;
	bool quoted = false;

	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '\'') {
			quoted = !quoted;
			meant = quoted ? NULL : command;
		}
		if (quoted && strncmp(at, shmlog, strlen(shmlog)) == 0) {
			const char *name = at + strlen(shmlog);

			meant = find_command(name, strcspn(name, " '"));
			if (meant == NULL)
				fail_with("no command in: %s", text);
		}
		if (*at == '-' && (at == text || at[-1] == ' ') &&
		    (at[1] == '-' || isalpha((unsigned char)at[1])) &&
		    meant != NULL && !has_option(meant, at))
			fail_with("%s has no such option: %s", meant->name, at);
	}
}

/* Gives a spelling to a command, and looks for the hint in the refusal. */
static void check_spelling(const struct cli_command *command, char *spelling,
                           const char *text)
{
	char name[32], log[] = "log", said[512];
	char *argv[] = {name, spelling, log, NULL};
	struct cli_args *args;

	(void)snprintf(name, sizeof(name), "%s", command->name);
	cli_message_divert(said, sizeof(said));
	int status = cli_args_parse(command, 3, argv, &args);

	cli_message_divert(NULL, 0);
	if (status != CLI_USAGE)
		fail_with("%s knows %s", command->name, spelling);
	if (strstr(said, spelling) == NULL || strstr(said, "; ") == NULL ||
	    strstr(said, text) == NULL)
		fail_with("%s %s: wanted %s, said: %s", command->name, spelling,
		          text, said);
}

TEST(test_each_option_hint_is_reached_and_names_options_that_exist)
{
	const struct cli_option_hint *row;
	size_t checked = 0;

	for (size_t i = 0; (row = cli_hint_option_row(i)) != NULL; i++) {
		char names[256], spellings[512];
		char *next_name, *next;

		(void)snprintf(names, sizeof(names), "%s", row->commands);
		for (char *name = strtok_r(names, ",", &next_name);
		     name != NULL; name = strtok_r(NULL, ",", &next_name)) {
			const struct cli_command *command = find_command(
				name, strlen(name));

			if (command == NULL) {
				/* A program of its own. */
				assert_true(strncmp(name, "relay", 5) == 0 ||
				            strcmp(name, "dispatch") == 0);
				continue;
			}
			check_options(command, row->text);
			(void)snprintf(spellings, sizeof(spellings), "%s",
			               row->spellings);
			for (char *spelling = strtok_r(spellings, " ", &next);
			     spelling != NULL;
			     spelling = strtok_r(NULL, " ", &next)) {
				check_spelling(command, spelling, row->text);
				checked++;
			}
		}
	}
	assert_true(checked > 300);
}

TEST(test_hint_stands_for_the_whole_spelling_and_for_its_commands_alone)
{
	assert_non_null(cli_hint_option("tail", "--bytes", 7));
	assert_non_null(cli_hint_option("tail", "--bytes=5", 7));
	assert_null(cli_hint_option("tail", "--bytes", 6));
	assert_null(cli_hint_option("tail", "--bytesize", 10));
	assert_null(cli_hint_option("create", "--bytes", 7));
	assert_null(cli_hint_option("tai", "--bytes", 7));
	assert_null(cli_hint_option("tail", "", 0));
	assert_null(cli_hint_command(""));
	assert_null(cli_hint_command("ca"));
	assert_string_equal(cli_hint_command("cat"), "dump LOG");
}

/* Parses a line of shmlog as far as its command's table goes. */
static void check_line(const char *line)
{
	char copy[128];
	char *argv[16], *next;
	int argc = 0;
	struct cli_args *args;

	(void)snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &next); word != NULL;
	     word = strtok_r(NULL, " ", &next)) {
		assert_true(argc < (int)COUNT_OF(argv) - 1);
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	const struct cli_command *command = find_command(argv[0],
	                                                 strlen(argv[0]));

	if (command == NULL) {
		if (strcmp(argv[0], "relay") != 0 &&
		    strcmp(argv[0], "dispatch") != 0 &&
		    strcmp(line, "help") != 0 && strcmp(line, "--version") != 0)
			fail_with("no command: %s", line);
		return;
	}
	if (cli_args_parse(command, argc, argv, &args) != CLI_OK)
		fail_with("wrong usage: %s", line);
	cli_args_free(args);
}

TEST(test_each_command_hint_is_reached_and_is_right_usage)
{
	const struct cli_command_hint *row;

	for (size_t i = 0; (row = cli_hint_command_row(i)) != NULL; i++) {
		char names[256], *next;

		check_line(row->instead);
		(void)snprintf(names, sizeof(names), "%s", row->names);
		for (char *name = strtok_r(names, " ", &next); name != NULL;
		     name = strtok_r(NULL, " ", &next)) {
			if (find_command(name, strlen(name)) != NULL)
				fail_with("a command here: %s", name);
			if (cli_hint_command(name) != row->instead)
				fail_with("another row has it: %s", name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_each_option_hint_is_reached_and_names_options_that_exist),
		cmocka_unit_test(
			test_hint_stands_for_the_whole_spelling_and_for_its_commands_alone),
		cmocka_unit_test(
			test_each_command_hint_is_reached_and_is_right_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
