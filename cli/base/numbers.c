/* Parses the numbers of the command line, strictly. */
#include "numbers.h"

#include <string.h>

static bool is_digit(char character)
{
	return character >= '0' && character <= '9';
}

/* Reads the digits at *text and moves behind them.  False if there is none or
 * the number is over UINT64_MAX. */
static bool read_digits(const char **text, uint64_t *value_out)
{
	const char *at = *text;
	uint64_t value = 0;

	if (!is_digit(*at))
		return false;
	for (; is_digit(*at); at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*text = at;
	*value_out = value;
	return true;
}

bool cli_parse_u64(const char *text, uint64_t *value_out)
{
	uint64_t value;

	if (!read_digits(&text, &value) || *text != '\0')
		return false;
	*value_out = value;
	return true;
}

bool cli_parse_size(const char *text, uint64_t *bytes_out)
{
	static const char letters[] = "KMGT";
	uint64_t value;
	unsigned shift = 0;

	if (!read_digits(&text, &value))
		return false;
	if (*text != '\0') {
		const char *letter = strchr(letters, *text);

		if (!letter || text[1] != '\0')
			return false;
		shift = 10u * (unsigned)(letter - letters + 1);
	}
	if (value > UINT64_MAX >> shift)
		return false;
	*bytes_out = value << shift;
	return true;
}

/* Nanoseconds in a unit; 0 for a text that is none. */
static int64_t unit_ns(const char *text)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
		{"ns", 1},
		{"us", 1000},
		{"ms", 1000000},
		{"s", 1000000000},
		{"m", 60 * INT64_C(1000000000)},
		{"h", 3600 * INT64_C(1000000000)},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(text, units[i].name) == 0)
			return units[i].ns;
	}
	return 0;
}

/* The decimals [first, last) of a unit, rounded down: from the right, because
 * then every division's remainder is below what the next one can show. */
static int64_t decimals_ns(const char *first, const char *last, int64_t unit)
{
	int64_t ns = 0;

	while (last > first) {
		last--;
		ns = (ns + (*last - '0') * unit) / 10;
	}
	return ns;
}

bool cli_parse_duration(const char *text, int64_t *ns_out)
{
	const char *decimals;
	uint64_t whole;
	int64_t unit, fraction;

	if (strcmp(text, "0") == 0) {
		*ns_out = 0;
		return true;
	}
	if (!read_digits(&text, &whole))
		return false;
	decimals = text;
	if (*text == '.') {
		decimals = ++text;
		if (!is_digit(*text))
			return false;
		while (is_digit(*text))
			text++;
	}
	unit = unit_ns(text);
	if (unit == 0)
		return false;
	fraction = decimals_ns(decimals, text, unit);
	if (whole > (uint64_t)((INT64_MAX - fraction) / unit))
		return false;
	*ns_out = (int64_t)whole * unit + fraction;
	return true;
}

bool cli_parse_mode(const char *text, unsigned *mode_out)
{
	unsigned mode = 0;

	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '7')
			return false;
		mode = mode * 8 + (unsigned)(*text - '0');
		if (mode > 07777)
			return false;
	}
	*mode_out = mode;
	return true;
}

/* -------------------------------------------------------------- printing */

static const char DIGIT_PAIRS[] =
	"00010203040506070809101112131415161718192021222324"
	"25262728293031323334353637383940414243444546474849"
	"50515253545556575859606162636465666768697071727374"
	"75767778798081828384858687888990919293949596979899";

static size_t count_digits(uint64_t value)
{
	size_t digits = 1;

	for (; value >= 10000; value /= 10000)
		digits += 4;
	return digits + (value >= 10) + (value >= 100) + (value >= 1000);
}

size_t cli_put_u64(unsigned char *out, uint64_t value)
{
	size_t digits = count_digits(value);
	unsigned char *at = out + digits;

	for (; value >= 100; value /= 100) {
		at -= 2;
		memcpy(at, DIGIT_PAIRS + value % 100 * 2, 2);
	}
	if (value >= 10)
		memcpy(out, DIGIT_PAIRS + value * 2, 2);
	else
		*out = (unsigned char)('0' + value);
	return digits;
}
