/*
 * A command line as a shell has it at the press of Tab, up to the cursor: cut
 * into words by that shell's own rules of quoting.  The last word, or its
 * quotes, need not be complete.
 */
#ifndef CLI_SHELL_LINE_H
#define CLI_SHELL_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum cli_shell {
	CLI_SHELL_BASH,
	CLI_SHELL_ZSH,
	CLI_SHELL_FISH,
};

struct cli_shell_line {
	char **words; /* without quotes, the one at the cursor excepted */
	size_t count;
	char *word;     /* at the cursor, without quotes; "" for a new one */
	size_t kept;    /* bytes of it that stand before what bash replaces */
	bool tilde;     /* it begins with a tilde that stands for a folder */
	bool expanded;  /* it has a $ or a ` that only the shell can work out */
	bool redirects; /* it is the file of a redirection */
};

/*
 * Cuts a line.  `breaks` are the characters at which bash begins a new word to
 * replace, COMP_WORDBREAKS; "" for another shell.  False when there is no
 * memory.  The line is released in either case.
 */
bool cli_shell_line_read(struct cli_shell_line *line, enum cli_shell shell,
                         const char *text, const char *breaks);
void cli_shell_line_release(struct cli_shell_line *line);

#endif
