/* What a payload must hold if an expression is to be true of it. */
#include "where_node.h"

#include <string.h>

/* A path from where the expression begins: what it leads to stands in the
 * text. */
static bool is_path(const struct where_node *node)
{
	while (node->kind == WHERE_MEMBER || node->kind == WHERE_ELEMENT)
		node = node->left;
	return node->kind == WHERE_HERE;
}

/* Adds a string as JSON has it, with the quotes that are known to be there.
 * One that is spelled otherwise holds a backslash. */
static void add_string(struct cli_literals *literals, struct cli_json_span text,
                       bool open, bool closed)
{
	unsigned char bytes[CLI_LITERAL_MAX_BYTES];
	size_t used = 0, room = sizeof(bytes) - 2;

	for (size_t i = 0; i < text.size_bytes; i++) {
		if (text.bytes[i] < 0x20 || text.bytes[i] == '"' ||
		    text.bytes[i] == '\\')
			return;
	}
	if (open)
		bytes[used++] = '"';
	/* The first bytes of a long one will do. */
	if (text.size_bytes < room)
		room = text.size_bytes;
	memcpy(bytes + used, text.bytes, room);
	used += room;
	if (closed && room == text.size_bytes)
		bytes[used++] = '"';
	if (used >= 2)
		(void)cli_literals_add(literals, bytes, used);
}

/* A comparison of something in the text with a string. */
static void add_equal(const struct where_node *node,
                      struct cli_literals *literals)
{
	const struct where_node *path = node->left, *other = node->right;

	if (path->kind == WHERE_CONST) {
		path = node->right;
		other = node->left;
	}
	if (is_path(path) && other->kind == WHERE_CONST &&
	    other->constant.kind == CLI_VALUE_STRING)
		add_string(literals, other->constant.text, true, true);
}

/* Either side says something of a frame that passes: the one that rules out
 * more. */
static void add_better(const struct where_node *node,
                       struct cli_literals *literals)
{
	struct cli_literals right = {.count = 0};

	where_find_literals(node->left, literals);
	where_find_literals(node->right, &right);
	if (cli_literals_weight(&right) > cli_literals_weight(literals))
		*literals = right;
}

/* One of both sides holds: all that either of them says, if both do. */
static void add_both(const struct where_node *node,
                     struct cli_literals *literals)
{
	struct cli_literals right = {.count = 0};
	size_t i = 0;

	where_find_literals(node->left, literals);
	where_find_literals(node->right, &right);
	if (literals->count == 0 || right.count == 0) {
		literals->count = 0;
		return;
	}
	while (i < right.count &&
	       cli_literals_add_masked(literals, right.items[i].bytes,
	                               right.items[i].masks,
	                               right.items[i].size_bytes))
		i++;
	if (i < right.count)
		literals->count = 0;
}

void where_find_literals(const struct where_node *node,
                         struct cli_literals *literals)
{
	switch (node->kind) {
	case WHERE_AND: add_better(node, literals); break;
	case WHERE_OR: add_both(node, literals); break;
	case WHERE_TRY: where_find_literals(node->left, literals); break;
	case WHERE_EQUAL: add_equal(node, literals); break;
	case WHERE_PIPE:
		if (is_path(node->left))
			where_find_literals(node->right, literals);
		break;
	case WHERE_ANY: where_find_literals(node->right, literals); break;
	case WHERE_STARTS_WITH:
		add_string(literals, node->constant.text, true, false);
		break;
	case WHERE_ENDS_WITH:
		add_string(literals, node->constant.text, false, true);
		break;
	case WHERE_CONTAINS:
		add_string(literals, node->constant.text, false, false);
		break;
	case WHERE_MEMBER:
		if (is_path(node))
			add_string(literals, node->constant.text, true, true);
		break;
	case WHERE_HAS:
		if (node->constant.kind == CLI_VALUE_STRING)
			add_string(literals, node->constant.text, true, true);
		break;
	default: break;
	}
}
