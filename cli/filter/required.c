/* Finds the literals that every match of a pattern contains. */
#include "required.h"

#include "utf8.h"

#include <string.h>

/* A literal of one byte rules out little, and costs a look. */
#define LEAST_BYTES 2u

/* Bytes that stand behind one another, with gaps between but not around. */
struct run {
	unsigned char bytes[CLI_LITERAL_MAX_BYTES];
	unsigned char masks[CLI_LITERAL_MAX_BYTES];
	size_t size_bytes;
	size_t known_bytes;
};

struct walk {
	const char *at;
	const char *end;
	bool utf;
	bool ignore_case;
	bool gave_up; /* something that is not understood here */
	bool plain;   /* this alternative is a literal, so far */
	struct run run;
	struct run best;
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
	struct run *run = &walk->run;

	while (run->size_bytes > 0 &&
	       run->masks[run->size_bytes - 1] == CLI_MASK_ANY)
		run->size_bytes--;
	if (run->known_bytes > walk->best.known_bytes)
		walk->best = *run;
	run->size_bytes = run->known_bytes = 0;
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

/* Which bits of a byte a match has to have.  Only an ASCII letter has another
 * case here; the K and the S have a third one among code points, which is
 * longer. */
static bool find_mask(const struct walk *walk, unsigned char byte,
                      size_t size_bytes, unsigned char *mask_out)
{
	unsigned char lower = byte | (unsigned char)~CLI_MASK_LETTER;

	*mask_out = CLI_MASK_EXACT;
	if (!walk->ignore_case)
		return true;
	if (walk->utf &&
	    (size_bytes > 1 || byte >= 0x80 || lower == 'k' || lower == 's'))
		return false;
	if (lower >= 'a' && lower <= 'z')
		*mask_out = CLI_MASK_LETTER;
	return true;
}

static void add_byte(struct run *run, unsigned char byte, unsigned char mask)
{
	run->bytes[run->size_bytes] = byte & mask;
	run->masks[run->size_bytes] = mask;
	run->size_bytes++;
	run->known_bytes += mask != CLI_MASK_ANY;
}

/* Adds a character to the run; false where it cannot be a part of it. */
static bool add_character(struct walk *walk, const char *bytes,
                          size_t size_bytes)
{
	struct run *run = &walk->run;
	unsigned char mask;

	if (run->size_bytes + size_bytes > sizeof(run->bytes) ||
	    !find_mask(walk, (unsigned char)bytes[0], size_bytes, &mask))
		return false;
	for (size_t i = 0; i < size_bytes; i++)
		add_byte(run, (unsigned char)bytes[i], mask);
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
	if (may_be_none)
		end_run(walk);
	else if (!add_character(walk, bytes, size_bytes))
		interrupt(walk);
	else if (repeated)
		end_run(walk);
}

/* Something that is one character of many.  Where characters are bytes, it
 * leaves a gap of one. */
static void take_any(struct walk *walk)
{
	bool may_be_none;
	bool repeated = take_quantifier(walk, &may_be_none);
	struct run *run = &walk->run;

	walk->plain = false;
	if (repeated || walk->utf || run->size_bytes == sizeof(run->bytes))
		end_run(walk);
	else if (run->size_bytes > 0)
		add_byte(run, 0, CLI_MASK_ANY);
}

/* Something that holds or not, and takes no byte: what stands on both of its
 * sides stands together. */
static void take_assertion(struct walk *walk)
{
	bool may_be_none;

	walk->plain = false;
	(void)take_quantifier(walk, &may_be_none);
}

/* Something of any length. */
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
	else if (strchr("dDwWsShHvV", byte) != NULL)
		take_any(walk);
	else if (strchr("bBAzZG", byte) != NULL)
		take_assertion(walk);
	else if (strchr("RX", byte) != NULL)
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
	walk->run.size_bytes = walk->run.known_bytes = 0;
	walk->best.size_bytes = walk->best.known_bytes = 0;
	while (walk->at < walk->end && *walk->at != '|' && !walk->gave_up) {
		switch (*walk->at) {
		case '\\': take_escape(walk); break;
		case '(': skip_group(walk); break;
		case '[':
			skip_class(walk);
			take_any(walk);
			break;
		case '.':
			walk->at++;
			take_any(walk);
			break;
		case '^':
		case '$':
			walk->at++;
			take_assertion(walk);
			break;
		default: take_character(walk);
		}
	}
	end_run(walk);
}

bool cli_required_literals(const char *pattern, size_t size_bytes,
                           unsigned flags, struct cli_literals *literals)
{
	struct walk walk = {.at = pattern,
	                    .end = pattern + size_bytes,
	                    .utf = (flags & CLI_REGEX_UTF) != 0,
	                    .ignore_case = (flags & CLI_REGEX_IGNORE_CASE) !=
	                                   0};
	struct cli_literals found = *literals;

	for (;;) {
		walk_alternative(&walk);
		if (walk.gave_up || walk.best.known_bytes < LEAST_BYTES ||
		    !cli_literals_add_masked(&found, walk.best.bytes,
		                             walk.best.masks,
		                             walk.best.size_bytes))
			return false;
		found.items[found.count - 1].decides = walk.plain;
		if (walk.at == walk.end)
			break;
		walk.at++; /* the bar */
	}
	*literals = found;
	return true;
}
