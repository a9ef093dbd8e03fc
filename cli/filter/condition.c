/* Judges reports by an expression. */
#include "condition.h"

#include "command.h"
#include "failure.h"
#include "message.h"
#include "where.h"
#include "where_refusal.h"

#include <errno.h>
#include <stdlib.h>

struct cli_condition {
	struct cli_where *where;
	const char *option;
	const char *text;
};

int cli_condition_init(struct cli_condition **condition_out, const char *option,
                       const char *text, const char *reporter)
{
	struct cli_condition *condition = calloc(1, sizeof(*condition));
	struct cli_where_error error;

	*condition_out = NULL;
	if (condition == NULL)
		return cli_fail(NULL, "cannot judge", -ENOMEM);
	condition->option = option;
	condition->text = text;
	condition->where = cli_where_parse(text, &error);
	if (condition->where == NULL) {
		free(condition);
		return cli_where_refuse(
			&(struct cli_where_use){option, reporter, "-e '", "'"},
			text, &error);
	}
	*condition_out = condition;
	return CLI_OK;
}

void cli_condition_free(struct cli_condition *condition)
{
	if (condition == NULL)
		return;
	cli_where_free(condition->where);
	free(condition);
}

int cli_condition_judge(struct cli_condition *condition, const char *subject,
                        const char *json, size_t size_bytes, bool *holds_out)
{
	enum cli_where_answer answer = cli_where_judge(
		condition->where, (const unsigned char *)json, size_bytes);

	*holds_out = answer == CLI_WHERE_YES;
	if (answer == CLI_WHERE_YES || answer == CLI_WHERE_NO)
		return CLI_OK;
	if (answer == CLI_WHERE_FAILED)
		return cli_fail(subject, "cannot be judged", -ENOMEM);
	cli_message(subject, "cannot be judged: %s is over its match limit",
	            condition->option);
	return CLI_INPUT;
}

void cli_condition_report(const struct cli_condition *condition,
                          const char *subject)
{
	struct cli_quoted quoted;

	cli_message(subject, "%s %s is false", condition->option,
	            cli_quote(&quoted, condition->text));
}
