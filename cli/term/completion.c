/* Works out what a word on the command line can become, and prints it for the
 * shell that asks. */
#include "completion.h"

#include "command.h"
#include "escape.h"
#include "message.h"
#include "option_scanner.h"
#include "options.h"
#include "shell_line.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define QUESTION "--complete="

/* What a shell has to know of a candidate; its first byte in the answer. */
enum offer_class {
	OFFER_WORD = 'w',
	OFFER_PART = 'p',
	OFFER_FILE = 'f',
	OFFER_FOLDER = 'd',
	OFFER_NATIVE = 'n', /* no candidate: the shell's own files */
	OFFER_HINT = 'h',   /* none either: what could be typed */
};

struct cli_completion {
	enum cli_shell shell;
	char **argv; /* of the question */
	int argc;
	struct cli_shell_line line;
	size_t next; /* of the words before the cursor */

	const struct cli_command *command;
	size_t first;       /* of the command's arguments among the words */
	const char *prefix; /* of the word at the cursor: "--name=", "-o" */
	size_t prefix_bytes;
	const char *value; /* the rest of that word */
	bool by_name;      /* the prefix is "--name=" */
	bool found;
	bool terminal; /* standard output is one */
};

/* ----------------------------------------------------------------- printing */

static void print_escaped(const char *bytes, size_t size_bytes)
{
	unsigned char out[8 * CLI_ESCAPE_TERMINAL_MAX];

	while (size_bytes > 0) {
		size_t piece = size_bytes < 8 ? size_bytes : 8;

		/* A character stays whole. */
		while (piece < size_bytes && piece > 1 &&
		       ((unsigned char)bytes[piece] & 0xc0) == 0x80)
			piece--;
		size_t escaped = cli_escape_terminal(
			out, (const unsigned char *)bytes, piece);

		(void)fwrite(out, 1, escaped, stdout);
		bytes += piece;
		size_bytes -= piece;
	}
}

/* A shell gets names as they are, to quote them; a terminal does not. */
static void print_bytes(const struct cli_completion *completion,
                        const char *bytes, size_t size_bytes)
{
	if (completion->terminal)
		print_escaped(bytes, size_bytes);
	else
		(void)fwrite(bytes, 1, size_bytes, stdout);
}

static void end_record(const struct cli_completion *completion)
{
	(void)fputc(completion->terminal ? '\n' : '\0', stdout);
}

static void print_class(enum offer_class class)
{
	(void)fputc((int)class, stdout);
}

/* How many bytes at the start of a candidate the shell has dealt with. */
static size_t known_bytes(const struct cli_completion *completion,
                          enum offer_class class)
{
	const char *slash = NULL;

	switch (completion->shell) {
	case CLI_SHELL_BASH: return completion->line.kept;
	case CLI_SHELL_ZSH:
		if (class == OFFER_FILE || class == OFFER_FOLDER)
			slash = strrchr(completion->value, '/');
		if (slash != NULL)
			return (size_t)(slash + 1 - completion->line.word);
		return completion->by_name ? completion->prefix_bytes : 0;
	default: return 0;
	}
}

static void print_text(const struct cli_completion *completion,
                       enum offer_class class, const char *value,
                       size_t skipped)
{
	size_t prefix = completion->prefix_bytes;
	size_t from = skipped > prefix ? skipped - prefix : 0;
	size_t bytes = strlen(value) - from;

	/* readline finds out by itself that a path is a folder's, and closes no
	 * quotes behind the slash that it adds. */
	if (class == OFFER_FOLDER && completion->shell == CLI_SHELL_BASH &&
	    skipped == 0)
		bytes--;
	if (skipped < prefix)
		print_bytes(completion, completion->prefix + skipped,
		            prefix - skipped);
	print_bytes(completion, value + from, bytes);
}

/* One record of the answer: the class, the text, and where the shell shows one
 * the description. */
static void print_offer(const struct cli_completion *completion,
                        enum offer_class class, const char *value,
                        const char *description)
{
	size_t skipped = known_bytes(completion, class);

	/* fish takes what stands behind a tab for the description. */
	if (completion->shell == CLI_SHELL_FISH && strchr(value, '\t') != NULL)
		return;
	if (skipped > completion->prefix_bytes + strlen(value))
		return;
	print_class(class);
	if (class == OFFER_HINT)
		print_escaped(value, strlen(value));
	else
		print_text(completion, class, value, skipped);
	if (completion->shell == CLI_SHELL_ZSH)
		end_record(completion);
	else if (completion->shell == CLI_SHELL_FISH && description != NULL)
		(void)fputc('\t', stdout);
	if (completion->shell != CLI_SHELL_BASH && description != NULL)
		print_escaped(description, strlen(description));
	end_record(completion);
}

