/*
 * Patterns over payloads: a payload that matches holds the literals that a
 * match was said to contain, and several patterns together match what one of
 * them matches.  INPUT: FLAGS PATTERN NUL PATTERN NUL PAYLOAD
 */
#include "fuzz.h"

#include "literals.h"
#include "pattern.h"

#include <stdlib.h>
#include <string.h>

#define MOST_TEXT 64u
#define MOST_BYTES 512u

static struct cli_pattern *compile(const char *const *texts, size_t count,
                                   bool ignore_case)
{
	struct cli_pattern_error error;
	struct cli_pattern *pattern = cli_pattern_compile(texts, count,
	                                                  ignore_case, &error);

	if (pattern == NULL) {
		require(error.nth < count);
		require(error.regex.offset <= strlen(texts[error.nth]));
		require(error.regex.reason[0] != '\0');
	}
	return pattern;
}

/* The answer of a search; false where there is none. */
static bool search(const struct cli_pattern *pattern, const uint8_t *bytes,
                   size_t size_bytes, bool *found_out)
{
	const struct cli_literals *literals = cli_pattern_literals(pattern);
	struct cli_regex_bounds bounds;
	enum cli_regex_match match = cli_pattern_search(pattern, bytes,
	                                                size_bytes, 0, &bounds);
	const struct shmlog_frame frame = {.payload = bytes,
	                                   .size_bytes = (uint32_t)size_bytes};
	enum cli_held held;

	require(match != CLI_REGEX_MATCH_FAILED);
	*found_out = match == CLI_REGEX_MATCH;
	if (match == CLI_REGEX_OVER_LIMIT)
		return false;
	if (*found_out)
		require(bounds.end <= size_bytes);
	cli_literals_mark(literals, &frame, 1, &held);
	if (*found_out && literals->count > 0)
		require(held != CLI_HELD_NONE);
	if (held == CLI_HELD_DECIDING)
		require(*found_out);
	return true;
}

static void check(const char *const *texts, bool ignore_case,
                  const uint8_t *bytes, size_t size_bytes)
{
	struct cli_pattern *one = compile(texts, 1, ignore_case);
	struct cli_pattern *two = compile(texts + 1, 1, ignore_case);
	struct cli_pattern *both = compile(texts, 2, ignore_case);
	bool first = false, second = false, either = false, judged = false;

	if (one != NULL)
		judged = search(one, bytes, size_bytes, &first);
	if (two != NULL)
		judged &= search(two, bytes, size_bytes, &second);
	/* One that needs code points makes the other one's bytes these. */
	if (both != NULL && one != NULL && two != NULL &&
	    search(both, bytes, size_bytes, &either) && judged &&
	    cli_pattern_is_utf(one) == cli_pattern_is_utf(two))
		require(either == (first || second));
	cli_pattern_free(one);
	cli_pattern_free(two);
	cli_pattern_free(both);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct fuzz_input input = {data, size_bytes};
	bool ignore_case = (fuzz_take_byte(&input) & 1) != 0;
	char *first = fuzz_take_text(&input);
	char *second = fuzz_take_text(&input);
	const char *const texts[] = {first, second};
	uint8_t *bytes = fuzz_copy(input.at, input.left_bytes);

	if (strlen(first) <= MOST_TEXT && strlen(second) <= MOST_TEXT &&
	    input.left_bytes <= MOST_BYTES)
		check(texts, ignore_case, bytes, input.left_bytes);
	free(bytes);
	free(second);
	free(first);
	return 0;
}
