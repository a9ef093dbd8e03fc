/* JSON values in their text, ordered and compared as jq does. */
#include "value.h"

#include "floats.h"
#include "numbers.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------- kinds */

const char *cli_value_type(const struct cli_value *value)
{
	static const char *const names[] = {
		[CLI_VALUE_NULL] = "null",     [CLI_VALUE_FALSE] = "boolean",
		[CLI_VALUE_TRUE] = "boolean",  [CLI_VALUE_NUMBER] = "number",
		[CLI_VALUE_STRING] = "string", [CLI_VALUE_ARRAY] = "array",
		[CLI_VALUE_OBJECT] = "object",
	};

	return names[value->kind];
}

bool cli_value_is_true(const struct cli_value *value)
{
	return value->kind > CLI_VALUE_FALSE;
}

static enum cli_value_kind kind_at(const struct cli_json_scan *scan)
{
	switch (cli_json_kind(scan)) {
	case CLI_JSON_OBJECT: return CLI_VALUE_OBJECT;
	case CLI_JSON_ARRAY: return CLI_VALUE_ARRAY;
	case CLI_JSON_STRING: return CLI_VALUE_STRING;
	case CLI_JSON_NUMBER: return CLI_VALUE_NUMBER;
	case CLI_JSON_NULL: return CLI_VALUE_NULL;
	default: return *scan->at == 't' ? CLI_VALUE_TRUE : CLI_VALUE_FALSE;
	}
}

/* The value at the scan, which is in a container, and then behind it. */
static struct cli_value take_value(struct cli_json_scan *scan, bool is_plain)
{
	struct cli_value value = {.kind = kind_at(scan), .is_plain = is_plain};

	if (value.kind == CLI_VALUE_STRING)
		value.text = cli_json_take_string(scan);
	else
		value.text = cli_json_take_value(scan);
	return value;
}

struct cli_value cli_value_of_text(const char *text, size_t size_bytes)
{
	struct cli_json_scan scan;
	struct cli_value value;

	cli_json_begin(&scan, text, size_bytes);
	value = (struct cli_value){.kind = kind_at(&scan),
	                           .is_plain = memchr(text, '\\', size_bytes) ==
	                                       NULL};
	value.text.bytes = scan.at;
	value.text.size_bytes = (size_t)(scan.end - scan.at);
	while (value.text.bytes[value.text.size_bytes - 1] <= ' ')
		value.text.size_bytes--;
	if (value.kind == CLI_VALUE_STRING)
		value.text = cli_json_inside(value.text);
	return value;
}

struct cli_value cli_value_of_bool(bool value)
{
	return (struct cli_value){.kind = value ? CLI_VALUE_TRUE
	                                        : CLI_VALUE_FALSE};
}

struct cli_value cli_value_of_count(uint64_t count)
{
	return (struct cli_value){
		.kind = CLI_VALUE_NUMBER, .is_counted = true, .count = count};
}

struct cli_value cli_value_of_plain(const void *bytes, size_t size_bytes)
{
	return (struct cli_value){.kind = CLI_VALUE_STRING,
	                          .text = {bytes, size_bytes},
	                          .is_plain = true};
}

/* ----------------------------------------------------------------- strings */

/* Half a surrogate pair stands for U+FFFD. */
static size_t unescape_all(unsigned char *out, struct cli_json_span span)
{
	size_t used = 0, place;

	while (!cli_json_unescape(out + used, span, &place)) {
		struct cli_json_span good = {span.bytes, place};
		size_t got;

		(void)cli_json_unescape(out + used, good, &got);
		used += got;
		memcpy(out + used, "\xef\xbf\xbd", 3);
		used += 3;
		span.bytes += place + 6;
		span.size_bytes -= place + 6;
	}
	return used + place;
}

bool cli_value_bytes(struct cli_arena *arena, const struct cli_value *string,
                     struct cli_json_span *bytes_out)
{
	unsigned char *plain;

