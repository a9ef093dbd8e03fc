/* Reads a command's arguments; the only user of argtable2. */
#include "options.h"

#include "command.h"
#include "hints.h"
#include "mention.h"
#include "message.h"
#include "option_scanner.h"
#include "spelling.h"

#include <argtable2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A scanner walks argv by the rules of getopt_long(3), but takes long names
 * only as they are and names what it refuses.  argtable2 then gets a rewritten
 * argv, every option in full, then "--", then the operands, so that neither
 * POSIXLY_CORRECT nor a leading dash can change what is read.
 */

/* Stands before every value that argtable2 gets, because it takes an empty
 * value for a missing one. */
#define VALUE_GUARD '='

/* How many errors argtable2 keeps; the first one is reported. */
#define ERRORS_KEPT 4
/* The code that argtable2's arg_str and arg_lit give for "too few". */
#define TOO_FEW 1

struct cli_args {
	const struct cli_command *command;
	bool help;
	size_t *counts; /* of each option, as scanned */
	size_t operand_count;
	char **words;       /* the rewritten argv, ended by NULL */
	size_t owned_words; /* of these, the first ones are ours to free */
	char (*letters)[2]; /* of each option; argtable2 keeps no copy */
	void **table; /* argtable2's: the options, the operands, the end */
};

static bool asks_for_help(const struct cli_command *command, int argc,
                          char **argv)
{
	struct cli_scanner scanner;
	struct cli_item item;

	cli_scanner_init(&scanner, command, argc, argv);
	do {
		cli_scan_item(&scanner, &item);
	} while (item.kind != CLI_ITEM_END && item.kind != CLI_ITEM_HELP);
	return item.kind == CLI_ITEM_HELP;
}

/* ---------------------------------------------------------------- refusals */

/* The option as it was written, quoted: '-n' or '--count'. */
static const char *quote_option(struct cli_quoted *buffer,
                                const struct cli_item *item)
{
	char written[sizeof(buffer->text)];
	int bytes = item->name_bytes < sizeof(written) ? (int)item->name_bytes
	                                               : (int)sizeof(written);

	snprintf(written, sizeof(written), "%s%.*s",
	         item->by_letter ? "-" : "--", bytes, item->name);
	return cli_quote(buffer, written);
}

/* Refuses a long option; `spelling` begins as it was written, with its
 * dashes. */
static int refuse_name(const struct cli_command *command, const char *written,
                       const char *spelling, const char *name,
                       size_t name_bytes)
{
	const char *hint = cli_hint_option(command->name, spelling,
	                                   (size_t)(name - spelling) +
	                                           name_bytes);
	struct cli_spelling nearest;

	if (hint != NULL)
		return cli_usage_error("unknown option %s; %s", written, hint);
	cli_spelling_init(&nearest, name, name_bytes);
	cli_spelling_offer(&nearest, CLI_HELP_NAME);
	for (size_t i = 0; i < command->option_count; i++) {
		if (command->options[i].name)
			cli_spelling_offer(&nearest, command->options[i].name);
	}
	if (nearest.best)
		return cli_usage_error(
			"unknown option %s; did you mean '--%s'?", written,
			nearest.best);
	return cli_usage_error("unknown option %s", written);
}

/* A wrong letter may come from a negative number that should stand behind "--",
 * or from a long name with one dash. */
static int refuse_letter(const struct cli_command *command,
                         const struct cli_item *item)
{
	const char *name = item->word + 1;
	size_t name_bytes = strcspn(name, "=");
	struct cli_quoted word, letter;
	size_t option;

	cli_quote(&word, item->word);
	const char spelling[] = {'-', *item->name, '\0'};
	const char *hint = cli_hint_option(command->name, spelling, 2);

	if (item->name == name && name[0] >= '0' && name[0] <= '9' &&
	    (hint == NULL || name[1] != '\0'))
		return cli_usage_error(
			"unknown option %s; to give it as an operand, put '--' "
			"before it",
			word.text);
	if (cli_option_find(command, name, name_bytes, &option))
		return refuse_name(command, word.text, item->word, name,
		                   name_bytes);
	/* A character of several bytes can only be shown as a whole. */
	if (name[1] == '\0' || (unsigned char)*item->name >= 0x80)
		return cli_usage_error("unknown option %s%s%s", word.text,
		                       hint != NULL ? "; " : "",
		                       hint != NULL ? hint : "");
	return cli_usage_error(
		"unknown option %s in %s%s%s", quote_option(&letter, item),
		word.text, hint != NULL ? "; " : "", hint != NULL ? hint : "");
}

