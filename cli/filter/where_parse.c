/* Parses expressions of --where. */
#include "jq_words.h"
#include "json_check.h"
#include "utf8.h"
#include "where.h"
#include "where_node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How deep parts of an expression may be in one another, and how long all of
 * it may be: both bound how deep judging it goes. */
#define MOST_DEPTH 200u
#define MOST_BYTES 4096u

struct parser {
	const char *text;
	const char *at;
	const char *end;
	struct cli_where *where;
	struct cli_where_error *error;
	bool failed;
	unsigned depth;
};

static struct where_node *parse_pipe(struct parser *parser);
static struct where_node *parse_term(struct parser *parser);

/* ------------------------------------------------------------------ errors */

/* Characters, not bytes: what a user counts. */
static size_t column_of(const struct parser *parser, const char *at)
{
	size_t column = 1;

	for (const char *c = parser->text; c < at; c++)
		column += ((unsigned char)*c & 0xc0) != 0x80;
	return column;
}

/* Keeps the first error.  Returns NULL. */
static void *fail(struct parser *parser, enum cli_where_failure failure,
                  const char *at, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void *fail(struct parser *parser, enum cli_where_failure failure,
                  const char *at, const char *format, ...)
{
	va_list arguments;

	if (parser->failed)
		return NULL;
	parser->failed = true;
	parser->error->failure = failure;
	parser->error->column = column_of(parser, at);
	va_start(arguments, format);
	(void)vsnprintf(parser->error->reason, sizeof(parser->error->reason),
	                format, arguments);
	va_end(arguments);
	return NULL;
}

static void *no_memory(struct parser *parser)
{
	return fail(parser, CLI_WHERE_NO_MEMORY, parser->at,
	            "not enough memory");
}

/* ------------------------------------------------------------------ tokens */

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       byte == '_';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static void skip_blanks(struct parser *parser)
{
	while (parser->at < parser->end &&
	       memchr(" \n\t\r", *parser->at, 4) != NULL)
		parser->at++;
}

/* The byte so far behind the next one; a NUL behind the end. */
static char peek(const struct parser *parser, size_t ahead)
{
	return (size_t)(parser->end - parser->at) > ahead ? parser->at[ahead]
	                                                  : '\0';
}

static bool starts_with(const struct parser *parser, const char *token)
{
	size_t length = strlen(token);

	return (size_t)(parser->end - parser->at) >= length &&
	       memcmp(parser->at, token, length) == 0;
}

static bool take_token(struct parser *parser, const char *token)
{
	skip_blanks(parser);
	if (!starts_with(parser, token))
		return false;
	parser->at += strlen(token);
	return true;
}

/* How many bytes of a name stand here. */
static size_t name_length(const struct parser *parser)
{
	size_t length = 0;

	if (is_letter(peek(parser, 0)))
		while (is_letter(peek(parser, length)) ||
		       is_digit(peek(parser, length)))
			length++;
	return length;
}

static bool is_name(const char *name, size_t length, const char *wanted)
{
	return length == strlen(wanted) && memcmp(name, wanted, length) == 0;
}

static bool take_word(struct parser *parser, const char *word)
{
	skip_blanks(parser);
	if (!is_name(parser->at, name_length(parser), word))
		return false;
	parser->at += strlen(word);
	return true;
}

/* Whether a token of two characters or more stands here whose beginning could
 * be taken for one that is known. */
static bool is_assignment(const struct parser *parser)
{
	return (starts_with(parser, "=") && !starts_with(parser, "==")) ||
	       starts_with(parser, "|=") || starts_with(parser, "+=") ||
	       starts_with(parser, "-=") || starts_with(parser, "*=") ||
	       starts_with(parser, "/=") || starts_with(parser, "%=") ||
	       starts_with(parser, "//=");
}

/* Refuses what stands where an expression should have gone on or ended. */
static void refuse_rest(struct parser *parser)
{
	const char *at;

	skip_blanks(parser);
	at = parser->at;
	if (at == parser->end)
		(void)fail(parser, CLI_WHERE_SYNTAX, at,
		           "the expression ends here");
	else if (is_assignment(parser))
		(void)fail(parser, CLI_WHERE_OUTSIDE, at,
		           "assignments are no part of --where");
	else if (starts_with(parser, "//"))
		(void)fail(parser, CLI_WHERE_OUTSIDE, at,
		           "alternatives (//) are no part of --where");
	else if (strchr("+-*/%", *at) != NULL)
		(void)fail(parser, CLI_WHERE_OUTSIDE, at,
		           "arithmetic is no part of --where");
	else if (*at == ',')
		(void)fail(parser, CLI_WHERE_OUTSIDE, at,
		           "several results (,) are no part of --where");
	else if (is_name(at, name_length(parser), "as"))
		(void)fail(parser, CLI_WHERE_OUTSIDE, at,
		           "variables are no part of --where");
	else if (*at == '#')
		(void)fail(parser, CLI_WHERE_SYNTAX, at,
		           "comments are no part of --where");
	else
		(void)fail(parser, CLI_WHERE_SYNTAX, at,
		           "an operator is expected here, or the end");
}

/* ------------------------------------------------------------------- nodes */

static struct where_node *add_node(struct parser *parser, enum where_kind kind,
                                   const char *at)
{
	struct where_node *node = cli_arena_take(&parser->where->program,
	                                         sizeof(*node));

	if (node == NULL)
		return no_memory(parser);
	*node = (struct where_node){.kind = kind,
	                            .column = column_of(parser, at)};
	return node;
}

static struct where_node *add_pair(struct parser *parser, enum where_kind kind,
                                   const char *at, struct where_node *left,
                                   struct where_node *right)
{
	struct where_node *node;

	if (left == NULL || right == NULL)
		return NULL;
	node = add_node(parser, kind, at);
	if (node == NULL)
		return NULL;
	node->left = left;
	node->right = right;
	node->may_be_empty = left->may_be_empty || right->may_be_empty;
	return node;
}

/* --------------------------------------------------------------- constants */

/* The end of a string that begins here, behind its quote; NULL without one. */
static const char *string_end(const struct parser *parser)
{
	const char *at = parser->at + 1;

	while (at < parser->end && *at != '"')
		at += *at == '\\' ? 2 : 1;
	return at < parser->end ? at + 1 : NULL;
}

/* A string that holds nothing to be worked out. */
static bool take_string(struct parser *parser, struct cli_value *value_out)
{
	const char *start = parser->at, *end = string_end(parser);
	struct cli_json_error error;
	struct cli_json_span bytes;
	unsigned char *plain;

	if (end == NULL) {
		(void)fail(parser, CLI_WHERE_SYNTAX, start,
		           "this string has no end");
		return false;
	}
	if (!cli_json_check(start, (size_t)(end - start), &error)) {
		const char *at = start + error.offset;

		if (at[0] == '(' && at > start && at[-1] == '\\')
			(void)fail(parser, CLI_WHERE_OUTSIDE, at - 1,
			           "strings with expressions in them are no "
			           "part of --where");
		else
			(void)fail(parser, CLI_WHERE_SYNTAX, at,
			           "strings are as in JSON: %s", error.reason);
		return false;
	}
	bytes = (struct cli_json_span){(const unsigned char *)start + 1,
	                               (size_t)(end - start) - 2};
	plain = cli_arena_take(&parser->where->program, bytes.size_bytes + 1);
	if (plain == NULL) {
		(void)no_memory(parser);
		return false;
	}
	if (!cli_json_unescape(plain, bytes, &bytes.size_bytes)) {
		(void)fail(parser, CLI_WHERE_SYNTAX,
		           start + 1 + bytes.size_bytes,
		           "half a surrogate pair is no character");
		return false;
	}
	plain[bytes.size_bytes] = '\0';
	*value_out = cli_value_of_plain(plain, bytes.size_bytes);
	parser->at = end;
	return true;
}

static size_t number_length(const struct parser *parser)
{
	size_t length = peek(parser, 0) == '-';

	while (is_digit(peek(parser, length)) || peek(parser, length) == '.')
		length++;
	if ((peek(parser, length) | 0x20) == 'e') {
		length++;
		if (peek(parser, length) == '+' || peek(parser, length) == '-')
			length++;
		while (is_digit(peek(parser, length)))
			length++;
	}
	return length;
}

/* Copies a text that stays as long as the expression. */
static struct where_node *add_text(struct parser *parser, const char *text,
                                   size_t size_bytes)
{
	struct where_node *node = add_node(parser, WHERE_CONST, text);
	char *copy = cli_arena_take(&parser->where->program, size_bytes + 1);

	if (node == NULL || copy == NULL)
		return no_memory(parser);
	memcpy(copy, text, size_bytes);
	copy[size_bytes] = '\0';
	node->constant = cli_value_of_text(copy, size_bytes);
	return node;
}

static struct where_node *parse_number(struct parser *parser)
{
	size_t length = number_length(parser);
	const char *start = parser->at;
	struct cli_json_error error;

	if (length == 1 && *start == '-')
		return fail(parser, CLI_WHERE_OUTSIDE, start,
		            "arithmetic is no part of --where");
	if (!cli_json_check(start, length, &error))
		return fail(parser, CLI_WHERE_OUTSIDE, start,
		            "a number is to be spelled as in JSON");
	parser->at += length;
	return add_text(parser, start, length);
}

/* Takes the next byte that is in no string; false if there is none. */
static bool next_bare(struct parser *ahead, char *byte_out)
{
	while (ahead->at < ahead->end && *ahead->at == '"') {
		ahead->at = string_end(ahead);
		if (ahead->at == NULL)
			ahead->at = ahead->end;
	}
	if (ahead->at == ahead->end)
		return false;
	*byte_out = *ahead->at++;
	return true;
}

/* The end of the brackets that open here; NULL without one. */
static const char *brackets_end(const struct parser *parser)
{
	struct parser ahead = *parser;
	size_t depth = 0;
	char byte;

	while (next_bare(&ahead, &byte)) {
		depth += byte == '[' || byte == '{';
		depth -= byte == ']' || byte == '}';
		if (depth == 0)
			return ahead.at;
	}
	return NULL;
}

/* An array or an object, of constants alone. */
static struct where_node *parse_container(struct parser *parser)
{
	const char *start = parser->at, *end = brackets_end(parser);
	struct cli_json_error error;

	if (end == NULL)
		return fail(parser, CLI_WHERE_SYNTAX, start,
		            "this bracket is not closed");
	if (!cli_json_check(start, (size_t)(end - start), &error))
		return fail(parser, CLI_WHERE_OUTSIDE, start + error.offset,
		            "an array or object is to be spelled as in JSON, "
		            "of constants");
	parser->at = end;
	return add_text(parser, start, (size_t)(end - start));
}

/* ------------------------------------------------------------------- paths */

static struct where_node *add_member(struct parser *parser, const char *at,
                                     struct where_node *left,
                                     struct cli_value name)
{
	struct where_node *node = add_node(parser, WHERE_MEMBER, at);

	if (node == NULL)
		return NULL;
	node->left = left;
	node->may_be_empty = left->may_be_empty;
	node->constant = name;
	return node;
}

/* A whole number as places are counted. */
static bool take_place(struct parser *parser, int64_t *place_out)
{
	size_t length = number_length(parser);
	struct cli_json_span digits = {(const unsigned char *)parser->at,
	                               length};
	const char *start = parser->at;

	if (length == 0 || !cli_json_span_i64(digits, place_out) ||
	    *place_out > INT32_MAX || *place_out < -INT32_MAX) {
		(void)fail(parser, CLI_WHERE_OUTSIDE, start,
		           "a place in an array is to be a whole number, a "
		           "name a string");
		return false;
	}
	parser->at += length;
	return true;
}

/* ["name"], [0] or [] behind a term; the scan is behind the bracket. */
static struct where_node *parse_index(struct parser *parser, const char *at,
                                      struct where_node *left)
{
	struct where_node *node;
	struct cli_value name;

	skip_blanks(parser);
	if (take_token(parser, "]")) {
		node = add_node(parser, WHERE_EACH, at);
		if (node != NULL)
			node->left = left;
		return node;
	}
	if (peek(parser, 0) == '"') {
		if (!take_string(parser, &name))
			return NULL;
		node = add_member(parser, at, left, name);
	} else {
		node = add_node(parser, WHERE_ELEMENT, at);
		if (node == NULL || !take_place(parser, &node->place))
			return NULL;
		node->left = left;
		node->may_be_empty = left->may_be_empty;
	}
	skip_blanks(parser);
	if (!take_token(parser, "]"))
		return fail(parser,
		            peek(parser, 0) == '\0' ? CLI_WHERE_SYNTAX
		                                    : CLI_WHERE_OUTSIDE,
		            parser->at, "a ] is expected here");
	return node;
}

/* .name or ."name": the scan is at the point. */
static struct where_node *parse_member(struct parser *parser,
                                       struct where_node *left)
{
	const char *start = parser->at++;
	size_t length = name_length(parser);
	struct cli_value name;
	char *copy;

	if (length == 0) {
		skip_blanks(parser);
		if (peek(parser, 0) != '"')
			return fail(parser, CLI_WHERE_SYNTAX, start,
			            "a name is expected behind the point");
		return take_string(parser, &name)
		               ? add_member(parser, start, left, name)
		               : NULL;
	}
	copy = cli_arena_take(&parser->where->program, length);
	if (copy == NULL)
		return no_memory(parser);
	memcpy(copy, parser->at, length);
	parser->at += length;
	return add_member(parser, start, left,
	                  cli_value_of_plain(copy, length));
}

/* A ? makes the step before it optional, and a second one what is left. */
static struct where_node *parse_optional(struct parser *parser,
                                         struct where_node *node)
{
	bool is_step = !node->enclosed && (node->kind == WHERE_MEMBER ||
	                                   node->kind == WHERE_ELEMENT ||
	                                   node->kind == WHERE_EACH);
	struct where_node *whole;

	if (starts_with(parser, "?//"))
		return fail(parser, CLI_WHERE_OUTSIDE, parser->at,
		            "alternatives (?//) are no part of --where");
	if (is_step && !node->optional) {
		node->optional = true;
		node->may_be_empty = true;
		parser->at++;
		return node;
	}
	whole = add_node(parser, WHERE_TRY, parser->at++);
	if (whole == NULL)
		return NULL;
	whole->left = node;
	whole->may_be_empty = true;
	return whole;
}

/* What may follow a term: members, elements, question marks. */
static struct where_node *parse_suffixes(struct parser *parser,
                                         struct where_node *node)
{
	while (node != NULL) {
		const char *at;

		skip_blanks(parser);
		at = parser->at;
		if (starts_with(parser, ".."))
			return fail(parser, CLI_WHERE_OUTSIDE, at,
			            "recursion (..) is no part of --where");
		if (peek(parser, 0) == '.')
			node = parse_member(parser, node);
		else if (take_token(parser, "["))
			node = parse_index(parser, at, node);
		else if (peek(parser, 0) == '?')
			node = parse_optional(parser, node);
		else
			break;
	}
	return node;
}

static struct where_node *parse_path(struct parser *parser)
{
	struct where_node *here = add_node(parser, WHERE_HERE, parser->at);

	if (starts_with(parser, ".."))
		return fail(parser, CLI_WHERE_OUTSIDE, parser->at,
		            "recursion (..) is no part of --where");
	if (is_digit(peek(parser, 1)))
		return fail(parser, CLI_WHERE_OUTSIDE, parser->at,
		            "a number is to be spelled as in JSON");
	if (here == NULL)
		return NULL;
	if (is_letter(peek(parser, 1)))
		return parse_member(parser, here);
	parser->at++;
	skip_blanks(parser);
	if (peek(parser, 0) == '"') {
		parser->at--;
		return parse_member(parser, here);
	}
	return here;
}

/* --------------------------------------------------------------- functions */

static bool take_open(struct parser *parser, const char *name)
{
	if (take_token(parser, "("))
		return true;
	(void)fail(parser, CLI_WHERE_OUTSIDE, parser->at,
	           "%s is to be given something in parentheses here", name);
	return false;
}

static bool take_close(struct parser *parser)
{
	if (take_token(parser, ")"))
		return true;
	if (starts_with(parser, ";"))
		(void)fail(parser, CLI_WHERE_OUTSIDE, parser->at,
		           "this is given more than --where knows of");
	else
		refuse_rest(parser);
	return false;
}

/* A string as an argument. */
static bool take_string_argument(struct parser *parser, const char *name,
                                 struct cli_value *value_out)
{
	skip_blanks(parser);
	if (peek(parser, 0) == '"')
		return take_string(parser, value_out);
	(void)fail(parser, CLI_WHERE_OUTSIDE, parser->at,
	           "%s is to be given a string", name);
	return false;
}

static struct where_node *parse_string_call(struct parser *parser,
                                            struct where_node *node,
                                            const char *name)
{
	return take_open(parser, name) &&
	                       take_string_argument(parser, name,
	                                            &node->constant) &&
	                       take_close(parser)
	               ? node
	               : NULL;
}

static struct where_node *parse_has(struct parser *parser,
                                    struct where_node *node)
{
	if (!take_open(parser, "has"))
		return NULL;
	skip_blanks(parser);
	node->constant.kind = CLI_VALUE_NUMBER;
	if (peek(parser, 0) == '"') {
		if (!take_string(parser, &node->constant))
			return NULL;
	} else if (!take_place(parser, &node->place)) {
		return NULL;
	}
	return take_close(parser) ? node : NULL;
}

/* The flags of test(): none, or "i". */
static bool take_flags(struct parser *parser, unsigned *flags)
{
	struct cli_value value;
	const char *at;

	if (!take_token(parser, ";"))
		return true;
	skip_blanks(parser);
	at = parser->at;
	if (!take_string_argument(parser, "test", &value))
		return false;
	for (size_t i = 0; i < value.text.size_bytes; i++) {
		if (value.text.bytes[i] != 'i') {
			(void)fail(parser, CLI_WHERE_OUTSIDE, at,
			           "of the flags of test there is \"i\" alone");
			return false;
		}
		*flags |= CLI_REGEX_IGNORE_CASE;
	}
	return true;
}

static bool compile_regex(struct parser *parser, struct where_node *node,
                          const char *at, unsigned flags)
{
	struct cli_json_span text = node->constant.text;
	struct cli_regex_error error;
	struct where_regex_fault fault;
	char *translated = malloc(text.size_bytes * WHERE_REGEX_GROWTH + 1);

	if (translated == NULL)
		return no_memory(parser) != NULL;
	if (!where_translate_regex(text, translated, &fault)) {
		/* Escapes before it make its place in the expression another
		 * one. */
		bool escaped = memchr(at, '\\', 1 + fault.place) != NULL;

		(void)fail(parser,
		           fault.broken ? CLI_WHERE_SYNTAX : CLI_WHERE_OUTSIDE,
		           escaped ? at : at + 1 + fault.place,
		           "in the regular expression: %s", fault.reason);
	} else {
		node->regex = cli_regex_compile(translated, strlen(translated),
		                                flags, &error);
		if (node->regex == NULL)
			(void)fail(parser,
			           error.failure == CLI_REGEX_BAD
			                   ? CLI_WHERE_SYNTAX
			           : error.failure == CLI_REGEX_NO_MEMORY
			                   ? CLI_WHERE_NO_MEMORY
			                   : CLI_WHERE_NO_REGEX,
			           at, "%s", error.reason);
	}
	free(translated);
	return node->regex != NULL;
}

static struct where_node *parse_test(struct parser *parser,
                                     struct where_node *node)
{
	unsigned flags = CLI_REGEX_UTF | CLI_REGEX_TRUSTED;
	const char *at;

	if (!take_open(parser, "test"))
		return NULL;
	skip_blanks(parser);
	at = parser->at;
	if (!take_string_argument(parser, "test", &node->constant) ||
	    !take_flags(parser, &flags) || !take_close(parser) ||
	    !compile_regex(parser, node, at, flags))
		return NULL;
	node->next_regex = parser->where->regexes;
	parser->where->regexes = node;
	return node;
}

/* Whether each of the steps of a path is one that yields results one by one
 * in the order that jq has, [] among them. */
static bool is_generator(const struct where_node *node)
{
	for (; node->kind != WHERE_HERE; node = node->left) {
		if (node->kind != WHERE_MEMBER && node->kind != WHERE_ELEMENT &&
		    node->kind != WHERE_EACH)
			return false;
	}
	return true;
}

static struct where_node *each_of_here(struct parser *parser, const char *at)
{
	struct where_node *each = add_node(parser, WHERE_EACH, at);

	if (each != NULL)
		each->left = add_node(parser, WHERE_HERE, at);
	return each != NULL && each->left != NULL ? each : NULL;
}

static struct where_node *parse_generator(struct parser *parser)
{
	const char *at;
	struct where_node *node;

	skip_blanks(parser);
	at = parser->at;
	node = peek(parser, 0) == '.' ? parse_path(parser) : NULL;
	node = node != NULL ? parse_suffixes(parser, node) : NULL;
	if (parser->failed)
		return NULL;
	if (node == NULL || !is_generator(node))
		return fail(parser, CLI_WHERE_OUTSIDE, at,
		            "the first part is to be a path as .a[]");
	return node;
}

/* Whether any(A; B) stands here rather than any(B): a ; before the bracket
 * that closes. */
static bool has_two_arguments(const struct parser *parser)
{
	struct parser ahead = *parser;
	size_t depth = 0;
	char byte;

	while (next_bare(&ahead, &byte)) {
		if (depth == 0 && (byte == ')' || byte == ';'))
			return byte == ';';
		depth += byte == '(';
		depth -= byte == ')';
	}
	return false;
}

static bool has_try(const struct where_node *node)
{
	return node != NULL && (node->kind == WHERE_TRY ||
	                        has_try(node->left) || has_try(node->right));
}

/* Whether an expression has a part that may fail with no ? behind that. */
static bool may_fail(const struct where_node *node)
{
	if (node == NULL)
		return false;
	switch (node->kind) {
	case WHERE_HERE:
	case WHERE_CONST:
	case WHERE_TRY:
	case WHERE_NOT:
	case WHERE_TYPE: return false;
	case WHERE_MEMBER:
	case WHERE_ELEMENT: return !node->optional || may_fail(node->left);
	case WHERE_PIPE:
	case WHERE_OR:
	case WHERE_AND:
	case WHERE_EQUAL:
	case WHERE_UNEQUAL:
	case WHERE_LESS:
	case WHERE_AT_MOST:
	case WHERE_GREATER:
	case WHERE_AT_LEAST:
		return may_fail(node->left) || may_fail(node->right);
	default: return true;
	}
}

/* any, any(condition), any(path; condition), and the same with all. */
static struct where_node *
parse_quantified(struct parser *parser, struct where_node *node, const char *at)
{
	node->left = node->right = NULL;
	if (!take_token(parser, "(")) {
		node->left = each_of_here(parser, at);
		node->right = add_node(parser, WHERE_HERE, at);
		return node->left != NULL && node->right != NULL ? node : NULL;
	}
	if (has_two_arguments(parser)) {
		node->left = parse_generator(parser);
		if (node->left == NULL)
			return NULL;
		if (!take_token(parser, ";")) {
			refuse_rest(parser);
			return NULL;
		}
	} else {
		node->left = each_of_here(parser, at);
	}
	node->right = parse_pipe(parser);
	if (node->left == NULL || node->right == NULL || !take_close(parser))
		return NULL;
	/* In jq 1.6 (...)? also catches what fails beside it, later. */
	if (node->kind == WHERE_ANY && has_try(node->right) &&
	    may_fail(node->right))
		return fail(parser, CLI_WHERE_OUTSIDE, at,
		            "any with (...)? in its condition, beside what may "
		            "fail, is not the same in all versions of jq");
	/* jq 1.6 stops at such an element, and 1.7 passes it over. */
	if (node->kind == WHERE_ALL && node->right->may_be_empty)
		return fail(parser, CLI_WHERE_OUTSIDE, at,
		            "all with a ? in its condition is not the same in "
		            "all versions of jq");
	return node;
}

struct call {
	const char *name;
	enum where_kind kind;
};

static const struct call calls[] = {
	{"not", WHERE_NOT},
	{"type", WHERE_TYPE},
	{"length", WHERE_LENGTH},
	{"startswith", WHERE_STARTS_WITH},
	{"endswith", WHERE_ENDS_WITH},
	{"contains", WHERE_CONTAINS},
	{"has", WHERE_HAS},
	{"test", WHERE_TEST},
	{"any", WHERE_ANY},
	{"all", WHERE_ALL},
};

static struct where_node *parse_call(struct parser *parser,
                                     const struct call *call, const char *at)
{
	struct where_node *node = add_node(parser, call->kind, at);

	if (node == NULL)
		return NULL;
	switch (call->kind) {
	case WHERE_STARTS_WITH:
	case WHERE_ENDS_WITH:
	case WHERE_CONTAINS: return parse_string_call(parser, node, call->name);
	case WHERE_HAS: return parse_has(parser, node);
	case WHERE_TEST: return parse_test(parser, node);
	case WHERE_ANY:
	case WHERE_ALL: return parse_quantified(parser, node, at);
	default: return node;
	}
}

static struct where_node *parse_word(struct parser *parser)
{
	const char *start = parser->at;
	size_t length = name_length(parser);
	static const char *const words[] = {"null", "false", "true"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (is_name(start, length, words[i])) {
			parser->at += length;
			return add_text(parser, start, length);
		}
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (is_name(start, length, calls[i].name)) {
			parser->at += length;
			return parse_call(parser, &calls[i], start);
		}
	}
	return fail(parser,
	            cli_is_jq_word(start, length) ? CLI_WHERE_OUTSIDE
	                                          : CLI_WHERE_SYNTAX,
	            start, "%.*s is no part of --where",
	            (int)(length < 32 ? length : 32), start);
}

/* ------------------------------------------------------------- expressions */

static struct where_node *parse_parentheses(struct parser *parser)
{
	struct where_node *node;

	parser->at++;
	node = parse_pipe(parser);
	if (node == NULL || !take_close(parser))
		return NULL;
	node->enclosed = true;
	return node;
}

static struct where_node *parse_constant_string(struct parser *parser)
{
	struct where_node *node = add_node(parser, WHERE_CONST, parser->at);

	return node != NULL && take_string(parser, &node->constant) ? node
	                                                            : NULL;
}

static struct where_node *parse_bare_term(struct parser *parser)
{
	char byte = peek(parser, 0);

	if (byte == '.')
		return parse_path(parser);
	if (byte == '(')
		return parse_parentheses(parser);
	if (byte == '"')
		return parse_constant_string(parser);
	if (byte == '[' || byte == '{')
		return parse_container(parser);
	if (is_digit(byte) || byte == '-')
		return parse_number(parser);
	if (is_letter(byte))
		return parse_word(parser);
	if (byte == '@')
		return fail(parser, CLI_WHERE_OUTSIDE, parser->at,
		            "formats are no part of --where");
	if (byte == '$')
		return fail(parser,
		            starts_with(parser, "$ENV") ? CLI_WHERE_OUTSIDE
		                                        : CLI_WHERE_SYNTAX,
		            parser->at, "variables are no part of --where");
	if (byte == '#')
		return fail(parser, CLI_WHERE_SYNTAX, parser->at,
		            "comments are no part of --where");
	return fail(parser, CLI_WHERE_SYNTAX, parser->at,
	            "an expression is expected here");
}

/* The [] outside of the path of any or all. */
static const struct where_node *find_each(const struct where_node *node)
{
	for (; node != NULL; node = node->left) {
		if (node->kind == WHERE_EACH)
			return node;
		if (node->kind != WHERE_MEMBER && node->kind != WHERE_ELEMENT)
			return NULL;
	}
	return NULL;
}

static struct where_node *parse_term(struct parser *parser)
{
	struct where_node *node;
	const struct where_node *each;

	skip_blanks(parser);
	node = parse_bare_term(parser);
	node = node != NULL ? parse_suffixes(parser, node) : NULL;
	each = find_each(node);
	if (each == NULL)
		return node;
	(void)fail(parser, CLI_WHERE_OUTSIDE, parser->at,
	           "several results ([]) are no part of --where but in "
	           "any(PATH; ...) and all(PATH; ...)");
	parser->error->column = each->column;
	return NULL;
}

/* The comparison that stands here; false if there is none. */
static bool take_comparison(struct parser *parser, enum where_kind *kind_out)
{
	static const struct {
		const char *token;
		enum where_kind kind;
	} operators[] = {
		{"==", WHERE_EQUAL},   {"!=", WHERE_UNEQUAL},
		{"<=", WHERE_AT_MOST}, {">=", WHERE_AT_LEAST},
		{"<", WHERE_LESS},     {">", WHERE_GREATER},
	};

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (take_token(parser, operators[i].token)) {
			*kind_out = operators[i].kind;
			return true;
		}
	}
	return false;
}

