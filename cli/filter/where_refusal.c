/* Words the refusal of an expression. */
#include "where_refusal.h"

#include "command.h"
#include "failure.h"
#include "message.h"

#include <errno.h>
#include <string.h>

/* A word for a shell, in single quotes, those in it seen through. */
struct shell_word {
	char text[1024];
};

static const char *shell_quote(struct shell_word *word, const char *text)
{
	char *out = word->text, *end = out + sizeof(word->text) - 8;

	for (; *text != '\0' && out < end; text++) {
		if (*text == '\'')
			out = stpcpy(out, "'\\''");
		else
			*out++ = *text;
	}
	(void)stpcpy(out, *text == '\0' ? "" : "...");
	return word->text;
}

int cli_where_refuse(const struct cli_where_use *use, const char *text,
                     const struct cli_where_error *error)
{
	struct shell_word word;

	switch (error->failure) {
	case CLI_WHERE_NO_MEMORY:
		return cli_fail(NULL, "cannot read the expression", -ENOMEM);
	case CLI_WHERE_NO_REGEX:
		cli_message(NULL, "test() in %s cannot be used: %s",
		            use->option, error->reason);
		return CLI_SYSTEM;
	case CLI_WHERE_OUTSIDE:
		return cli_usage_error(
			"%s: column %zu: %s; jq does it: %s | jq %s%s%s",
			use->option, error->column, error->reason, use->feed,
			use->before, shell_quote(&word, text), use->after);
	default:
		return cli_usage_error("%s: column %zu: %s", use->option,
		                       error->column, error->reason);
	}
}
