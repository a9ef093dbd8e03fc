/* Several patterns as one. */
#include "pattern.h"

#include "required.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

struct cli_pattern {
	struct cli_regex **items; /* a payload matches where one of them does */
	size_t count;
	bool utf;
	struct cli_literals literals;
};

/* Whether an escape stands here that means nothing among bytes: a property, or
 * the number of a character beyond one byte. */
static bool is_utf_escape(const char *at)
{
	if (at[0] != '\\' || at[1] == '\0')
		return false;
	if (strchr("pPX", at[1]) != NULL || strncmp(at, "\\N{U+", 5) == 0)
		return true;
	if (strncmp(at, "\\x{", 3) == 0)
		return strtoul(at + 3, NULL, 16) > UINT8_MAX;
	return strncmp(at, "\\o{", 3) == 0 &&
	       strtoul(at + 3, NULL, 8) > UINT8_MAX;
}

/* Whether characters have to be code points.  A pattern that is no UTF-8 itself
 * is one of bytes. */
static bool is_utf_wanted(const char *text)
{
	if (!cli_utf8_is_valid((const unsigned char *)text, strlen(text)))
		return false;
	if (strncmp(text, "(*UTF)", 6) == 0)
		return true;
	for (const char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at >= 0x80 || is_utf_escape(at))
			return true;
		if (at[0] == '\\' && at[1] != '\0')
			at++;
	}
	return false;
}

/*
 * Whether a pattern means the same in brackets, beside others: it has no word
 * of groups by their number, no verb that stands at the start, and nothing
 * that a bracket behind it would not end.
 */
static bool can_be_joined(const char *text, const struct cli_regex *regex)
{
	if (cli_regex_refers_to_groups(regex) || strchr(text, '#') != NULL ||
	    strstr(text, "(*") != NULL || strstr(text, "\\Q") != NULL ||
	    strstr(text, "\\g") != NULL)
		return false;
	for (const char *at = strstr(text, "(?"); at != NULL;
	     at = strstr(at + 2, "(?")) {
		if (at[2] == '\0' || strchr(":=!<>i", at[2]) == NULL)
			return false;
	}
	return true;
}

/* Compiles each by itself, so that an error is in the one that has it. */
static bool compile_all(struct cli_pattern *pattern, const char *const *texts,
                        size_t count, unsigned flags,
                        struct cli_pattern_error *error)
{
	for (size_t i = 0; i < count; i++) {
		error->nth = i;
		pattern->items[i] = cli_regex_compile(
			texts[i], strlen(texts[i]), flags, &error->regex);
		if (pattern->items[i] == NULL)
			return false;
		pattern->count++;
	}
	return true;
}

/* "(?:A)|(?:B)", to be freed; NULL if memory is short. */
static char *join(const char *const *texts, size_t count)
{
	size_t size_bytes = 1;
	char *text, *at;

	for (size_t i = 0; i < count; i++)
		size_bytes += strlen(texts[i]) + sizeof("(?:)|");
	text = malloc(size_bytes);
	if (text == NULL)
		return NULL;
	at = text;
	for (size_t i = 0; i < count; i++) {
		at = stpcpy(at, i == 0 ? "(?:" : "|(?:");
		at = stpcpy(at, texts[i]);
		at = stpcpy(at, ")");
	}
	return text;
}

/* Puts one pattern in the place of all where that is the same and possible. */
static void join_all(struct cli_pattern *pattern, const char *const *texts,
                     unsigned flags)
{
	struct cli_regex_error error;
	struct cli_regex *joined;
	char *text;

	for (size_t i = 0; i < pattern->count; i++) {
		if (!can_be_joined(texts[i], pattern->items[i]))
			return;
	}
	text = join(texts, pattern->count);
	if (text == NULL)
		return;
	joined = cli_regex_compile(text, strlen(text), flags, &error);
	free(text);
	if (joined == NULL)
		return;
	for (size_t i = 0; i < pattern->count; i++)
		cli_regex_free(pattern->items[i]);
	pattern->items[0] = joined;
	pattern->count = 1;
}

static void find_literals(struct cli_pattern *pattern, const char *const *texts,
                          size_t count, unsigned flags)
{
	for (size_t i = 0; i < count; i++) {
		if (!cli_required_literals(texts[i], strlen(texts[i]), flags,
		                           &pattern->literals)) {
			pattern->literals.count = 0;
			return;
		}
	}
}

struct cli_pattern *cli_pattern_compile(const char *const *texts, size_t count,
                                        bool ignore_case,
                                        struct cli_pattern_error *error_out)
{
	struct cli_pattern *pattern = calloc(1, sizeof(*pattern));
	unsigned flags = ignore_case ? CLI_REGEX_IGNORE_CASE : 0;

	*error_out = (struct cli_pattern_error){
		.regex = {.failure = CLI_REGEX_NO_MEMORY,
	                  .reason = "not enough memory"}};
	if (pattern == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		pattern->utf |= is_utf_wanted(texts[i]);
	if (pattern->utf)
		flags |= CLI_REGEX_UTF;
	pattern->items = calloc(count, sizeof(struct cli_regex *));
	if (pattern->items == NULL ||
	    !compile_all(pattern, texts, count, flags, error_out)) {
		cli_pattern_free(pattern);
		return NULL;
	}
	if (count > 1)
		join_all(pattern, texts, flags);
	find_literals(pattern, texts, count, flags);
	return pattern;
}

void cli_pattern_free(struct cli_pattern *pattern)
{
	if (pattern == NULL)
		return;
	for (size_t i = 0; i < pattern->count; i++)
		cli_regex_free(pattern->items[i]);
	free(pattern->items);
	free(pattern);
}

bool cli_pattern_is_utf(const struct cli_pattern *pattern)
{
	return pattern->utf;
}

const struct cli_literals *
cli_pattern_literals(const struct cli_pattern *pattern)
{
	return &pattern->literals;
}

enum cli_regex_match cli_pattern_search(const struct cli_pattern *pattern,
                                        const unsigned char *bytes,
                                        size_t size_bytes, size_t start,
                                        struct cli_regex_bounds *bounds_out)
{
	enum cli_regex_match best = CLI_REGEX_NO_MATCH;

	for (size_t i = 0; i < pattern->count; i++) {
		struct cli_regex_bounds bounds;
		enum cli_regex_match match = cli_regex_search(
			pattern->items[i], bytes, size_bytes, start, &bounds);

		if (match == CLI_REGEX_NO_MATCH)
			continue;
		if (match != CLI_REGEX_MATCH)
			return match;
		if (bounds_out == NULL)
			return match;
		if (best == CLI_REGEX_NO_MATCH ||
		    bounds.begin < bounds_out->begin)
			*bounds_out = bounds;
		best = match;
	}
	return best;
}