static struct where_node *parse_comparison(struct parser *parser)
{
	struct where_node *left = parse_term(parser);
	enum where_kind kind;
	const char *at = parser->at;

	if (left == NULL || !take_comparison(parser, &kind))
		return left;
	left = add_pair(parser, kind, at, left, parse_term(parser));
	skip_blanks(parser);
	at = parser->at;
	if (left != NULL && take_comparison(parser, &kind))
		return fail(parser, CLI_WHERE_SYNTAX, at,
		            "comparisons do not follow one another");
	return left;
}

static struct where_node *parse_and(struct parser *parser)
{
	struct where_node *left = parse_comparison(parser);
	const char *at = parser->at;

	while (left != NULL && take_word(parser, "and")) {
		left = add_pair(parser, WHERE_AND, at, left,
		                parse_comparison(parser));
		at = parser->at;
	}
	return left;
}

static struct where_node *parse_or(struct parser *parser)
{
	struct where_node *left = parse_and(parser);
	const char *at = parser->at;

	while (left != NULL && take_word(parser, "or")) {
		left = add_pair(parser, WHERE_OR, at, left, parse_and(parser));
		at = parser->at;
	}
	return left;
}

static struct where_node *parse_pipe(struct parser *parser)
{
	struct where_node *left;
	const char *at;

