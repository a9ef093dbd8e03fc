/*
 * JSON that is read: the checker accepts what the grammar allows and nothing
 * else, cJSON agrees as far as it can, and envelopes and documents are what
 * cJSON finds in them.  INPUT: NEST TEXT
 */
#include "fuzz.h"
#include "in_envelope.h"
#include "json_check.h"
#include "json_document.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CJSON_DEPTH 1000u
#define CJSON_NUMBER_BYTES 60u

/* --------------------------------------------- the grammar, read once more */

struct grammar {
	const uint8_t *at;
	const uint8_t *end;
	size_t depth, deepest;
	size_t longest_number;
	bool half_pair; /* an escape of half a surrogate pair */
	bool nul;       /* an escape of a NUL */
};

static bool parse_value(struct grammar *grammar);

static uint8_t here(const struct grammar *grammar)
{
	/* 0xff begins nothing. */
	return grammar->at < grammar->end ? *grammar->at : 0xff;
}

static bool take(struct grammar *grammar, const char *any)
{
	if (grammar->at == grammar->end || *grammar->at == '\0' ||
	    strchr(any, *grammar->at) == NULL)
		return false;
	grammar->at++;
	return true;
}

static void pass_blanks(struct grammar *grammar)
{
	while (take(grammar, " \t\r\n"))
		;
}

static bool parse_unit(struct grammar *grammar, unsigned *unit_out)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";

	*unit_out = 0;
	for (int i = 0; i < 4; i++) {
		uint8_t byte = here(grammar);
		const char *digit = byte != 0 ? strchr(digits, byte) : NULL;

		if (digit == NULL)
			return false;
		*unit_out = *unit_out * 16 + (unsigned)((digit - digits) % 16);
		grammar->at++;
	}
	return true;
}

/* What follows a backslash.  *high_out: it was the first half of a pair. */
static bool parse_escape(struct grammar *grammar, bool after_high,
                         bool *high_out)
{
	unsigned unit = 1;

	*high_out = false;
	if (take(grammar, "\"\\/bfnrt")) {
		grammar->half_pair |= after_high;
		return true;
	}
	if (!take(grammar, "u") || !parse_unit(grammar, &unit))
		return false;
	if (after_high != (unit >= 0xdc00 && unit < 0xe000))
		grammar->half_pair = true;
	*high_out = unit >= 0xd800 && unit < 0xdc00;
	grammar->nul |= unit == 0;
	return true;
}

static bool parse_string(struct grammar *grammar)
{
	bool high = false;

	if (!take(grammar, "\""))
		return false;
	while (here(grammar) != '"' || grammar->at == grammar->end) {
		uint32_t point;
		size_t length;

		if (take(grammar, "\\")) {
			if (!parse_escape(grammar, high, &high))
				return false;
			continue;
		}
		length = fuzz_utf8(grammar->at,
		                   (size_t)(grammar->end - grammar->at),
		                   &point);
		if (length == 0 || point < 0x20)
			return false;
		grammar->half_pair |= high;
		high = false;
		grammar->at += length;
	}
	grammar->half_pair |= high;
	grammar->at++;
	return true;
}

static bool parse_digits(struct grammar *grammar)
{
	if (!take(grammar, "0123456789"))
		return false;
	while (take(grammar, "0123456789"))
		;
	return true;
}

static bool parse_number(struct grammar *grammar)
{
	const uint8_t *start = grammar->at;
	size_t length;

	(void)take(grammar, "-");
	if (!take(grammar, "0") && !parse_digits(grammar))
		return false;
	if (take(grammar, ".") && !parse_digits(grammar))
		return false;
	if (take(grammar, "eE")) {
		(void)take(grammar, "+-");
		if (!parse_digits(grammar))
			return false;
	}
	length = (size_t)(grammar->at - start);
	if (length > grammar->longest_number)
		grammar->longest_number = length;
	return true;
}

static bool parse_word(struct grammar *grammar, const char *word)
{
	for (; *word != '\0'; word++) {
		if (here(grammar) != (uint8_t)*word)
			return false;
		grammar->at++;
	}
	return true;
}

static bool parse_container(struct grammar *grammar, bool object)
{
	const char *close = object ? "}" : "]";

	grammar->at++;
	if (++grammar->depth > grammar->deepest)
		grammar->deepest = grammar->depth;
	pass_blanks(grammar);
	if (!take(grammar, close)) {
		do {
			pass_blanks(grammar);
			if (object && !parse_string(grammar))
				return false;
			pass_blanks(grammar);
			if (object && !take(grammar, ":"))
				return false;
			if (!parse_value(grammar))
				return false;
			pass_blanks(grammar);
		} while (take(grammar, ","));
		if (!take(grammar, close))
			return false;
	}
	grammar->depth--;
	return true;
}

static bool parse_value(struct grammar *grammar)
{
	pass_blanks(grammar);
	switch (here(grammar)) {
	case '{': return parse_container(grammar, true);
	case '[': return parse_container(grammar, false);
	case '"': return parse_string(grammar);
	case 't': return parse_word(grammar, "true");
	case 'f': return parse_word(grammar, "false");
	case 'n': return parse_word(grammar, "null");
	default: return parse_number(grammar);
	}
}

/* ------------------------------------------------------------------ checks */

static void check_error(const struct cli_json_error *error, size_t size_bytes)
{
	size_t length = strnlen(error->reason, sizeof(error->reason));

	require(error->offset <= size_bytes);
	require(length > 0 && length < sizeof(error->reason));
	for (size_t i = 0; i < length; i++)
		require(error->reason[i] >= 0x20 && error->reason[i] < 0x7f);
}