/* Only bash takes candidates as they are; the others have their own notion of
 * what a beginning is, which may not regard case, and choose by it. */
static bool begins(const struct cli_completion *completion, const char *text,
                   const char *beginning)
{
	size_t bytes = strlen(beginning);

	return completion->shell == CLI_SHELL_BASH
	               ? strncmp(text, beginning, bytes) == 0
	               : strncasecmp(text, beginning, bytes) == 0;
}

static void offer(struct cli_completion *completion, enum offer_class class,
                  const char *value, const char *description)
{
	if (!begins(completion, value, completion->value))
		return;
	completion->found = true;
	print_offer(completion, class, value, description);
}

void cli_offer(struct cli_completion *completion, const char *value,
               const char *description)
{
	offer(completion, OFFER_WORD, value, description);
}

void cli_offer_part(struct cli_completion *completion, const char *value,
                    const char *description)
{
	offer(completion, OFFER_PART, value, description);
}

void cli_offer_file(struct cli_completion *completion, const char *path)
{
	offer(completion, OFFER_FILE, path, NULL);
}

void cli_offer_folder(struct cli_completion *completion, const char *path)
{
	offer(completion, OFFER_FOLDER, path, NULL);
}

void cli_offer_native(struct cli_completion *completion)
{
	print_class(OFFER_NATIVE);
	if (completion->shell == CLI_SHELL_ZSH)
		end_record(completion);
	end_record(completion);
}

bool cli_completion_found(const struct cli_completion *completion)
{
	return completion->found;
}

/* --------------------------------------------------- the line at the cursor */

const char *cli_completion_next(struct cli_completion *completion)
{
	if (completion->next >= completion->line.count)
		return NULL;
	return completion->line.words[completion->next++];
}

const char *cli_completion_value(const struct cli_completion *completion)
{
	return completion->value;
}

/* The word from its `bytes`th on is what is to be completed. */
static void split_word(struct cli_completion *completion, size_t bytes,
                       bool by_name)
{
	completion->prefix = completion->line.word;
	completion->prefix_bytes = bytes;
	completion->value = completion->line.word + bytes;
	completion->by_name = by_name;
}

static void begin_scan(const struct cli_completion *completion,
                       struct cli_scanner *scanner)
{
	const struct cli_shell_line *line = &completion->line;

	/* The first argument counts as the command's name. */
	cli_scanner_init(scanner, completion->command,
	                 (int)(line->count - completion->first + 1),
	                 line->words + completion->first - 1);
}

const char *cli_completion_option(const struct cli_completion *completion,
                                  const char *name, size_t n)
{
	struct cli_scanner scanner;
	struct cli_item item;
	size_t option;

	if (completion->command == NULL ||
	    !cli_option_find(completion->command, name, strlen(name), &option))
		return NULL;
	begin_scan(completion, &scanner);
	for (;;) {
		cli_scan_item(&scanner, &item);
		if (item.kind == CLI_ITEM_END)
			return NULL;
		if (item.kind == CLI_ITEM_OPTION && item.option == option &&
		    item.value != NULL && n-- == 0)
			return item.value;
	}
}

const char *cli_completion_operand(const struct cli_completion *completion,
                                   size_t n)
{
	struct cli_scanner scanner;
	struct cli_item item;

	if (completion->command == NULL)
		return NULL;
	begin_scan(completion, &scanner);
	do {
		cli_scan_item(&scanner, &item);
	} while (item.kind != CLI_ITEM_END &&
	         (item.kind != CLI_ITEM_OPERAND || n-- > 0));
	return item.kind == CLI_ITEM_OPERAND ? item.value : NULL;
}

/* ------------------------------------------------------------------ options */

/* What the words before the cursor leave to be asked. */
struct standing {
	unsigned char *given;          /* of each option: it was */
	size_t operands;               /* how many were given */
	bool only_operands;            /* behind "--" */
	const struct cli_option *open; /* lacks its value; or NULL */
};

static bool find_standing(const struct cli_completion *completion,
                          struct standing *standing)
{
	const struct cli_command *command = completion->command;
	struct cli_scanner scanner;
	struct cli_item item;

