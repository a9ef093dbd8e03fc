/* Cuts a command line into words, as bash, zsh and fish do. */
#include "shell_line.h"

#include <stdlib.h>
#include <string.h>

/* Of what kind the quotes around a character are. */
enum quotes {
	QUOTES_NONE,
	QUOTES_SINGLE, /* '...' */
	QUOTES_DOUBLE, /* "..." */
	QUOTES_C,      /* $'...' */
};

struct cutter {
	struct cli_shell_line *line;
	enum cli_shell shell;
	const char *at; /* what is to be read next */
	const char *breaks;
	char *out; /* the end of the word at hand, which is line->word */
	enum quotes quotes;
	bool in_word;
	bool quoted; /* a part of the word was in quotes */
	bool failed;
};

static size_t word_bytes(const struct cutter *cutter)
{
	return (size_t)(cutter->out - cutter->line->word);
}

static void put(struct cutter *cutter, char byte)
{
	cutter->in_word = true;
	*cutter->out++ = byte;
}

/* Forgets the word at hand. */
static void restart_word(struct cutter *cutter)
{
	struct cli_shell_line *line = cutter->line;

	cutter->out = line->word;
	cutter->in_word = false;
	cutter->quoted = false;
	line->kept = 0;
	line->tilde = false;
	line->expanded = false;
	line->redirects = false;
}

/* Ends the word at hand, which stands before the cursor. */
static void end_word(struct cutter *cutter)
{
	struct cli_shell_line *line = cutter->line;

	if (!cutter->in_word)
		return;
	if (!line->redirects) {
		char *copy = strndup(line->word, word_bytes(cutter));
		char **longer = realloc(line->words,
		                        (line->count + 1) * sizeof(*longer));

		if (longer != NULL)
			line->words = longer;
		if (copy == NULL || longer == NULL) {
			free(copy);
			cutter->failed = true;
			return;
		}
		line->words[line->count++] = copy;
	}
	restart_word(cutter);
}

/* Begins a new command. */
static void end_command(struct cutter *cutter)
{
	struct cli_shell_line *line = cutter->line;

	while (line->count > 0)
		free(line->words[--line->count]);
	restart_word(cutter);
}

/* The file of a redirection comes next.  Digits before it are a descriptor. */
static void begin_redirection(struct cutter *cutter)
{
	struct cli_shell_line *line = cutter->line;

	*cutter->out = '\0';
	if (!cutter->quoted &&
	    line->word[strspn(line->word, "0123456789")] == '\0')
		restart_word(cutter);
	else
		end_word(cutter);
	cutter->at += strspn(cutter->at, "<>&|");
	cutter->at += strspn(cutter->at, " \t");
	line->redirects = true;
}

/* -------------------------------------------------------- after a backslash */

static int digit_of(char byte, unsigned base)
{
	static const char digits[] = "0123456789abcdef";
	char lower = (char)(byte >= 'A' && byte <= 'F' ? byte + ('a' - 'A')
	                                               : byte);
	const char *found = byte != '\0' ? strchr(digits, lower) : NULL;

	return found != NULL && found - digits < (int)base
	               ? (int)(found - digits)
	               : -1;
}

/* A byte given by at most `most` digits. */
static void put_number(struct cutter *cutter, unsigned base, int most)
{
	unsigned value = 0;

	while (most-- > 0 && digit_of(*cutter->at, base) >= 0)
		value = value * base + (unsigned)digit_of(*cutter->at++, base);
	put(cutter, (char)(unsigned char)value);
}

/* An escape as C has them, from the letter behind the backslash on. */
static void put_c_escape(struct cutter *cutter)
{
	static const char letters[] = "abefnrtvE";
	static const char bytes[] = "\a\b\x1b\f\n\r\t\v\x1b";
	const char *found = strchr(letters, *cutter->at);

	if (found != NULL) {
		put(cutter, bytes[found - letters]);
		cutter->at++;
	} else if (*cutter->at == 'x' || *cutter->at == 'X') {
		cutter->at++;
		put_number(cutter, 16, 2);
	} else if (digit_of(*cutter->at, 8) >= 0) {
		put_number(cutter, 8, 3);
	} else {
		put(cutter, *cutter->at++);
	}
}

/* Whether a backslash before this byte is more than a backslash. */
static bool is_escape(const struct cutter *cutter, char byte)
{
	switch (cutter->quotes) {
	case QUOTES_SINGLE:
		return cutter->shell == CLI_SHELL_FISH &&
		       (byte == '\'' || byte == '\\');
	case QUOTES_DOUBLE:
		return strchr(cutter->shell == CLI_SHELL_FISH ? "\"$\\\n"
		                                              : "\"$\\\n`",
		              byte) != NULL;
	default: return true;
	}
}

static void take_backslash(struct cutter *cutter)
{
	char next = *++cutter->at;

	if (next == '\0')
		return; /* The cursor stands behind it. */
	if (!is_escape(cutter, next)) {
		put(cutter, '\\');
	} else if (next == '\n') {
		cutter->at++;
	} else if (cutter->quotes == QUOTES_C ||
	           (cutter->quotes == QUOTES_NONE &&
	            cutter->shell == CLI_SHELL_FISH)) {
		put_c_escape(cutter);
	} else {
		put(cutter, next);
		cutter->at++;
	}
}

