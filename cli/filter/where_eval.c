/* Judges JSON by an expression, as jq does. */
#include "json_check.h"
#include "where.h"
#include "where_node.h"

#include <string.h>

/* What an expression comes to.  At the end, all but a value are the same: the
 * frame does not pass. */
enum outcome {
	GOT_VALUE,
	GOT_NOTHING,    /* no result, as of a step with a ? */
	GOT_ERROR,      /* what jq reports, and ? keeps back */
	GOT_OVER_LIMIT, /* these two end the judging */
	GOT_FAILURE,
};

static enum outcome evaluate(struct cli_where *where,
                             const struct where_node *node,
                             const struct cli_value *input,
                             struct cli_value *out);

static enum outcome got_bool(struct cli_value *out, bool value)
{
	*out = cli_value_of_bool(value);
	return GOT_VALUE;
}

/* ------------------------------------------------------------------- paths */

static enum outcome error_of(const struct where_node *node)
{
	return node->optional ? GOT_NOTHING : GOT_ERROR;
}

/* One step of a path from `from`. */
static enum outcome step(struct cli_where *where, const struct where_node *node,
                         const struct cli_value *from, struct cli_value *out)
{
	bool found = false;

	if (node->kind == WHERE_MEMBER && from->kind == CLI_VALUE_OBJECT)
		found = cli_value_member(&where->scratch, from,
		                         node->constant.text, out);
	else if (node->kind == WHERE_ELEMENT && from->kind == CLI_VALUE_ARRAY)
		found = cli_value_element(from, node->place, out);
	else if (from->kind != CLI_VALUE_NULL)
		return error_of(node);
	if (where->scratch.failed)
		return GOT_FAILURE;
	if (!found)
		*out = (struct cli_value){.kind = CLI_VALUE_NULL};
	return GOT_VALUE;
}

static enum outcome eval_step(struct cli_where *where,
                              const struct where_node *node,
                              const struct cli_value *input,
                              struct cli_value *out)
{
	struct cli_value from;
	enum outcome outcome = evaluate(where, node->left, input, &from);

	return outcome == GOT_VALUE ? step(where, node, &from, out) : outcome;
}

/* -------------------------------------------------------------- comparison */

static bool holds(enum where_kind kind, int order)
{
	switch (kind) {
	case WHERE_EQUAL: return order == 0;
	case WHERE_UNEQUAL: return order != 0;
	case WHERE_LESS: return order < 0;
	case WHERE_AT_MOST: return order <= 0;
	case WHERE_GREATER: return order > 0;
	default: return order >= 0;
	}
}

/* jq works out the right side first, and that shows where one of them is an
 * error and the other has no result. */
static enum outcome eval_comparison(struct cli_where *where,
                                    const struct where_node *node,
                                    const struct cli_value *input,
                                    struct cli_value *out)
{
	struct cli_value left, right;
	enum outcome outcome = evaluate(where, node->right, input, &right);
	int order;

	if (outcome == GOT_VALUE)
		outcome = evaluate(where, node->left, input, &left);
	if (outcome != GOT_VALUE)
		return outcome;
	if (!cli_value_compare(&where->scratch, &left, &right, &order))
		return where->scratch.failed ? GOT_FAILURE : GOT_ERROR;
	return got_bool(out, holds(node->kind, order));
}

static enum outcome eval_logic(struct cli_where *where,
                               const struct where_node *node,
                               const struct cli_value *input,
                               struct cli_value *out)
{
	struct cli_value value;
	enum outcome outcome = evaluate(where, node->left, input, &value);

	if (outcome != GOT_VALUE)
		return outcome;
	if (cli_value_is_true(&value) == (node->kind == WHERE_OR))
		return got_bool(out, node->kind == WHERE_OR);
	outcome = evaluate(where, node->right, input, &value);
	if (outcome != GOT_VALUE)
		return outcome;
	return got_bool(out, cli_value_is_true(&value));
}

/* --------------------------------------------------------------- functions */

static bool ends_with(struct cli_json_span bytes, struct cli_json_span end)
{
	return bytes.size_bytes >= end.size_bytes &&
	       memcmp(bytes.bytes + bytes.size_bytes - end.size_bytes,
	              end.bytes, end.size_bytes) == 0;
}

static enum outcome eval_regex(const struct where_node *node,
                               struct cli_json_span bytes,
                               struct cli_value *out)
{
	switch (cli_regex_search(node->regex, bytes.bytes, bytes.size_bytes, 0,
	                         NULL)) {
	case CLI_REGEX_NO_MATCH: return got_bool(out, false);
	case CLI_REGEX_MATCH: return got_bool(out, true);
	case CLI_REGEX_OVER_LIMIT: return GOT_OVER_LIMIT;
	default: return GOT_FAILURE;
	}
}

static enum outcome judge_bytes(const struct where_node *node,
                                struct cli_json_span bytes,
                                struct cli_value *out)
{
	struct cli_json_span text = node->constant.text;