	*bytes_out = string->text;
	if (string->is_plain ||
	    memchr(string->text.bytes, '\\', string->text.size_bytes) == NULL)
		return true;
	plain = cli_arena_take(arena, string->text.size_bytes);
	if (plain == NULL)
		return false;
	bytes_out->bytes = plain;
	bytes_out->size_bytes = unescape_all(plain, string->text);
	return true;
}

size_t cli_value_string_length(struct cli_json_span bytes)
{
	size_t length = 0;

	for (size_t i = 0; i < bytes.size_bytes; i++)
		length += (bytes.bytes[i] & 0xc0) != 0x80;
	return length;
}

static int compare_bytes(struct cli_json_span one, struct cli_json_span two)
{
	size_t shared = one.size_bytes < two.size_bytes ? one.size_bytes
	                                                : two.size_bytes;
	int order = memcmp(one.bytes, two.bytes, shared);

	if (order != 0)
		return order;
	return (one.size_bytes > two.size_bytes) -
	       (one.size_bytes < two.size_bytes);
}

/* Whether a name in a text is the one that is looked for. */
static bool is_name(struct cli_arena *arena, struct cli_json_span text,
                    bool is_plain, struct cli_json_span name)
{
	struct cli_value string = {.kind = CLI_VALUE_STRING, .text = text};
	struct cli_arena_mark mark;
	struct cli_json_span bytes;
	bool same;

	if (text.size_bytes < name.size_bytes)
		return false;
	if (is_plain || memchr(text.bytes, '\\', text.size_bytes) == NULL)
		return text.size_bytes == name.size_bytes &&
		       memcmp(text.bytes, name.bytes, name.size_bytes) == 0;
	mark = cli_arena_mark(arena);
	same = cli_value_bytes(arena, &string, &bytes) &&
	       compare_bytes(bytes, name) == 0;
	cli_arena_reset(arena, mark);
	return same;
}

/* -------------------------------------------------------------- containers */

static struct cli_json_scan scan_of(const struct cli_value *container)
{
	struct cli_json_scan scan = {container->text.bytes,
	                             container->text.bytes +
	                                     container->text.size_bytes};

	cli_json_enter(&scan);
	return scan;
}

bool cli_value_member(struct cli_arena *arena, const struct cli_value *object,
                      struct cli_json_span name, struct cli_value *member_out)
{
	struct cli_json_scan scan = scan_of(object);
	struct cli_json_span text;
	bool found = false;

	while (cli_json_next_member(&scan, &text)) {
		if (is_name(arena, text, object->is_plain, name)) {
			*member_out = take_value(&scan, object->is_plain);
			found = true;
		} else {
			(void)cli_json_take_value(&scan);
		}
	}
	return found;
}

size_t cli_value_array_length(const struct cli_value *array)
{
	struct cli_json_scan scan = scan_of(array);
	size_t length = 0;

	for (; cli_json_next_element(&scan); length++)
		(void)cli_json_take_value(&scan);
	return length;
}

bool cli_value_element(const struct cli_value *array, int64_t place,
                       struct cli_value *element_out)
{
	struct cli_json_scan scan = scan_of(array);

	if (place < 0)
		place += (int64_t)cli_value_array_length(array);
	if (place < 0)
		return false;
	for (; cli_json_next_element(&scan); place--) {
		if (place == 0) {
			*element_out = take_value(&scan, array->is_plain);
			return true;
		}
		(void)cli_json_take_value(&scan);
	}
	return false;
}

/* A member of an object, with its name unescaped. */
struct member {
	struct cli_json_span name;
	struct cli_value value;
	size_t place; /* among all */
};

/* By name, and by place where that is the same. */
static int order_members(const void *one, const void *two)
{
	const struct member *first = one, *second = two;
	int order = compare_bytes(first->name, second->name);

	if (order != 0)
		return order;
	return (first->place > second->place) - (first->place < second->place);
}

static int order_places(const void *one, const void *two)
{
	const struct member *first = one, *second = two;

	return (first->place > second->place) - (first->place < second->place);
}

static bool take_member(struct cli_arena *arena, struct cli_json_scan *scan,
                        bool is_plain, struct member *member)
{
	struct cli_value name = {.kind = CLI_VALUE_STRING,
	                         .is_plain = is_plain};

	if (!cli_json_next_member(scan, &name.text))
		return false;
	(void)cli_value_bytes(arena, &name, &member->name);
	member->value = take_value(scan, is_plain);
	return true;
}

