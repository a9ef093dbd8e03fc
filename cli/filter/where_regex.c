/* Regular expressions as jq's test() takes them, in PCRE2's terms. */
#include "where_node.h"

#include <string.h>

/* Oniguruma's word, digit and space, in the Unicode of jq's strings. */
#define WORD "\\p{L}\\p{M}\\p{Nd}\\p{Pc}"
#define DIGIT "\\p{Nd}"
#define SPACE "\\x09-\\x0d\\x{85}\\p{Z}"

struct translation {
	const char *at;
	const char *end;
	char *out;
	const char *reason; /* NULL as long as all is well */
	bool broken;        /* ... and it is none for anybody */
	size_t depth;       /* of groups */
	bool repeatable;    /* a quantifier may follow */
};

static void put(struct translation *tr, const char *text)
{
	tr->out = stpcpy(tr->out, text);
}

static void put_byte(struct translation *tr, char byte)
{
	*tr->out++ = byte;
}

static void refuse(struct translation *tr, const char *reason)
{
	if (tr->reason == NULL)
		tr->reason = reason;
}

static void refuse_broken(struct translation *tr, const char *reason)
{
	tr->broken = tr->broken || tr->reason == NULL;
	refuse(tr, reason);
}

static char peek(const struct translation *tr, size_t ahead)
{
	return (size_t)(tr->end - tr->at) > ahead ? tr->at[ahead] : '\0';
}

static bool is_punctuation(char byte)
{
	return (byte >= '!' && byte <= '/') || (byte >= ':' && byte <= '@') ||
	       (byte >= '[' && byte <= '`') || (byte >= '{' && byte <= '~') ||
	       byte == ' ';
}

/* An escape that means the same in a class and outside of one. */
static bool take_common_escape(struct translation *tr)
{
	char byte = peek(tr, 1);

	if (!is_punctuation(byte) &&
	    (byte == '\0' || strchr("nrtf", byte) == NULL))
		return false;
	put_byte(tr, '\\');
	put_byte(tr, byte);
	tr->at += 2;
	return true;
}

static void take_escape(struct translation *tr)
{
	tr->repeatable = true;
	if (take_common_escape(tr))
		return;
	switch (peek(tr, 1)) {
	case 'w': put(tr, "[" WORD "]"); break;
	case 'W': put(tr, "[^" WORD "]"); break;
	case 'd': put(tr, "[" DIGIT "]"); break;
	case 'D': put(tr, "[^" DIGIT "]"); break;
	case 's': put(tr, "[" SPACE "]"); break;
	case 'S': put(tr, "[^" SPACE "]"); break;
	case 'b':
		tr->repeatable = false;
		put(tr, "(?:(?<=[" WORD "])(?![" WORD "])|(?<![" WORD
		        "])(?=[" WORD "]))");
		break;
	default: refuse(tr, "this escape is not the same in both"); return;
	}
	tr->at += 2;
}

static void take_class_escape(struct translation *tr)
{
	if (take_common_escape(tr))
		return;
	switch (peek(tr, 1)) {
	case 'w': put(tr, WORD); break;
	case 'd': put(tr, DIGIT); break;
	case 's': put(tr, SPACE); break;
	default:
		refuse(tr, "this escape in a class is not the same in both");
		return;
	}
	tr->at += 2;
	if (peek(tr, 0) == '-' && peek(tr, 1) != ']')
		refuse(tr, "a range begins with a class");
}

static void take_class(struct translation *tr)
{
	put_byte(tr, *tr->at++);
	if (peek(tr, 0) == '^')
		put_byte(tr, *tr->at++);
	if (peek(tr, 0) == ']')
		refuse(tr, "a class that begins with ] is not the same in "
		           "both; write \\]");
	while (tr->reason == NULL && tr->at < tr->end && *tr->at != ']') {
		if (*tr->at == '\\') {
			take_class_escape(tr);
		} else if (*tr->at == '[' ||
		           (*tr->at == '&' && peek(tr, 1) == '&')) {
			refuse(tr, "classes in a class are not the same in "
			           "both");
		} else if (*tr->at == '-' && peek(tr, 1) == '\\' &&
		           strchr("wds", peek(tr, 2)) != NULL) {
			refuse(tr, "a range ends with a class");
		} else {
			put_byte(tr, *tr->at++);
		}
	}
	if (tr->at == tr->end)
		refuse_broken(tr, "a class has no end");
	if (tr->reason != NULL)
		return;
	put_byte(tr, *tr->at++);
	tr->repeatable = true;
}

static void take_group(struct translation *tr)
{
	char kind = peek(tr, 2);

	put_byte(tr, *tr->at++);
	tr->depth++;
	tr->repeatable = false;
	if (peek(tr, 0) != '?' && peek(tr, 0) != '*')
		return;
	if (peek(tr, 0) == '*' || (kind != ':' && kind != '=' && kind != '!')) {
		refuse(tr, "this group is not the same in both");
		return;
	}
	put_byte(tr, *tr->at++);
	put_byte(tr, *tr->at++);
}

/* {N}, {N,} or {N,M} */
static size_t interval_length(const struct translation *tr)
{
	size_t i = 1;

	if (peek(tr, 1) < '0' || peek(tr, 1) > '9')
		return 0;
	while (peek(tr, i) >= '0' && peek(tr, i) <= '9')
		i++;
	if (peek(tr, i) == ',')
		i++;
	while (peek(tr, i) >= '0' && peek(tr, i) <= '9')
		i++;
	return peek(tr, i) == '}' && i < 10 ? i + 1 : 0;
}

static void take_quantifier(struct translation *tr)
{
	size_t length = *tr->at == '{' ? interval_length(tr) : 1;
	bool interval = *tr->at == '{';

	if (length == 0 || !tr->repeatable) {
		refuse(tr, "this quantifier is not the same in both");
		return;
	}
	for (; length > 0; length--)
		put_byte(tr, *tr->at++);
	tr->repeatable = false;
	if (peek(tr, 0) == '?' && !interval)
		put_byte(tr, *tr->at++);
	else if (peek(tr, 0) == '+' || peek(tr, 0) == '?')
		refuse(tr, "this quantifier is not the same in both");
}

static void take_one(struct translation *tr)
{
	switch (*tr->at) {
	case '\\': take_escape(tr); return;
	case '[': take_class(tr); return;
	case '(': take_group(tr); return;
	case '*':
	case '+':
	case '?':
	case '{': take_quantifier(tr); return;
	case ')':
		if (tr->depth == 0) {
			refuse_broken(tr, "a ) has no (");
			return;
		}
		tr->depth--;
		tr->repeatable = true;
		break;
	case '|':
	case '^':
	case '$': tr->repeatable = false; break;
	default: tr->repeatable = true; break;
	}
	put_byte(tr, *tr->at++);
}

bool where_translate_regex(struct cli_json_span text, char *out,
                           struct where_regex_fault *fault_out)
{
	const char *start = (const char *)text.bytes;
	struct translation tr = {
		.at = start, .end = start + text.size_bytes, .out = out};

	if (memchr(start, '\0', text.size_bytes) != NULL)
		tr.reason = "a NUL is not the same in both";
	while (tr.reason == NULL && tr.at < tr.end)
		take_one(&tr);
	if (tr.depth > 0)
		refuse_broken(&tr, "a ( has no )");
	*tr.out = '\0';
	*fault_out = (struct where_regex_fault){
		tr.reason, (size_t)(tr.at - start), tr.broken};
	return tr.reason == NULL;
}