	switch (node->kind) {
	case WHERE_STARTS_WITH:
		return got_bool(out, bytes.size_bytes >= text.size_bytes &&
		                             memcmp(bytes.bytes, text.bytes,
		                                    text.size_bytes) == 0);
	case WHERE_ENDS_WITH: return got_bool(out, ends_with(bytes, text));
	case WHERE_CONTAINS:
		return got_bool(out,
		                memmem(bytes.bytes, bytes.size_bytes,
		                       text.bytes, text.size_bytes) != NULL);
	case WHERE_LENGTH:
		*out = cli_value_of_count(cli_value_string_length(bytes));
		return GOT_VALUE;
	default: return eval_regex(node, bytes, out);
	}
}

/* A function of a string. */
static enum outcome eval_string(struct cli_where *where,
                                const struct where_node *node,
                                const struct cli_value *input,
                                struct cli_value *out)
{
	struct cli_arena_mark mark = cli_arena_mark(&where->scratch);
	enum outcome outcome = GOT_FAILURE;
	struct cli_json_span bytes;

	if (input->kind != CLI_VALUE_STRING)
		return GOT_ERROR;
	if (cli_value_bytes(&where->scratch, input, &bytes))
		outcome = judge_bytes(node, bytes, out);
	cli_arena_reset(&where->scratch, mark);
	return outcome;
}

static enum outcome eval_has(struct cli_where *where,
                             const struct where_node *node,
                             const struct cli_value *input,
                             struct cli_value *out)
{
	bool by_name = node->constant.kind == CLI_VALUE_STRING, found;
	struct cli_value value;

	if (input->kind == CLI_VALUE_NULL)
		return got_bool(out, false);
	if (input->kind != (by_name ? CLI_VALUE_OBJECT : CLI_VALUE_ARRAY))
		return GOT_ERROR;
	if (by_name)
		found = cli_value_member(&where->scratch, input,
		                         node->constant.text, &value);
	else
		found = node->place >= 0 &&
		        cli_value_element(input, node->place, &value);
	return where->scratch.failed ? GOT_FAILURE : got_bool(out, found);
}

static enum outcome eval_length(struct cli_where *where,
                                const struct where_node *node,
                                const struct cli_value *input,
                                struct cli_value *out)
{
	struct cli_arena_mark mark = cli_arena_mark(&where->scratch);
	size_t count = 0;

	switch (input->kind) {
	case CLI_VALUE_NULL: break;
	case CLI_VALUE_NUMBER:
		*out = *input; /* as it is without its sign */
		if (!out->is_counted && out->text.bytes[0] == '-') {
			out->text.bytes++;
			out->text.size_bytes--;
		}
		return GOT_VALUE;
	case CLI_VALUE_STRING: return eval_string(where, node, input, out);
	case CLI_VALUE_ARRAY: count = cli_value_array_length(input); break;
	case CLI_VALUE_OBJECT:
		if (cli_value_items(&where->scratch, input, &count) == NULL)
			return GOT_FAILURE;
		cli_arena_reset(&where->scratch, mark);
		break;
	default: return GOT_ERROR;
	}
	*out = cli_value_of_count(count);
	return GOT_VALUE;
}

/* ------------------------------------------------------------- any and all */

/* A search through the results of a path for the one that settles it. */
struct search {
	struct cli_where *where;
	const struct where_node *node; /* any or all */
	bool settled;
};

static enum outcome try_item(struct search *search,
                             const struct cli_value *item)
{
	struct cli_value value;
	enum outcome outcome = evaluate(search->where, search->node->right,
	                                item, &value);

	if (outcome == GOT_NOTHING)
		return GOT_VALUE;
	if (outcome == GOT_VALUE)
		search->settled = cli_value_is_true(&value) ==
		                  (search->node->kind == WHERE_ANY);
	return outcome;
}

static enum outcome walk_path(struct search *search,
                              const struct where_node *path, size_t length,
                              const struct cli_value *from);

/* Goes on with each value of a container. */
static enum outcome walk_items(struct search *search,
                               const struct where_node *path, size_t length,
                               const struct where_node *each,
                               const struct cli_value *from)
{
	struct cli_arena *arena = &search->where->scratch;
	struct cli_arena_mark mark = cli_arena_mark(arena);
	enum outcome outcome = GOT_VALUE;
	const struct cli_value *items;
	size_t count;

	if (from->kind < CLI_VALUE_ARRAY)
		return each->optional ? GOT_VALUE : GOT_ERROR;
	items = cli_value_items(arena, from, &count);
	if (items == NULL)
		return GOT_FAILURE;
	for (size_t i = 0;
	     i < count && outcome == GOT_VALUE && !search->settled; i++)
		outcome = walk_path(search, path, length, &items[i]);
	cli_arena_reset(arena, mark);
	return outcome;
}

/* The step that comes when `left` others are still to come behind it. */
static const struct where_node *step_of(const struct where_node *path,
                                        size_t left)
{
	for (; left > 0; left--)
		path = path->left;
	return path;
}

