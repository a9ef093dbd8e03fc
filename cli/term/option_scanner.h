/*
 * A walk through a command's arguments, by the rules of getopt_long(3), that
 * takes long names only as they are and names what it does not know.  It prints
 * nothing and refuses nothing: what is wrong is one more kind of item.
 */
#ifndef CLI_OPTION_SCANNER_H
#define CLI_OPTION_SCANNER_H

#include <stdbool.h>
#include <stddef.h>

struct cli_command;

#define CLI_HELP_LETTER 'h'
#define CLI_HELP_NAME "help"

enum cli_item_kind {
	CLI_ITEM_END,
	CLI_ITEM_OPTION,
	CLI_ITEM_OPERAND,
	CLI_ITEM_HELP,
	CLI_ITEM_UNKNOWN_LETTER,
	CLI_ITEM_UNKNOWN_NAME,
	CLI_ITEM_MISSING_VALUE,
	CLI_ITEM_UNWANTED_VALUE,
};

/* One thing on the command line. */
struct cli_item {
	enum cli_item_kind kind;
	size_t option;     /* its place in the command's table */
	const char *value; /* of an option, or NULL; the operand */
	const char *word;  /* the word of argv in which it stands */
	const char *name;  /* of the option as it was written, without dashes */
	size_t name_bytes;
	bool by_letter;
};

struct cli_scanner {
	const struct cli_command *command;
	char **next; /* the word of argv to look at next */
	char **end;
	const char *word;    /* the word that a cluster stands in */
	const char *cluster; /* letters that are left in it, or NULL */
	char number[24];     /* of -N with letters behind it */
	bool only_operands;  /* "--" was met */
};

/* argv[0] is the command's name. */
void cli_scanner_init(struct cli_scanner *scanner,
                      const struct cli_command *command, int argc, char **argv);
/* The next thing; CLI_ITEM_END behind the last one. */
void cli_scan_item(struct cli_scanner *scanner, struct cli_item *item);

/* Finds an option of a command by its letter, or by its long name. */
bool cli_option_find_letter(const struct cli_command *command, char letter,
                            size_t *option_out);
bool cli_option_find(const struct cli_command *command, const char *name,
                     size_t name_bytes, size_t *option_out);

#endif