static size_t count_members(const struct cli_value *object)
{
	struct cli_json_scan scan = scan_of(object);
	struct cli_json_span name;
	size_t count = 0;

	for (; cli_json_next_member(&scan, &name); count++)
		(void)cli_json_take_value(&scan);
	return count;
}

/* The members by name, of several with one name the last value in the place of
 * the first.  NULL if memory is short. */
static struct member *sorted_members(struct cli_arena *arena,
                                     const struct cli_value *object,
                                     size_t *count_out)
{
	size_t count = count_members(object), kept = 0;
	struct member *members = cli_arena_take(arena,
	                                        (count + 1) * sizeof(*members));
	struct cli_json_scan scan = scan_of(object);

	for (size_t i = 0; members != NULL && i < count; i++) {
		members[i].place = i;
		(void)take_member(arena, &scan, object->is_plain, &members[i]);
	}
	if (members == NULL || arena->failed)
		return NULL;
	qsort(members, count, sizeof(*members), order_members);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 &&
		    compare_bytes(members[kept - 1].name, members[i].name) == 0)
			members[kept - 1].value = members[i].value;
		else
			members[kept++] = members[i];
	}
	*count_out = kept;
	return members;
}

static const struct cli_value *array_items(struct cli_arena *arena,
                                           const struct cli_value *array,
                                           size_t *count_out)
{
	size_t count = cli_value_array_length(array);
	struct cli_value *items = cli_arena_take(arena,
	                                         (count + 1) * sizeof(*items));
	struct cli_json_scan scan = scan_of(array);

	for (size_t i = 0; items != NULL && i < count; i++) {
		(void)cli_json_next_element(&scan);
		items[i] = take_value(&scan, array->is_plain);
	}
	*count_out = count;
	return items;
}

const struct cli_value *cli_value_items(struct cli_arena *arena,
                                        const struct cli_value *container,
                                        size_t *count_out)
{
	struct member *members;
	struct cli_value *items;

	if (container->kind == CLI_VALUE_ARRAY)
		return array_items(arena, container, count_out);
	members = sorted_members(arena, container, count_out);
	if (members == NULL)
		return NULL;
	qsort(members, *count_out, sizeof(*members), order_places);
	items = cli_arena_take(arena, (*count_out + 1) * sizeof(*items));
	for (size_t i = 0; items != NULL && i < *count_out; i++)
		items[i] = members[i].value;
	return items;
}

/* ----------------------------------------------------------------- numbers */

/* A number as its significant digits, which a point stands before, and a power
 * of ten. */
struct decimal {
	bool negative;
	struct cli_json_span digits; /* may hold a point; no zeros around */
	int64_t exponent;
};

static struct cli_json_span number_text(const struct cli_value *value,
                                        unsigned char *room)
{
	if (!value->is_counted)
		return value->text;
	return (struct cli_json_span){room, cli_put_u64(room, value->count)};
}

/* An exponent; one that is larger than any text has digits stays so. */
static int64_t read_exponent(const unsigned char *at, const unsigned char *end)
{
	const int64_t most = INT64_C(1000000000000);
	bool negative = at < end && *at == '-';
	int64_t exponent = 0;

	for (; at < end; at++) {
		if (*at >= '0' && *at <= '9' && exponent < most)
			exponent = exponent * 10 + (*at - '0');
	}
	return negative ? -exponent : exponent;
}

static bool is_nought(unsigned char byte)
{
	return byte == '0' || byte == '.';
}

static struct decimal decimal_of(struct cli_json_span text)
{
	const unsigned char *at = text.bytes, *end = at + text.size_bytes;
	const unsigned char *mantissa_end = at, *point;
	struct decimal decimal = {.negative = *at == '-'};