/* Goes the last `length` steps of a path. */
static enum outcome walk_path(struct search *search,
                              const struct where_node *path, size_t length,
                              const struct cli_value *from)
{
	struct cli_value value = *from;

	while (length > 0) {
		const struct where_node *next = step_of(path, --length);
		struct cli_value reached;
		enum outcome outcome;

		if (next->kind == WHERE_EACH)
			return walk_items(search, path, length, next, &value);
		outcome = step(search->where, next, &value, &reached);
		if (outcome == GOT_NOTHING)
			return GOT_VALUE;
		if (outcome != GOT_VALUE)
			return outcome;
		value = reached;
	}
	return try_item(search, &value);
}

static enum outcome eval_search(struct cli_where *where,
                                const struct where_node *node,
                                const struct cli_value *input,
                                struct cli_value *out)
{
	struct search search = {.where = where, .node = node};
	const struct where_node *path;
	enum outcome outcome;
	size_t length = 0;

	for (path = node->left; path->kind != WHERE_HERE; path = path->left)
		length++;
	outcome = walk_path(&search, node->left, length, input);
	if (outcome != GOT_VALUE)
		return outcome;
	return got_bool(out, search.settled == (node->kind == WHERE_ANY));
}

/* -------------------------------------------------------------- everything */

static enum outcome eval_pipe(struct cli_where *where,
                              const struct where_node *node,
                              const struct cli_value *input,
                              struct cli_value *out)
{
	struct cli_value between;
	enum outcome outcome = evaluate(where, node->left, input, &between);

	return outcome == GOT_VALUE
	               ? evaluate(where, node->right, &between, out)
	               : outcome;
}

static enum outcome evaluate(struct cli_where *where,
                             const struct where_node *node,
                             const struct cli_value *input,
                             struct cli_value *out)
{
	enum outcome outcome;

	switch (node->kind) {
	case WHERE_HERE: *out = *input; return GOT_VALUE;
	case WHERE_CONST: *out = node->constant; return GOT_VALUE;
	case WHERE_MEMBER:
	case WHERE_ELEMENT: return eval_step(where, node, input, out);
	case WHERE_TRY:
		outcome = evaluate(where, node->left, input, out);
		return outcome == GOT_ERROR ? GOT_NOTHING : outcome;
	case WHERE_PIPE: return eval_pipe(where, node, input, out);
	case WHERE_OR:
	case WHERE_AND: return eval_logic(where, node, input, out);
	case WHERE_NOT: return got_bool(out, !cli_value_is_true(input));
	case WHERE_TYPE: {
		const char *name = cli_value_type(input);

		*out = cli_value_of_plain(name, strlen(name));
		return GOT_VALUE;
	}
	case WHERE_LENGTH: return eval_length(where, node, input, out);
	case WHERE_HAS: return eval_has(where, node, input, out);
	case WHERE_STARTS_WITH:
	case WHERE_ENDS_WITH:
	case WHERE_CONTAINS:
	case WHERE_TEST: return eval_string(where, node, input, out);
	case WHERE_ANY:
	case WHERE_ALL: return eval_search(where, node, input, out);
	case WHERE_EACH: return GOT_ERROR; /* in no such place */
	default: return eval_comparison(where, node, input, out);
	}
}

enum cli_where_answer cli_where_judge(struct cli_where *where,
                                      const unsigned char *bytes,
                                      size_t size_bytes)
{
	struct cli_arena_mark start = cli_arena_mark(&where->scratch);
	struct cli_json_error error;
	struct cli_value value, result;
	enum outcome outcome;

	if (!cli_json_check((const char *)bytes, size_bytes, &error))
		return CLI_WHERE_NO;
	value = cli_value_of_text((const char *)bytes, size_bytes);
	where->scratch.failed = false;
	outcome = evaluate(where, where->root, &value, &result);
	cli_arena_reset(&where->scratch, start);
	switch (outcome) {
	case GOT_VALUE:
		return cli_value_is_true(&result) ? CLI_WHERE_YES
		                                  : CLI_WHERE_NO;
	case GOT_OVER_LIMIT: return CLI_WHERE_OVER_LIMIT;
	case GOT_FAILURE: return CLI_WHERE_FAILED;
	default: return CLI_WHERE_NO;
	}
}

enum cli_where_answer cli_where_find(struct cli_where *where,
                                     const struct cli_value *document,
                                     struct cli_value *found_out)
{
	struct cli_arena_mark start = cli_arena_mark(&where->scratch);
	enum outcome outcome;

	where->scratch.failed = false;
	outcome = evaluate(where, where->root, document, found_out);
	cli_arena_reset(&where->scratch, start);
	if (outcome == GOT_FAILURE)
		return CLI_WHERE_FAILED;
	return outcome == GOT_VALUE ? CLI_WHERE_YES : CLI_WHERE_NO;
}

const struct cli_literals *cli_where_literals(const struct cli_where *where)
{
	return &where->literals;
}