/* The last member of a name, as JSON.parse has it. */
static const cJSON *find_last(const cJSON *object, const char *name)
{
	const cJSON *item, *found = NULL;

	cJSON_ArrayForEach(item, object)
	{
		if (strcmp(item->string, name) == 0)
			found = item;
	}
	return found;
}

/* What an envelope says is what cJSON reads; `tree` is NULL where it cannot
 * be relied on. */
static void check_envelope(const char *text, size_t size_bytes, bool valid,
                           const cJSON *tree)
{
	uint8_t *buffer = fuzz_copy(text, size_bytes);
	struct cli_envelope envelope;
	struct cli_json_error error;
	const cJSON *payload = find_last(tree, "payload");
	const cJSON *encoding = find_last(tree, "encoding");
	bool accepted = cli_envelope_parse(text, size_bytes, buffer, &envelope,
	                                   &error);

	require(!accepted || valid);
	if (!accepted)
		check_error(&error, size_bytes);
	if (tree != NULL && accepted)
		require(envelope.is_event ==
		        (find_last(tree, "event") != NULL));
	if (accepted && !envelope.is_event) {
		require(envelope.payload == buffer &&
		        envelope.size_bytes <= size_bytes);
		if (tree != NULL)
			require(cJSON_IsString(payload));
		if (tree != NULL &&
		    (encoding == NULL ||
		     strcmp(encoding->valuestring, "utf8") == 0))
			require(strlen(payload->valuestring) ==
			                envelope.size_bytes &&
			        memcmp(payload->valuestring, buffer,
			               envelope.size_bytes) == 0);
	}
	free(buffer);
}

static void check_member(const struct cli_document *document, const char *name,
                         const cJSON *tree)
{
	const double exact = 9007199254740992.0; /* all integers below are */
	const cJSON *item = find_last(tree, name);
	uint64_t number = 0;
	int64_t integer = 0;
	bool is_u64 = cli_document_u64(document, name, &number);
	bool is_i64 = cli_document_i64(document, name, &integer);

	if (is_u64 && number <= INT64_MAX)
		require(is_i64 && integer == (int64_t)number);
	/* "-0" is an integer, but not digits alone. */
	require(is_u64 || !is_i64 || integer < 0 ||
	        (integer == 0 && (item == NULL || signbit(item->valuedouble))));
	if (tree == NULL || !(is_u64 || is_i64))
		return;
	require(cJSON_IsNumber(item));
	if (is_u64 && number < (uint64_t)exact)
		require((double)number == item->valuedouble);
	if (is_i64 && integer < 0 && integer > -(int64_t)exact)
		require((double)integer == item->valuedouble);
}

static void check_document(const char *text, size_t size_bytes, bool object,
                           const cJSON *tree)
{
	struct cli_json_error error;
	struct cli_document *document = cli_document_parse(text, size_bytes,
	                                                   &error);

	require((document != NULL) == object);
	if (document != NULL) {
		check_member(document, "cursor", tree);
		check_member(document, "inode", tree);
		check_member(document, "a", tree);
		check_member(document, "", tree);
	} else {
		check_error(&error, size_bytes);
	}
	cli_document_free(document);
}

static void check_text(const char *text, size_t size_bytes)
{
	struct grammar grammar = {.at = (const uint8_t *)text,
	                          .end = (const uint8_t *)text + size_bytes};
	struct cli_json_error error;
	bool valid = cli_json_check(text, size_bytes, &error);
	bool expected = parse_value(&grammar);
	const char *end = NULL;
	cJSON *tree = NULL;
	size_t first = 0;

	pass_blanks(&grammar);
	require(valid == (expected && grammar.at == grammar.end));
	require(valid == cli_json_check_slowly(text, size_bytes, &error));
	if (!valid)
		check_error(&error, size_bytes);
	while (first < size_bytes && memchr(" \t\r\n", text[first], 4) != NULL)
		first++;
	if (valid && grammar.deepest <= CJSON_DEPTH && !grammar.half_pair &&
	    grammar.longest_number < CJSON_NUMBER_BYTES) {
		tree = cJSON_ParseWithLengthOpts(text, size_bytes, &end, 0);
		require(tree != NULL);
	}
	/* Its strings end at a NUL. */
	check_envelope(text, size_bytes, valid,
	               !grammar.nul && cJSON_IsObject(tree) ? tree : NULL);
	check_document(text, size_bytes, valid && text[first] == '{',
	               !grammar.nul && cJSON_IsObject(tree) ? tree : NULL);
	cJSON_Delete(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct fuzz_input input = {data, size_bytes};
	uint8_t nest = fuzz_take_byte(&input);
	size_t levels = nest > 0xf0 ? ((size_t)nest - 0xf0) * 130 : 0;
	uint8_t *text = fuzz_copy(input.at, input.left_bytes);

	check_text((char *)text, input.left_bytes);
	if (levels > 0) {
		/* The same, deep inside of arrays. */
		size_bytes = input.left_bytes + 2 * levels;
		text = realloc(text, size_bytes);
		require(text != NULL);
		memmove(text + levels, text, input.left_bytes);
		memset(text, '[', levels);
		memset(text + levels + input.left_bytes, ']', levels);
		check_text((char *)text, size_bytes);
	}
	free(text);
	return 0;
}
