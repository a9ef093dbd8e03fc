/*
 * Expressions of --where over payloads: a refusal has a column and a reason, a
 * frame that passes was not ruled out by what it must hold, and what an
 * expression says its negation does not.  INPUT: EXPRESSION NUL PAYLOAD
 */
#include "fuzz.h"

#include "literals.h"
#include "where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TEXT 512u

static void check_refusal(const struct cli_where_error *error, const char *text)
{
	size_t length = strnlen(error->reason, sizeof(error->reason));

	require(error->column >= 1 && error->column <= strlen(text) + 1);
	require(length > 0 && length < sizeof(error->reason));
}

static bool holds_needed(const struct cli_where *where, const uint8_t *bytes,
                         size_t size_bytes)
{
	const struct cli_literals *literals = cli_where_literals(where);
	const struct shmlog_frame frame = {.payload = bytes,
	                                   .size_bytes = (uint32_t)size_bytes};
	enum cli_held held;

	cli_literals_mark(literals, &frame, 1, &held);
	return literals->count == 0 || held != CLI_HELD_NONE ||
	       memchr(bytes, '\\', size_bytes) != NULL;
}

static enum cli_where_answer judge(const char *text, const uint8_t *bytes,
                                   size_t size_bytes)
{
	struct cli_where_error error;
	struct cli_where *where = cli_where_parse(text, &error);
	enum cli_where_answer answer;

	if (where == NULL) {
		check_refusal(&error, text);
		return CLI_WHERE_FAILED;
	}
	answer = cli_where_judge(where, bytes, size_bytes);
	require(answer != CLI_WHERE_FAILED);
	if (answer == CLI_WHERE_YES)
		require(holds_needed(where, bytes, size_bytes));
	/* Nothing of one frame is left for the next. */
	require(cli_where_judge(where, bytes, size_bytes) == answer);
	cli_where_free(where);
	return answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct fuzz_input input = {data, size_bytes};
	char *text = fuzz_take_text(&input);
	uint8_t *bytes = fuzz_copy(input.at, input.left_bytes);
	char negation[MOST_TEXT + 16];

	if (strlen(text) <= MOST_TEXT) {
		enum cli_where_answer answer = judge(text, bytes,
		                                     input.left_bytes);

		(void)snprintf(negation, sizeof(negation), "(%s) | not", text);
		if (answer == CLI_WHERE_YES)
			require(judge(negation, bytes, input.left_bytes) ==
			        CLI_WHERE_NO);
	}
	free(bytes);
	free(text);
	return 0;
}
