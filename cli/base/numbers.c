/* Parses the numbers of the command line, strictly. */
#include "numbers.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char character)
{
	return character >= '0' && character <= '9';
}

/* Reads the digits at *text and moves *text behind them, even where the number
 * exceeds UINT64_MAX. */
static enum cli_number read_digits(const char **text, uint64_t *value_out)
{
	enum cli_number result = CLI_NUMBER_OK;
	const char *at = *text;
	uint64_t value = 0;

	if (!is_digit(*at))
		return CLI_NUMBER_MALFORMED;
	for (; is_digit(*at); at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (value > (UINT64_MAX - digit) / 10)
			result = CLI_NUMBER_TOO_LARGE;
		else
			value = value * 10 + digit;
	}
	*text = at;
	*value_out = value;
	return result;
}

enum cli_number cli_read_u64(const char *text, uint64_t *value_out)
{
	uint64_t value;
	enum cli_number result = read_digits(&text, &value);

	if (result == CLI_NUMBER_MALFORMED || *text != '\0')
		return CLI_NUMBER_MALFORMED;
	if (result == CLI_NUMBER_OK)
		*value_out = value;
	return result;
}

/* The power of two that a unit of sizes stands for; -1 if the text is no
 * unit. */
static int unit_shift(const char *text)
{
	static const char letters[] = "kmgt";
	const char *letter;

	if (text[0] == '\0')
		return 0;
	letter = strchr(letters, text[0] | 0x20);
	if (letter == NULL ||
	    (text[1] != '\0' && strcasecmp(text + 1, "iB") != 0))
		return -1;
	return 10 * (int)(letter - letters + 1);
}

enum cli_number cli_read_size(const char *text, uint64_t *bytes_out)
{
	uint64_t value;
	enum cli_number result = read_digits(&text, &value);
	int shift = result == CLI_NUMBER_MALFORMED ? -1 : unit_shift(text);

	if (shift < 0)
		return CLI_NUMBER_MALFORMED;
	if (result == CLI_NUMBER_TOO_LARGE || value > UINT64_MAX >> shift)
		return CLI_NUMBER_TOO_LARGE;
	*bytes_out = value << shift;
	return CLI_NUMBER_OK;
}

/* The nanoseconds in a unit, which is a second for an empty text; 0 if the text
 * is no unit. */
static int64_t unit_ns(const char *text)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
		{"", 1000000000},
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

enum cli_number cli_read_duration(const char *text, int64_t *ns_out)
{
	const char *decimals;
	uint64_t whole;
	int64_t unit, fraction;
	enum cli_number result = CLI_NUMBER_OK;

	/* ".5" as "0.5", as sleep(1) and others have it. */
	whole = 0;
	if (*text != '.')
		result = read_digits(&text, &whole);
	if (result == CLI_NUMBER_MALFORMED)
		return result;
	decimals = text;
	if (*text == '.') {
		decimals = ++text;
		if (!is_digit(*text))
			return CLI_NUMBER_MALFORMED;
		while (is_digit(*text))
			text++;
	}
	unit = unit_ns(text);
	if (unit == 0)
		return CLI_NUMBER_MALFORMED;
	fraction = decimals_ns(decimals, text, unit);
	if (result == CLI_NUMBER_TOO_LARGE ||
	    whole > (uint64_t)((INT64_MAX - fraction) / unit))
		return CLI_NUMBER_TOO_LARGE;
	*ns_out = (int64_t)whole * unit + fraction;
	return CLI_NUMBER_OK;
}

bool cli_parse_u64(const char *text, uint64_t *value_out)
{
	return cli_read_u64(text, value_out) == CLI_NUMBER_OK;
}

bool cli_parse_size(const char *text, uint64_t *bytes_out)
{
	return cli_read_size(text, bytes_out) == CLI_NUMBER_OK;
}

bool cli_parse_duration(const char *text, int64_t *ns_out)
{
	return cli_read_duration(text, ns_out) == CLI_NUMBER_OK;
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