static int refuse_item(const struct cli_command *command,
                       const struct cli_item *item)
{
	struct cli_quoted written;

	if (item->kind == CLI_ITEM_UNKNOWN_LETTER)
		return refuse_letter(command, item);
	quote_option(&written, item);
	if (item->kind == CLI_ITEM_UNKNOWN_NAME)
		return refuse_name(command, written.text, item->word,
		                   item->name, item->name_bytes);
	if (item->kind == CLI_ITEM_UNWANTED_VALUE)
		return cli_usage_error("option %s takes no value",
		                       written.text);
	return cli_usage_error("option %s needs a value: %s", written.text,
	                       command->options[item->option].value);
}

static int refuse_memory(void)
{
	cli_message(NULL, "cannot read the arguments: out of memory");
	return CLI_SYSTEM;
}

/* Names the nth operand as the synopsis does, without brackets and dots; the
 * last name stands for all operands that follow. */
static int refuse_missing_operand(const struct cli_command *command, size_t n)
{
	const char *at = command->operands;
	const char *word = "";
	int word_bytes = 0;

	for (size_t i = 0; i <= n; i++) {
		at += strcspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		if (*at == '\0')
			break;
		word = at;
		word_bytes = (int)strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		at += word_bytes;
	}
	return cli_usage_error("missing operand: %.*s", word_bytes, word);
}

/* ------------------------------------------------------ the rewritten argv */

/* Counts options and operands, and refuses what is wrong. */
static int count_items(struct cli_args *args, int argc, char **argv)
{
	struct cli_scanner scanner;
	struct cli_item item;

	cli_scanner_init(&scanner, args->command, argc, argv);
	for (;;) {
		cli_scan_item(&scanner, &item);
		if (item.kind == CLI_ITEM_END)
			return CLI_OK;
		if (item.kind == CLI_ITEM_OPERAND)
			args->operand_count++;
		else if (item.kind == CLI_ITEM_OPTION)
			args->counts[item.option]++;
		else
			return refuse_item(args->command, &item);
	}
}

/* Copies a text to where there is room for it.  Returns its end. */
static char *put_text(char *at, const char *text)
{
	size_t bytes = strlen(text);

	memcpy(at, text, bytes + 1);
	return at + bytes;
}

/* An option in full, "--name", "--name==VALUE" or "-n=VALUE"; the caller
 * frees it.  NULL when there is no memory. */
static char *rewrite_option(const struct cli_option *option, const char *value)
{
	const char *name = option->name;
	size_t size_bytes = 8 + (name ? strlen(name) : 1) +
	                    (value ? strlen(value) : 0);
	char *word = malloc(size_bytes);
	char *end = word;

	if (!word)
		return NULL;
	*end++ = '-';
	if (name) {
		*end++ = '-';
		end = put_text(end, name);
	} else {
		*end++ = option->letter;
	}
	if (name && value)
		*end++ = '=';
	if (value)
		*end++ = VALUE_GUARD;
	put_text(end, value ? value : "");
	return word;
}

static size_t count_options(const struct cli_args *args)
{
	size_t count = 0;

	for (size_t i = 0; i < args->command->option_count; i++)
		count += args->counts[i];
	return count;
}

/* Fills args->words.  False when there is no memory. */
static bool rewrite(struct cli_args *args, int argc, char **argv)
{
	size_t options = count_options(args);
	struct cli_scanner scanner;
	struct cli_item item;
	char **operand;

	args->words = calloc(options + args->operand_count + 3,
	                     sizeof(*args->words));
	if (!args->words)
		return false;
	cli_scanner_init(&scanner, args->command, argc, argv);
	operand = args->words + options + 2;
	args->words[options + 1] = strdup("--");
	args->words[0] = strdup(args->command->name);
	args->owned_words = options + 2;
	if (!args->words[0] || !args->words[options + 1])
		return false;
	for (size_t i = 1;;) {
		cli_scan_item(&scanner, &item);
		if (item.kind == CLI_ITEM_END)
			return true;
		if (item.kind == CLI_ITEM_OPERAND) {
			*operand++ = (char *)(uintptr_t)item.value;
			continue;
		}
		args->words[i] = rewrite_option(
			&args->command->options[item.option], item.value);
		if (!args->words[i++])
			return false;
	}
}

