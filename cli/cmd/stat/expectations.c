/* Judges logs by what is expected of them. */
#include "expectations.h"

#include "command.h"
#include "condition.h"
#include "failure.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int read_expectations(struct expectations *expected,
                      const struct cli_args *args, size_t place)
{
	size_t count = cli_args_count(args, place);
	int status = CLI_OK;

	if (count == 0)
		return CLI_OK;
	expected->conditions = calloc(count, sizeof(struct cli_condition *));
	if (expected->conditions == NULL)
		return cli_fail(NULL, "cannot judge", -ENOMEM);
	while (expected->count < count && status == CLI_OK) {
		status = cli_condition_init(
			&expected->conditions[expected->count], "--expect",
			cli_args_nth(args, place, expected->count),
			"shmlog stat -o json LOG");
		expected->count += status == CLI_OK;
	}
	return status;
}

void release_expectations(struct expectations *expected)
{
	for (size_t i = 0; i < expected->count; i++)
		cli_condition_free(expected->conditions[i]);
	free(expected->conditions);
	*expected = (struct expectations){0};
}

static int judge(const struct expectations *expected, const char *path,
                 const char *json)
{
	int worst = CLI_OK;

	for (size_t i = 0; i < expected->count; i++) {
		bool holds;
		int status = cli_condition_judge(expected->conditions[i], path,
		                                 json, strlen(json), &holds);

		if (status == CLI_OK && !holds) {
			cli_condition_report(expected->conditions[i], path);
			status = CLI_NO;
		}
		worst = status > worst ? status : worst;
	}
	return worst;
}

int judge_expectations(const struct expectations *expected, const char *path,
                       int status, struct cli_object *report)
{
	char *json = cli_object_print(report);

	cli_object_free(report);
	if (json == NULL)
		return cli_fail(path, "cannot be judged", -ENOMEM);
	if (status == CLI_OK || status == CLI_NO)
		status = judge(expected, path, json);
	free(json);
	return status;
}