	if (++parser->depth > MOST_DEPTH)
		return fail(parser, CLI_WHERE_OUTSIDE, parser->at,
		            "parts are in one another more than %u deep",
		            MOST_DEPTH);
	left = parse_or(parser);
	skip_blanks(parser);
	at = parser->at;
	if (left != NULL && !is_assignment(parser) && take_token(parser, "|"))
		left = add_pair(parser, WHERE_PIPE, at, left,
		                parse_pipe(parser));
	parser->depth--;
	return left;
}

/* A path that other things may follow. */
static void parse_path_alone(struct parser *parser)
{
	skip_blanks(parser);
	if (peek(parser, 0) != '.')
		(void)fail(parser, CLI_WHERE_SYNTAX, parser->at,
		           "a path begins with a point");
	else
		parser->where->root = parse_term(parser);
	skip_blanks(parser);
}

static void parse_all(struct parser *parser)
{
	parser->where->root = parse_pipe(parser);
	skip_blanks(parser);
	if (parser->where->root != NULL && parser->at < parser->end)
		refuse_rest(parser);
}

/* Parses by `parse`, which leaves *length_out bytes of the text behind. */
static struct cli_where *parse_by(void (*parse)(struct parser *parser),
                                  const char *text, size_t *length_out,
                                  struct cli_where_error *error_out)
{
	struct cli_where *where = calloc(1, sizeof(*where));
	size_t size_bytes = strlen(text);
	struct parser parser = {.text = text,
	                        .at = text,
	                        .end = text + size_bytes,
	                        .where = where,
	                        .error = error_out};