/* ------------------------------------------------------------------- quotes */

static void open_quotes(struct cutter *cutter, enum quotes quotes,
                        size_t mark_bytes)
{
	cutter->quotes = quotes;
	cutter->in_word = true;
	cutter->quoted = true;
	cutter->at += mark_bytes;
}

static void close_quotes(struct cutter *cutter)
{
	cutter->quotes = QUOTES_NONE;
	cutter->at++;
}

/* Copies what stands in the parentheses of a substitution as it is. */
static void take_substitution(struct cutter *cutter)
{
	unsigned depth = 0;

	cutter->line->expanded = true;
	if (*cutter->at == '$')
		put(cutter, *cutter->at++);
	do {
		depth += *cutter->at == '(';
		depth -= *cutter->at == ')';
		put(cutter, *cutter->at++);
	} while (depth > 0 && *cutter->at != '\0');
}

static bool is_substitution(const struct cutter *cutter)
{
	if (cutter->at[0] == '$' && cutter->at[1] == '(')
		return true;
	return cutter->shell == CLI_SHELL_FISH && cutter->at[0] == '(' &&
	       cutter->quotes == QUOTES_NONE;
}

static void take_quoted(struct cutter *cutter)
{
	static const char marks[] = {[QUOTES_SINGLE] = '\'',
	                             [QUOTES_DOUBLE] = '"',
	                             [QUOTES_C] = '\''};
	char byte = *cutter->at;

	if (byte == marks[cutter->quotes]) {
		close_quotes(cutter);
	} else if (byte == '\\') {
		take_backslash(cutter);
	} else if (cutter->quotes == QUOTES_DOUBLE && is_substitution(cutter)) {
		take_substitution(cutter);
	} else {
		if (cutter->quotes == QUOTES_DOUBLE &&
		    (byte == '$' || byte == '`'))
			cutter->line->expanded = true;
		put(cutter, byte);
		cutter->at++;
	}
}

/* -------------------------------------------------------------------- words */

/* What ends or begins a word where nothing is quoted.  False for a byte of
 * one. */
static bool take_operator(struct cutter *cutter)
{
	const char *at = cutter->at;

	if (*at == ' ' || *at == '\t' || *at == '\n') {
		end_word(cutter);
		cutter->at++;
	} else if (*at == '<' || *at == '>' || (at[0] == '&' && at[1] == '>')) {
		begin_redirection(cutter);
	} else if (*at == ';' || *at == '|' || *at == '&' ||
	           (*at == '(' && cutter->shell != CLI_SHELL_FISH)) {
		end_command(cutter);
		cutter->at++;
	} else {
		return false;
	}
	return true;
}

static void take_plain(struct cutter *cutter)
{
	const char *at = cutter->at;
	bool c_quotes = cutter->shell != CLI_SHELL_FISH && at[0] == '$' &&
	                at[1] == '\'';

	if (is_substitution(cutter)) {
		take_substitution(cutter);
	} else if (c_quotes) {
		open_quotes(cutter, QUOTES_C, 2);
	} else if (*at == '\'' || *at == '"') {
		open_quotes(cutter, *at == '"' ? QUOTES_DOUBLE : QUOTES_SINGLE,
		            1);
	} else if (*at == '\\') {
		take_backslash(cutter);
	} else if (!take_operator(cutter)) {
		cutter->line->expanded |= *at == '$' || *at == '`';
		cutter->line->tilde |= *at == '~' && !cutter->in_word;
		put(cutter, *at);
		/* readline lets the word that it replaces begin with these. */
		if (strchr(cutter->breaks, *at) != NULL)
			cutter->line->kept = word_bytes(cutter) -
			                     (*at == '@' || *at == '$');
		cutter->at++;
		return;
	}
}

bool cli_shell_line_read(struct cli_shell_line *line, enum cli_shell shell,
                         const char *text, const char *breaks)
{
	struct cutter cutter = {
		.line = line,
		.shell = shell,
		.at = text,
		.breaks = breaks,
	};
	size_t opened = 0;

	*line = (struct cli_shell_line){.word = malloc(strlen(text) + 1)};
	if (line->word == NULL)
		return false;
	cutter.out = line->word;
	while (*cutter.at != '\0' && !cutter.failed) {
		if (cutter.quotes != QUOTES_NONE) {
			take_quoted(&cutter);
			continue;
		}
		take_plain(&cutter);
		opened = word_bytes(&cutter);
	}
	/* bash replaces what stands behind a quote that is still open. */
	if (cutter.quotes != QUOTES_NONE && shell == CLI_SHELL_BASH)
		line->kept = opened;
	*cutter.out = '\0';
	return !cutter.failed;
}

void cli_shell_line_release(struct cli_shell_line *line)
{
	for (size_t i = 0; i < line->count; i++)
		free(line->words[i]);
	free(line->words);
	free(line->word);
	*line = (struct cli_shell_line){.word = NULL};
}
