/* Walks through a command's arguments by the rules of getopt_long(3). */
#include "option_scanner.h"

#include "command.h"
#include "option.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

void cli_scanner_init(struct cli_scanner *scanner,
                      const struct cli_command *command, int argc, char **argv)
{
	*scanner = (struct cli_scanner){
		.command = command,
		.next = argc > 0 ? argv + 1 : argv,
		.end = argv + argc,
	};
}

bool cli_option_find_letter(const struct cli_command *command, char letter,
                            size_t *option_out)
{
	for (size_t i = 0; i < command->option_count; i++) {
		if (command->options[i].letter == letter) {
			*option_out = i;
			return true;
		}
	}
	return false;
}

bool cli_option_find(const struct cli_command *command, const char *name,
                     size_t name_bytes, size_t *option_out)
{
	for (size_t i = 0; i < command->option_count; i++) {
		const char *known = command->options[i].name;

		if (known && strlen(known) == name_bytes &&
		    memcmp(known, name, name_bytes) == 0) {
			*option_out = i;
			return true;
		}
	}
	return false;
}

/* The next word is the value, whatever it looks like. */
static void take_value(struct cli_scanner *scanner, struct cli_item *item)
{
	if (scanner->next == scanner->end)
		item->kind = CLI_ITEM_MISSING_VALUE;
	else
		item->value = *scanner->next++;
}

static void scan_letter(struct cli_scanner *scanner, struct cli_item *item)
{
	const struct cli_option *option;

	item->word = scanner->word;
	item->name = scanner->cluster++;
	item->name_bytes = 1;
	item->by_letter = true;
	if (*scanner->cluster == '\0')
		scanner->cluster = NULL;
	if (!cli_option_find_letter(scanner->command, *item->name,
	                            &item->option)) {
		item->kind = *item->name == CLI_HELP_LETTER
		                     ? CLI_ITEM_HELP
		                     : CLI_ITEM_UNKNOWN_LETTER;
		return;
	}
	item->kind = CLI_ITEM_OPTION;
	option = &scanner->command->options[item->option];
	if (!option->value || option->value_optional)
		return;
	if (!scanner->cluster) {
		take_value(scanner, item);
		return;
	}
	item->value = scanner->cluster;
	scanner->cluster = NULL;
}

static void scan_name(struct cli_scanner *scanner, struct cli_item *item)
{
	const struct cli_option *option;
	const char *equals;

	item->name = item->word + 2;
	equals = strchr(item->name, '=');
	item->name_bytes = equals ? (size_t)(equals - item->name)
	                          : strlen(item->name);
	if (!cli_option_find(scanner->command, item->name, item->name_bytes,
	                     &item->option)) {
		item->kind = CLI_ITEM_UNKNOWN_NAME;
		if (item->name_bytes == strlen(CLI_HELP_NAME) &&
		    memcmp(item->name, CLI_HELP_NAME, item->name_bytes) == 0)
			item->kind = equals ? CLI_ITEM_UNWANTED_VALUE
			                    : CLI_ITEM_HELP;
		return;
	}
	item->kind = CLI_ITEM_OPTION;
	option = &scanner->command->options[item->option];
	if (!option->value) {
		if (equals)
			item->kind = CLI_ITEM_UNWANTED_VALUE;
	} else if (equals) {
		item->value = equals + 1;
	} else if (!option->value_optional) {
		take_value(scanner, item);
	}
}

/*
 * Takes a word that is -N, for a command that has such an option.  Letters may
 * stand behind the number, as in the "tail -5f" of GNU.
 */
static bool scan_number(struct cli_scanner *scanner, struct cli_item *item)
{
	const char *option = scanner->command->number_option;
	const char *digits = item->word + 1;
	size_t length = strspn(digits, "0123456789");
	const char *rest = digits + length;

	if (option == NULL || length == 0 ||
	    rest[strspn(rest, LETTERS)] != '\0' ||
	    (*rest != '\0' && length >= sizeof(scanner->number)))
		return false;
	item->kind = CLI_ITEM_OPTION;
	item->value = item->name = digits;
	item->name_bytes = length;
	item->by_letter = true;
	(void)cli_option_find(scanner->command, option, strlen(option),
	                      &item->option);
	if (*rest != '\0') {
		memcpy(scanner->number, digits, length);
		scanner->number[length] = '\0';
		item->value = scanner->number;
		scanner->word = item->word;
		scanner->cluster = rest;
	}
	return true;
}

void cli_scan_item(struct cli_scanner *scanner, struct cli_item *item)
{
	*item = (struct cli_item){.kind = CLI_ITEM_END};
	if (scanner->cluster) {
		scan_letter(scanner, item);
		return;
	}
	if (!scanner->only_operands && scanner->next < scanner->end &&
	    strcmp(*scanner->next, "--") == 0) {
		scanner->only_operands = true;
		scanner->next++;
	}
	if (scanner->next == scanner->end)
		return;
	item->word = *scanner->next++;
	if (scanner->only_operands || item->word[0] != '-' ||
	    item->word[1] == '\0') {
		item->kind = CLI_ITEM_OPERAND;
		item->value = item->word;
	} else if (item->word[1] == '-') {
		scan_name(scanner, item);
	} else if (!scan_number(scanner, item)) {
		scanner->word = item->word;
		scanner->cluster = item->word + 1;
		scan_letter(scanner, item);
	}
}