	memset(error_out, 0, sizeof(*error_out));
	if (where == NULL)
		return no_memory(&parser);
	if (!cli_utf8_is_valid((const unsigned char *)text, size_bytes))
		(void)fail(&parser, CLI_WHERE_SYNTAX, text,
		           "the expression is no valid UTF-8");
	else if (size_bytes > MOST_BYTES)
		(void)fail(&parser, CLI_WHERE_OUTSIDE, text + MOST_BYTES,
		           "an expression has at most %u bytes", MOST_BYTES);
	else
		parse(&parser);
	if (parser.failed) {
		cli_where_free(where);
		return NULL;
	}
	*length_out = (size_t)(parser.at - text);
	return where;
}

struct cli_where *cli_where_parse(const char *text,
                                  struct cli_where_error *error_out)
{
	size_t length;
	struct cli_where *where = parse_by(parse_all, text, &length, error_out);

	if (where != NULL)
		where_find_literals(where->root, &where->literals);
	return where;
}

struct cli_where *cli_where_parse_path(const char *text, size_t *length_out,
                                       struct cli_where_error *error_out)
{
	return parse_by(parse_path_alone, text, length_out, error_out);
}

void cli_where_free(struct cli_where *where)
{
	struct where_node *node;

	if (where == NULL)
		return;
	for (node = where->regexes; node != NULL; node = node->next_regex)
		cli_regex_free(node->regex);
	cli_arena_free(&where->program);
	cli_arena_free(&where->scratch);
	free(where);
}
