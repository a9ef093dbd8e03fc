/* Finds the literals that every match of a pattern contains. */
#include "required.h"

#include "utf8.h"

#include <string.h>

/* A literal of one byte rules out little, and costs a look. */
#define LEAST_BYTES 2u

struct walk {
	const char *at;
	const char *end;
	bool utf;
	bool gave_up; /* something that is not understood here */
	bool plain;   /* this alternative is a literal, so far */
	unsigned char run[CLI_LITERAL_MAX_BYTES];
	size_t run_bytes;
	unsigned char best[CLI_LITERAL_MAX_BYTES];
	size_t best_bytes;
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static char peek(const struct walk *walk, size_t ahead)
{
	return (size_t)(walk->end - walk->at) > ahead ? walk->at[ahead] : '\0';
}

/* Ends the run of bytes that stand behind one another. */
static void end_run(struct walk *walk)
{
	if (walk->run_bytes > walk->best_bytes) {
		memcpy(walk->best, walk->run, walk->run_bytes);
		walk->best_bytes = walk->run_bytes;
	}
	walk->run_bytes = 0;
}

/* Something that is no literal stands between two of them. */
static void interrupt(struct walk *walk)
{
	end_run(walk);
	walk->plain = false;
}

/* {N}, {N,} or {N,M} at the scan; how long that is, 0 for anything else. */
static size_t interval_length(const struct walk *walk)
{
	size_t i = 1;

	if (peek(walk, 0) != '{' || !is_digit(peek(walk, 1)))
		return 0;
	while (is_digit(peek(walk, i)))
		i++;
	if (peek(walk, i) == ',')
		i++;
	while (is_digit(peek(walk, i)))
		i++;
	return peek(walk, i) == '}' ? i + 1 : 0;
}

/* Passes over a quantifier.  True if there is one; *may_be_none_out says that
 * what stands before it may be missing. */
static bool take_quantifier(struct walk *walk, bool *may_be_none_out)
{
	size_t length = interval_length(walk);
	char byte = peek(walk, 0);

	if (length > 0) {
		*may_be_none_out = true;
		walk->at += length;
	} else if (walk->at < walk->end &&
	           (byte == '*' || byte == '?' || byte == '+')) {
		*may_be_none_out = byte != '+';
		walk->at++;
	} else {
		/* An interval as other versions spell it, perhaps. */
		if (byte == '{' && walk->at < walk->end &&
		    (peek(walk, 1) == ',' || peek(walk, 1) == ' ' ||
		     is_digit(peek(walk, 1))))
			walk->gave_up = true;
		return false;
	}
	if (peek(walk, 0) == '?' || peek(walk, 0) == '+')
		walk->at++;
	return true;
}

/* A character that stands for itself. */
static void take_literal(struct walk *walk, const char *bytes,
                         size_t size_bytes)
{
	bool may_be_none = false;
	bool repeated = take_quantifier(walk, &may_be_none);

	if (repeated)
		walk->plain = false;
	if (may_be_none) {
		end_run(walk);
		return;
	}
	if (walk->run_bytes + size_bytes > sizeof(walk->run)) {
		interrupt(walk);
		return;
	}
	memcpy(walk->run + walk->run_bytes, bytes, size_bytes);
	walk->run_bytes += size_bytes;
	if (repeated)
		end_run(walk);
}

/* Something that one of many characters matches, or none. */
static void take_other(struct walk *walk)
{
	bool may_be_none;

	interrupt(walk);
	(void)take_quantifier(walk, &may_be_none);
}

static void take_escape(struct walk *walk)
{
	static const char control_names[] = "nrtfea";
	static const char controls[] = "\n\r\t\f\x1b\a";
	char byte = peek(walk, 1);
	const char *control;

	if ((size_t)(walk->end - walk->at) < 2 || byte == '\0') {
		walk->gave_up = true;
		return;
	}
	walk->at += 2;
	control = strchr(control_names, byte);
	if (control != NULL)
		take_literal(walk, &controls[control - control_names], 1);
	else if (strchr("dDwWsSbBAzZhHvVRXG", byte) != NULL)
		take_other(walk);
	else if ((byte >= '!' && byte < '0') || (byte > '9' && byte < 'A') ||
	         (byte > 'Z' && byte < 'a') || (byte > 'z' && byte < 0x7f) ||
	         byte == ' ')
		take_literal(walk, &byte, 1);
	else
		walk->gave_up = true;
}

/* Passes over a class, the bracket that closes it included. */
static void skip_class(struct walk *walk)
{
	walk->at++;
	if (peek(walk, 0) == '^')
		walk->at++;
	if (peek(walk, 0) == ']')
		walk->at++;
	while (walk->at < walk->end && *walk->at != ']') {
		if (*walk->at == '[' &&
		    (peek(walk, 1) == ':' || peek(walk, 1) == '.' ||
		     peek(walk, 1) == '='))
			walk->gave_up = true;
		if (*walk->at == '\\') {
			if (peek(walk, 1) == 'Q' || peek(walk, 1) == 'E')
				walk->gave_up = true;
			walk->at++;
		}
		if (walk->at < walk->end)
			walk->at++;
	}
	if (walk->at < walk->end)
		walk->at++;
}

/* Whether a group is one of those that hold for themselves: it captures, or
 * not, or looks around.  All others may change what stands behind them. */
static bool is_simple_group(const struct walk *walk)
{
	if (peek(walk, 1) == '*')
		return false;
	if (peek(walk, 1) != '?')
		return true;
	return memchr(":=!>", peek(walk, 2), 4) != NULL ||
	       (peek(walk, 2) == '<' &&
	        (peek(walk, 3) == '=' || peek(walk, 3) == '!'));
}

static void skip_group(struct walk *walk)
{
	size_t depth = 0;

	while (walk->at < walk->end && !walk->gave_up) {
		char byte = *walk->at;

		if (byte == '[') {
			skip_class(walk);
			continue;
		}
		if (byte == '(') {
			walk->gave_up = !is_simple_group(walk);
			depth++;
		} else if (byte == ')' && --depth == 0) {
			break;
		} else if (byte == '\\') {
			if (peek(walk, 1) == 'Q')
				walk->gave_up = true;
			walk->at++;
		}
		if (walk->at < walk->end)
			walk->at++;
	}
	if (walk->at < walk->end)
		walk->at++;
	take_other(walk);
}

static void take_character(struct walk *walk)
{
	const char *start = walk->at;
	size_t length = 1;
	unsigned point;

	if (walk->utf)
		length = cli_utf8_decode((const unsigned char *)start,
		                         (size_t)(walk->end - start), &point);
	if (length == 0) {
		walk->gave_up = true;
		return;
	}
	walk->at += length;
	take_literal(walk, start, length);
}

static void walk_alternative(struct walk *walk)
{
	walk->plain = true;
	walk->run_bytes = walk->best_bytes = 0;
	while (walk->at < walk->end && *walk->at != '|' && !walk->gave_up) {
		switch (*walk->at) {
		case '\\': take_escape(walk); break;
		case '(': skip_group(walk); break;
		case '[':
			skip_class(walk);
			take_other(walk);
			break;
		case '.':
		case '^':
		case '$':
			walk->at++;
			take_other(walk);
			break;
		default: take_character(walk);
		}
	}
	end_run(walk);
}

enum cli_required cli_required_literals(const char *pattern, size_t size_bytes,
                                        bool utf, struct cli_literals *literals)
{
	struct walk walk = {
		.at = pattern, .end = pattern + size_bytes, .utf = utf};
	struct cli_literals found = *literals;
	bool all_plain = true;

	for (;;) {
		walk_alternative(&walk);
		if (walk.gave_up || walk.best_bytes < LEAST_BYTES ||
		    !cli_literals_add(&found, walk.best, walk.best_bytes))
			return CLI_REQUIRED_NOTHING;
		all_plain &= walk.plain;
		if (walk.at == walk.end)
			break;
		walk.at++; /* the bar */
	}
	*literals = found;
	return all_plain ? CLI_REQUIRED_ALL : CLI_REQUIRED_SOME;
}