	at += decimal.negative;
	while (mantissa_end < end && (*mantissa_end | 0x20) != 'e')
		mantissa_end++;
	if (mantissa_end < end)
		decimal.exponent = read_exponent(mantissa_end + 1, end);
	point = memchr(at, '.', (size_t)(mantissa_end - at));
	if (point == NULL)
		point = mantissa_end;
	while (at < mantissa_end && is_nought(*at))
		at++;
	/* Where the first digit that counts stands, seen from the point. */
	decimal.exponent += at < point ? point - at : point + 1 - at;
	while (mantissa_end > at && is_nought(mantissa_end[-1]))
		mantissa_end--;
	decimal.digits = (struct cli_json_span){at,
	                                        (size_t)(mantissa_end - at)};
	if (at == mantissa_end)
		decimal = (struct decimal){.digits = {at, 0}};
	return decimal;
}

static size_t digit_count(struct cli_json_span digits)
{
	size_t count = digits.size_bytes;

	if (count > 0 && memchr(digits.bytes, '.', count) != NULL)
		count--;
	return count;
}

static bool is_whole(const struct decimal *decimal)
{
	return decimal->exponent >= (int64_t)digit_count(decimal->digits);
}

/* Digit by digit, without their points. */
static int compare_digits(struct cli_json_span one, struct cli_json_span two)
{
	size_t i = 0, k = 0;

	for (;; i++, k++) {
		i += i < one.size_bytes && one.bytes[i] == '.';
		k += k < two.size_bytes && two.bytes[k] == '.';
		if (i >= one.size_bytes || k >= two.size_bytes)
			return (i < one.size_bytes) - (k < two.size_bytes);
		if (one.bytes[i] != two.bytes[k])
			return one.bytes[i] < two.bytes[k] ? -1 : 1;
	}
}

static int compare_whole(const struct decimal *one, const struct decimal *two)
{
	int order;

	if (one->negative != two->negative)
		return one->negative ? -1 : 1;
	if (one->digits.size_bytes == 0 || two->digits.size_bytes == 0)
		order = (one->digits.size_bytes > 0) -
		        (two->digits.size_bytes > 0);
	else if (one->exponent != two->exponent)
		order = one->exponent < two->exponent ? -1 : 1;
	else
		order = compare_digits(one->digits, two->digits);
	return one->negative ? -order : order;
}

/* The double that is nearest, without end where it is too large. */
static bool read_double(struct cli_arena *arena, struct cli_json_span text,
                        double *number_out)
{
	struct cli_arena_mark mark = cli_arena_mark(arena);
	unsigned char *copy = cli_arena_take(arena, text.size_bytes + 1);
	uint64_t bits;

	if (copy == NULL)
		return false;
	/* A byte that is no part of it is to stand behind it. */
	memcpy(copy, text.bytes, text.size_bytes);
	copy[text.size_bytes] = ' ';
	if (cli_read_f64(copy, &bits))
		memcpy(number_out, &bits, sizeof(bits));
	else
		*number_out = text.bytes[0] == '-' ? -__builtin_inf()
		                                   : __builtin_inf();
	cli_arena_reset(arena, mark);
	return true;
}

/* A number of few digits and no exponent: then its digits and the power of ten
 * below them are doubles without an error, and so is their quotient but for the
 * rounding that it is to have.  False for any other. */
static bool read_short(struct cli_json_span text, double *number_out)
{
	static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,
	                                1e5,  1e6,  1e7,  1e8,  1e9,
	                                1e10, 1e11, 1e12, 1e13, 1e14};
	bool negative = text.bytes[0] == '-', has_point = false;
	size_t behind = 0;
	int64_t digits = 0;

	if (text.size_bytes > sizeof(powers) / sizeof(powers[0]))
		return false;
	for (size_t i = negative; i < text.size_bytes; i++) {
		unsigned char byte = text.bytes[i];

		if (byte == '.') {
			has_point = true;
		} else if (byte >= '0' && byte <= '9') {
			digits = digits * 10 + (byte - '0');
			behind += has_point;
		} else {
			return false;
		}
	}
	*number_out = (double)(negative ? -digits : digits) / powers[behind];
	return true;
}