	*standing = (struct standing){
		.given = calloc(command->option_count + 1, 1)};
	if (standing->given == NULL)
		return false;
	begin_scan(completion, &scanner);
	do {
		cli_scan_item(&scanner, &item);
		if (item.kind == CLI_ITEM_OPERAND)
			standing->operands++;
		else if (item.kind == CLI_ITEM_OPTION)
			standing->given[item.option] = 1;
		else if (item.kind == CLI_ITEM_MISSING_VALUE)
			standing->open = &command->options[item.option];
	} while (item.kind != CLI_ITEM_END);
	standing->only_operands = scanner.only_operands;
	return true;
}

static void offer_option(struct cli_completion *completion,
                         const struct cli_option *option)
{
	char text[64];

	if (option->name != NULL) {
		(void)snprintf(text, sizeof(text), "--%s", option->name);
		cli_offer(completion, text, option->help);
	}
	/* Letters are for who wants to see them, and asks for no name. */
	if (option->letter != '\0' && strlen(completion->value) < 2 &&
	    (option->name == NULL || completion->value[0] == '-')) {
		(void)snprintf(text, sizeof(text), "-%c", option->letter);
		cli_offer(completion, text, option->help);
	}
}

/* The options that can still be given. */
static void offer_options(struct cli_completion *completion,
                          const struct standing *standing)
{
	static const struct cli_option help = {.letter = CLI_HELP_LETTER,
	                                       .name = CLI_HELP_NAME,
	                                       .help = "print the help text"};
	const struct cli_command *command = completion->command;

	for (size_t i = 0;
	     command->options != NULL && i < command->option_count; i++) {
		const struct cli_option *option = &command->options[i];

		if (!standing->given[i] || option->repeatable)
			offer_option(completion, option);
	}
	offer_option(completion, &help);
}

static void offer_hint(const struct cli_completion *completion,
                       const struct cli_option *option)
{
	char text[160];

	if (completion->shell != CLI_SHELL_ZSH)
		return;
	(void)snprintf(text, sizeof(text), "%s: %s", option->value,
	               option->help);
	print_offer(completion, OFFER_HINT, text, NULL);
}

void cli_complete_value(struct cli_completion *completion,
                        const struct cli_argument_kind *kind)
{
	for (size_t i = 0; kind->words != NULL && kind->words[i] != NULL; i++)
		cli_offer(completion, kind->words[i], NULL);
	if (kind->offer != NULL)
		kind->offer(completion);
}

static void complete_option_value(struct cli_completion *completion,
                                  const struct cli_option *option)
{
	if (option->value == NULL)
		return;
	cli_complete_value(completion, option->kind);
	if (!completion->found)
		offer_hint(completion, option);
}

/* A word of letters, the last of which may have its value behind it. */
static void complete_letters(struct cli_completion *completion)
{
	const struct cli_command *command = completion->command;
	const char *word = completion->value;
	size_t option;

	for (const char *at = word + 1; *at != '\0'; at++) {
		if (!cli_option_find_letter(command, *at, &option))
			return;
		if (command->options[option].value == NULL ||
		    command->options[option].value_optional)
			continue;
		if (at[1] != '\0') {
			split_word(completion, (size_t)(at + 1 - word), false);
			complete_option_value(completion,
			                      &command->options[option]);
			return;
		}
	}
	cli_offer(completion, word, NULL);
}

static void complete_name(struct cli_completion *completion,
                          const struct standing *standing)
{
	const struct cli_command *command = completion->command;
	const char *name = completion->value + 2;
	const char *equals = strchr(name, '=');
	size_t option;

	if (equals == NULL) {
		offer_options(completion, standing);
	} else if (cli_option_find(command, name, (size_t)(equals - name),
	                           &option)) {
		split_word(completion, (size_t)(equals + 1 - name) + 2, true);
		complete_option_value(completion, &command->options[option]);
	}
}

static void complete_operand(struct cli_completion *completion,
                             const struct standing *standing)
{
	const struct cli_command *command = completion->command;
	const struct cli_argument_kind *const *kind = command->operand_kinds;

	if (kind == NULL || standing->operands >= command->max_operands)
		return;
	for (size_t i = 0; i < standing->operands && kind[1] != NULL; i++)
		kind++;
	cli_complete_value(completion, *kind);
}