/* --------------------------------------------------------------- argtable2 */

static int at_least(bool required)
{
	return required ? 1 : 0;
}

/* One entry of the table, with room for as many as there are. */
static void *make_entry(const struct cli_option *option, const char *letter,
                        size_t count)
{
	const char *letters = option->name ? NULL : letter;
	int most = count > 0 ? (int)count : 1;
	struct arg_str *entry;

	if (!option->value)
		return arg_litn(letters, option->name,
		                at_least(option->required), most, NULL);
	entry = arg_strn(letters, option->name, option->value,
	                 at_least(option->required), most, NULL);
	if (entry && option->value_optional)
		entry->hdr.flag |= ARG_HASOPTVALUE;
	return entry;
}

/* Makes the table.  False when there is no memory; what was made is freed
 * with the rest. */
static bool make_table(struct cli_args *args)
{
	const struct cli_command *command = args->command;
	size_t count = command->option_count;
	int least = command->min_operands < INT16_MAX
	                    ? (int)command->min_operands
	                    : INT16_MAX;
	int most = args->operand_count < command->max_operands
	                   ? (int)args->operand_count
	                   : (int)command->max_operands;

	args->letters = calloc(count + 1, sizeof(*args->letters));
	args->table = calloc(count + 2, sizeof(*args->table));
	if (!args->letters || !args->table)
		return false;
	for (size_t i = 0; i < count; i++) {
		args->letters[i][0] = command->options[i].letter;
		args->table[i] = make_entry(&command->options[i],
		                            args->letters[i], args->counts[i]);
	}
	args->table[count] = arg_strn(NULL, NULL, NULL, least, most, NULL);
	args->table[count + 1] = arg_end(ERRORS_KEPT);
	return arg_nullcheck(args->table) == 0;
}

/* Reports the first error of argtable2, which can only be a wrong number of
 * options or operands: the scanner has refused everything else. */
static int refuse_first_error(const struct cli_args *args,
                              const struct arg_end *end)
{
	const struct cli_command *command = args->command;
	struct cli_quoted quoted;

	if (end->parent[0] == args->table[command->option_count] &&
	    end->error[0] == TOO_FEW)
		return refuse_missing_operand(command, args->operand_count);
	for (size_t i = 0; i < command->option_count; i++) {
		const struct cli_option *option = &command->options[i];

		if (end->parent[0] == args->table[i] &&
		    end->error[0] == TOO_FEW)
			return cli_usage_error(
				"option '--%s%s%s' is required", option->name,
				option->value ? " " : "",
				option->value ? option->value : "");
	}
	if (args->operand_count > command->max_operands)
		return cli_usage_error(
			"too many operands: %s",
			cli_quote(
				&quoted,
				cli_args_operand(args, command->max_operands)));
	return refuse_memory();
}

static int hand_over(struct cli_args *args, int argc, char **argv)
{
	size_t words;
	struct arg_end *end;

	if (!rewrite(args, argc, argv) || !make_table(args))
		return refuse_memory();
	words = args->owned_words + args->operand_count;
	end = args->table[args->command->option_count + 1];
	if (arg_parse((int)words, args->words, args->table) > 0)
		return refuse_first_error(args, end);
	return CLI_OK;
}

/* ------------------------------------------------------------ the contract */

int cli_args_parse(const struct cli_command *command, int argc, char **argv,
                   struct cli_args **args_out)
{
	struct cli_args *args = calloc(1, sizeof(*args));
	int status;

	*args_out = NULL;
	if (!args)
		return refuse_memory();
	args->command = command;
	args->help = asks_for_help(command, argc, argv);
	args->counts = calloc(command->option_count + 1, sizeof(*args->counts));
	if (!args->counts)
		status = refuse_memory();
	else if (args->help)
		status = CLI_OK;
	else
		status = count_items(args, argc, argv);
	if (status == CLI_OK && !args->help)
		status = hand_over(args, argc, argv);
	if (status != CLI_OK) {
		cli_args_free(args);
		return status;
	}
	*args_out = args;
	return CLI_OK;
}