static bool compare_numbers(struct cli_arena *arena,
                            const struct cli_value *one,
                            const struct cli_value *two, int *order_out)
{
	unsigned char room[2][CLI_U64_MAX];
	struct cli_json_span first = number_text(one, room[0]);
	struct cli_json_span second = number_text(two, room[1]);
	struct decimal a, b;
	double x, y;

	if (FLT_EVAL_METHOD == 0 && read_short(first, &x) &&
	    read_short(second, &y)) {
		*order_out = (x > y) - (x < y);
		return true;
	}
	a = decimal_of(first);
	b = decimal_of(second);
	if (is_whole(&a) && is_whole(&b)) {
		*order_out = compare_whole(&a, &b);
		return true;
	}
	if (!read_double(arena, first, &x) || !read_double(arena, second, &y))
		return false;
	*order_out = (x > y) - (x < y);
	return true;
}

/* -------------------------------------------------------------- comparison */

static bool compare(struct cli_arena *arena, const struct cli_value *one,
                    const struct cli_value *two, unsigned depth,
                    int *order_out);

static bool compare_strings(struct cli_arena *arena,
                            const struct cli_value *one,
                            const struct cli_value *two, int *order_out)
{
	struct cli_json_span first, second;

	if (!cli_value_bytes(arena, one, &first) ||
	    !cli_value_bytes(arena, two, &second))
		return false;
	*order_out = compare_bytes(first, second);
	return true;
}

static bool compare_arrays(struct cli_arena *arena, const struct cli_value *one,
                           const struct cli_value *two, unsigned depth,
                           int *order_out)
{
	struct cli_json_scan first = scan_of(one), second = scan_of(two);

	for (;;) {
		bool has_first = cli_json_next_element(&first);
		bool has_second = cli_json_next_element(&second);
		struct cli_value a, b;

		*order_out = has_first - has_second;
		if (!has_first || !has_second)
			return true;
		a = take_value(&first, one->is_plain);
		b = take_value(&second, two->is_plain);
		if (!compare(arena, &a, &b, depth, order_out))
			return false;
		if (*order_out != 0)
			return true;
	}
}

/* The names first, as arrays that are sorted; then the values by name. */
static bool compare_objects(struct cli_arena *arena,
                            const struct cli_value *one,
                            const struct cli_value *two, unsigned depth,
                            int *order_out)
{
	size_t first_count, second_count, i;
	struct member *first = sorted_members(arena, one, &first_count);
	struct member *second = sorted_members(arena, two, &second_count);

	if (first == NULL || second == NULL)
		return false;
	*order_out = 0;
	for (i = 0; i < first_count && i < second_count; i++) {
		*order_out = compare_bytes(first[i].name, second[i].name);
		if (*order_out != 0)
			return true;
	}
	*order_out = (first_count > second_count) -
	             (first_count < second_count);
	for (i = 0; *order_out == 0 && i < first_count; i++) {
		if (!compare(arena, &first[i].value, &second[i].value, depth,
		             order_out))
			return false;
	}
	return true;
}

static bool compare(struct cli_arena *arena, const struct cli_value *one,
                    const struct cli_value *two, unsigned depth, int *order_out)
{
	struct cli_arena_mark mark = cli_arena_mark(arena);
	bool compared = true;

	*order_out = (one->kind > two->kind) - (one->kind < two->kind);
	if (*order_out != 0)
		return true;
	if (depth == CLI_VALUE_DEPTH)
		return false;
	switch (one->kind) {
	case CLI_VALUE_NUMBER:
		compared = compare_numbers(arena, one, two, order_out);
		break;
	case CLI_VALUE_STRING:
		compared = compare_strings(arena, one, two, order_out);
		break;
	case CLI_VALUE_ARRAY:
		compared = compare_arrays(arena, one, two, depth + 1,
		                          order_out);
		break;
	case CLI_VALUE_OBJECT:
		compared = compare_objects(arena, one, two, depth + 1,
		                           order_out);
		break;
	default: break;
	}
	cli_arena_reset(arena, mark);
	return compared;
}

bool cli_value_compare(struct cli_arena *arena, const struct cli_value *one,
                       const struct cli_value *two, int *order_out)
{
	return compare(arena, one, two, 0, order_out);
}
