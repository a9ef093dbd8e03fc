/* The parts of an expression, for the rooms of --where alone. */
#ifndef CLI_WHERE_NODE_H
#define CLI_WHERE_NODE_H

#include "arena.h"
#include "literals.h"
#include "regex.h"
#include "value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum where_kind {
	WHERE_HERE,    /* . */
	WHERE_CONST,   /* constant */
	WHERE_MEMBER,  /* left, a member that `constant` names */
	WHERE_ELEMENT, /* left, the element at `place` */
	WHERE_EACH,    /* left[], in the first part of any and all */
	WHERE_TRY,     /* (left)? */
	WHERE_PIPE,    /* left | right */
	WHERE_OR,
	WHERE_AND,
	WHERE_EQUAL,
	WHERE_UNEQUAL,
	WHERE_LESS,
	WHERE_AT_MOST,
	WHERE_GREATER,
	WHERE_AT_LEAST,
	WHERE_NOT, /* of what comes in, as all below */
	WHERE_TYPE,
	WHERE_LENGTH,
	WHERE_STARTS_WITH, /* constant */
	WHERE_ENDS_WITH,
	WHERE_CONTAINS,
	WHERE_HAS,  /* constant, a string; or `place` */
	WHERE_TEST, /* regex */
	WHERE_ANY,  /* of left, where right holds */
	WHERE_ALL,
};

struct where_node {
	enum where_kind kind;
	bool optional;     /* an error of this step is no result */
	bool may_be_empty; /* it may have no result, as .a? has */
	bool enclosed;     /* in parentheses: a ? behind them is of all */
	size_t column;
	struct where_node *left;
	struct where_node *right;
	struct cli_value constant;
	int64_t place;
	struct cli_regex *regex;
	struct where_node *next_regex; /* of all nodes with one */
};

struct cli_where {
	struct cli_arena program; /* nodes and constants */
	struct cli_arena scratch; /* of one frame */
	struct where_node *root;
	struct where_node *regexes;
	struct cli_literals literals;
};

/* Finds what an expression needs to see; where_literals.c. */
void where_find_literals(const struct where_node *node,
                         struct cli_literals *literals);

struct where_regex_fault {
	const char *reason;
	size_t place;
	bool broken; /* it is no regular expression, for jq neither */
};

/* Turns a regular expression of jq (Oniguruma's) into one of PCRE2 that
 * matches the same strings; where_regex.c.  False, with what is wrong, for what
 * one of them has and the other has not, or not so.  `out` has room for
 * WHERE_REGEX_GROWTH bytes for each byte, and a terminator. */
#define WHERE_REGEX_GROWTH 96u
bool where_translate_regex(struct cli_json_span text, char *out,
                           struct where_regex_fault *fault_out);

#endif