void cli_args_free(struct cli_args *args)
{
	if (!args)
		return;
	if (args->table)
		arg_freetable(args->table, args->command->option_count + 2);
	for (size_t i = 0; i < args->owned_words; i++)
		free(args->words[i]);
	free(args->table);
	free(args->letters);
	free(args->words);
	free(args->counts);
	free(args);
}

bool cli_args_help(const struct cli_args *args)
{
	return args->help;
}

size_t cli_args_count(const struct cli_args *args, size_t option)
{
	return args->counts[option];
}

const char *cli_args_nth(const struct cli_args *args, size_t option, size_t n)
{
	const struct arg_str *entry;
	const char *value;

	if (!args->table || !args->command->options[option].value)
		return NULL;
	entry = args->table[option];
	value = entry->sval[n];
	return *value == VALUE_GUARD ? value + 1 : NULL;
}

const char *cli_args_value(const struct cli_args *args, size_t option)
{
	size_t count = args->counts[option];

	return count > 0 ? cli_args_nth(args, option, count - 1) : NULL;
}

size_t cli_args_operand_count(const struct cli_args *args)
{
	return args->operand_count;
}

const char *cli_args_operand(const struct cli_args *args, size_t n)
{
	return args->words[args->owned_words + n];
}

const struct cli_command *cli_args_command(const struct cli_args *args)
{
	return args->command;
}

/* -------------------------------------------------------------------- help */

/* Labels wider than this have their text on the next line. */
#define LABEL_COLUMN 28

static void format_label(char *label, size_t size_bytes,
                         const struct cli_option *option)
{
	char letter[8] = "    ";
	char value[64] = "";
	const char *name = option->name ? option->name : "";

	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c%s", option->letter,
		         option->name ? ", " : "");
	if (option->value && option->value_optional)
		snprintf(value, sizeof(value), "[=%s]", option->value);
	else if (option->value)
		snprintf(value, sizeof(value), " %s", option->value);
	snprintf(label, size_bytes, "%s%s%s%s", letter,
	         option->name ? "--" : "", name, value);
}

static int label_column(const struct cli_command *command)
{
	int column = 0;
	char label[128];

	for (size_t i = 0; i < command->option_count; i++) {
		int width;

		format_label(label, sizeof(label), &command->options[i]);
		width = (int)strlen(label);
		if (width > column && width <= LABEL_COLUMN)
			column = width;
	}
	return column > 10 ? column : 10;
}

static void print_option(const struct cli_option *option, int column)
{
	char label[128];

	format_label(label, sizeof(label), option);
	if ((int)strlen(label) > column)
		printf("  %s\n  %*s", label, column, "");
	else
		printf("  %-*s", column, label);
	printf("  %s%s\n", option->help, option->required ? " (required)" : "");
}

void cli_args_print_help(const struct cli_command *command)
{
	static const struct cli_option help = {
		.letter = CLI_HELP_LETTER,
		.name = CLI_HELP_NAME,
		.help = "print this text",
	};
	int column = label_column(command);

	printf("Usage: shmlog %s [OPTIONS]%s%s\n\n%s\n\nOptions:\n",
	       command->name, *command->operands ? " " : "", command->operands,
	       command->summary);
	for (size_t i = 0; i < command->option_count; i++)
		print_option(&command->options[i], column);
	print_option(&help, column);
	if (command->notes)
		printf("\n%s\n", command->notes);
	printf("\nThe exit statuses are listed in shmlog(1).\n");
}

void cli_args_print_usage(const struct cli_command *command)
{
	fprintf(stderr, "Usage: shmlog %s [OPTIONS]%s%s\n", command->name,
	        *command->operands ? " " : "", command->operands);
}

bool cli_args_print_mentions(const struct cli_command *command,
                             const char *word)
{
	bool found = cli_mentions(command->name, word) ||
	             cli_mentions(command->summary, word);
	int column = label_column(command);

	if (found)
		printf("%-10s  %s\n", command->name, command->summary);
	for (size_t i = 0; i < command->option_count; i++) {
		const struct cli_option *option = &command->options[i];

		if (!cli_mentions(option->help, word) &&
		    (option->name == NULL || !cli_mentions(option->name, word)))
			continue;
		if (!found)
			printf("%-10s  %s\n", command->name, command->summary);
		found = true;
		print_option(option, column);
	}
	return found;
}