void cli_complete_command(struct cli_completion *completion,
                          const struct cli_command *command)
{
	const char *word = completion->line.word;
	struct standing standing;

	completion->command = command;
	completion->first = completion->next;
	if (!find_standing(completion, &standing))
		return;
	if (standing.open != NULL) {
		complete_option_value(completion, standing.open);
	} else if (standing.only_operands || word[0] != '-') {
		complete_operand(completion, &standing);
		/* Where no operand can follow, an option may. */
		if (!completion->found && word[0] == '\0' &&
		    !standing.only_operands)
			offer_options(completion, &standing);
	} else if (word[1] == '\0') {
		offer_options(completion, &standing);
	} else if (word[1] == '-') {
		complete_name(completion, &standing);
	} else {
		complete_letters(completion);
	}
	free(standing.given);
}

/* -------------------------------------------------------------------- paths */

/* A path that begins with "~/" from the home folder on; freed by the caller. */
static char *from_home(const char *path, size_t bytes)
{
	const char *home = getenv("HOME");
	size_t length;
	char *real;

	if (home == NULL || bytes < 1 || (bytes > 1 && path[1] != '/'))
		return NULL;
	length = strlen(home);
	real = malloc(length + bytes);
	if (real == NULL)
		return NULL;
	memcpy(real, home, length);
	memcpy(real + length, path + 1, bytes - 1);
	real[length + bytes - 1] = '\0';
	return real;
}

char *cli_completion_folder(const struct cli_completion *completion)
{
	const char *value = completion->value;
	const char *slash = strrchr(value, '/');
	size_t bytes = slash != NULL ? (size_t)(slash + 1 - value) : 0;

	if (completion->line.expanded)
		return NULL;
	if (completion->line.tilde && value == completion->line.word)
		return from_home(value, bytes);
	return bytes > 0 ? strndup(value, bytes) : strdup("./");
}

char *cli_completion_path(const char *value)
{
	/* Its quotes are gone, but hardly any file has such a name. */
	if (value[0] == '~' && value[1] == '/')
		return from_home(value, strlen(value));
	return strdup(value);
}

/* ------------------------------------------------------------- the question */

bool cli_completion_asked(int argc, char **argv)
{
	return argc > 1 && strncmp(argv[1], QUESTION, strlen(QUESTION)) == 0;
}

static bool find_shell(const char *name, enum cli_shell *shell_out)
{
	static const char *const names[] = {[CLI_SHELL_BASH] = "bash",
	                                    [CLI_SHELL_ZSH] = "zsh",
	                                    [CLI_SHELL_FISH] = "fish"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			*shell_out = (enum cli_shell)i;
			return true;
		}
	}
	return false;
}

static int refuse_question(void)
{
	return cli_usage_error("%sSHELL takes bash, zsh or fish, and a line",
	                       QUESTION);
}

/* Offers the files that a redirection can have, or lets `answer` offer. */
static int answer_line(struct cli_completion *completion,
                       int (*answer)(struct cli_completion *completion))
{
	struct cli_shell_line *line = &completion->line;

	if (line->expanded)
		cli_offer_native(completion);
	split_word(completion, 0, false);
	if (!line->redirects)
		return answer(completion);
	cli_offer_native(completion);
	return CLI_OK;
}

int cli_completion_answer(int argc, char **argv,
                          int (*answer)(struct cli_completion *completion))
{
	struct cli_completion completion = {
		.argv = argv,
		.argc = argc,
		.terminal = isatty(STDOUT_FILENO),
	};
	size_t skipped = argc > 4 ? strtoul(argv[4], NULL, 10) : 1;
	int status = CLI_OK;

	if (argc < 3 ||
	    !find_shell(argv[1] + strlen(QUESTION), &completion.shell))
		return refuse_question();
	if (!cli_shell_line_read(&completion.line, completion.shell, argv[2],
	                         argc > 3 ? argv[3] : "")) {
		cli_message(NULL, "cannot complete: out of memory");
		status = CLI_SYSTEM;
	} else if (completion.line.count >= skipped && skipped > 0) {
		completion.next = skipped;
		status = answer_line(&completion, answer);
	}
	cli_shell_line_release(&completion.line);
	return status;
}

void cli_completion_hand_over(const struct cli_completion *completion,
                              char *argv[CLI_COMPLETION_ARGUMENTS])
{
	static char empty[] = "", two[] = "2";

	argv[0] = completion->argv[0];
	argv[1] = completion->argv[1];
	argv[2] = completion->argv[2];
	argv[3] = completion->argc > 3 ? completion->argv[3] : empty;
	argv[4] = two;
	argv[5] = NULL;
}
