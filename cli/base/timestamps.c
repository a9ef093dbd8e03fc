/* Reads points in time from text. */
#include "timestamps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_SECOND INT64_C(1000000000)
/* A longer text is no point in time. */
#define MOST_BYTES 64u

/* What is left of a text. */
struct text {
	const char *at;
	const char *end;
};

static bool is_digit(const struct text *text)
{
	return text->at < text->end && *text->at >= '0' && *text->at <= '9';
}

static bool take(struct text *text, const char *bytes)
{
	if (text->at == text->end || *text->at == '\0' ||
	    strchr(bytes, *text->at) == NULL)
		return false;
	text->at++;
	return true;
}

/* A fraction behind its point, in nanoseconds; digits beyond these are cut. */
static int64_t take_fraction(struct text *text)
{
	int64_t value = 0, unit = NS_PER_SECOND / 10;

	for (; is_digit(text); text->at++) {
		value += (*text->at - '0') * unit;
		unit /= 10;
	}
	return value;
}

/* ------------------------------------------------------------------ numbers */

/* Nanoseconds in the unit that a whole number of this magnitude counts. */
static int64_t unit_of(uint64_t magnitude)
{
	if (magnitude < UINT64_C(100000000000))
		return NS_PER_SECOND;
	if (magnitude < UINT64_C(100000000000000))
		return 1000000;
	return magnitude < UINT64_C(100000000000000000) ? 1000 : 1;
}

static bool to_ns(bool negative, uint64_t whole, int64_t fraction,
                  int64_t *ns_out)
{
	int64_t unit = unit_of(whole), ns;

	if (whole > (uint64_t)(INT64_MAX / unit))
		return false;
	ns = (int64_t)whole * unit;
	fraction /= NS_PER_SECOND / unit;
	if (ns > INT64_MAX - fraction)
		return false;
	*ns_out = negative ? -(ns + fraction) : ns + fraction;
	return true;
}

/* 1.7e9 and the like, which are rarely written: as a double. */
static bool read_exponent(const char *bytes, size_t size_bytes, int64_t *ns_out)
{
	char copy[MOST_BYTES + 1];
	double value, whole, fraction;
	char *end;

	memcpy(copy, bytes, size_bytes);
	copy[size_bytes] = '\0';
	value = strtod(copy, &end);
	if (end != copy + size_bytes || !(fabs(value) < 9.2e18))
		return false;
	fraction = modf(fabs(value), &whole);
	return to_ns(value < 0, (uint64_t)whole,
	             (int64_t)(fraction * (double)(NS_PER_SECOND - 1)), ns_out);
}

bool cli_read_epoch(const void *text, size_t size_bytes, int64_t *ns_out)
{
	struct text left = {text, (const char *)text + size_bytes};
	uint64_t whole = 0;
	int64_t fraction = 0;
	bool negative;

	if (size_bytes > MOST_BYTES)
		return false;
	negative = take(&left, "-");
	if (!is_digit(&left))
		return false;
	for (; is_digit(&left); left.at++) {
		if (whole >= UINT64_MAX / 10)
			return false;
		whole = whole * 10 + (uint64_t)(*left.at - '0');
	}
	if (take(&left, ".")) {
		if (!is_digit(&left))
			return false;
		fraction = take_fraction(&left);
	}
	if (left.at == left.end)
		return to_ns(negative, whole, fraction, ns_out);
	return (*left.at == 'e' || *left.at == 'E') &&
	       read_exponent(text, size_bytes, ns_out);
}

/* ----------------------------------------------------------------- ISO 8601 */

/* So many digits, which make at most `most`. */
static bool take_digits(struct text *text, int count, int64_t most,
                        int64_t *value_out)
{
	*value_out = 0;
	for (; count > 0 && is_digit(text); count--)
		*value_out = *value_out * 10 + (*text->at++ - '0');
	return count == 0 && *value_out <= most;
}

/* Days since the epoch of a date in the Gregorian calendar: March begins the
 * year, so that the day that leap years add is its last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t shifted = month > 2 ? month - 3 : month + 9;

	year -= month <= 2;
	return year * 365 + year / 4 - year / 100 + year / 400 +
	       (153 * shifted + 2) / 5 + day - 1 - 719468;
}

static bool take_date(struct text *text, int64_t *seconds)
{
	int64_t year, month, day;

	if (!take_digits(text, 4, 2261, &year) || year < 1678 ||
	    !take(text, "-") || !take_digits(text, 2, 12, &month) ||
	    month == 0 || !take(text, "-") || !take_digits(text, 2, 31, &day) ||
	    day == 0)
		return false;
	*seconds = days_of(year, month, day) * 86400;
	return true;
}

static bool take_clock(struct text *text, int64_t *seconds, int64_t *fraction)
{
	int64_t hour, minute, second = 0;

	if (!take_digits(text, 2, 24, &hour) || !take(text, ":") ||
	    !take_digits(text, 2, 59, &minute))
		return false;
	/* 60: a leap second. */
	if (take(text, ":") && !take_digits(text, 2, 60, &second))
		return false;
	if (take(text, ".,")) {
		if (!is_digit(text))
			return false;
		*fraction = take_fraction(text);
	}
	*seconds += hour * 3600 + minute * 60 + second;
	return true;
}

static bool take_offset(struct text *text, int64_t *seconds)
{
	int64_t hour, minute = 0;
	bool west;

	if (text->at == text->end || take(text, "Zz"))
		return true;
	west = *text->at == '-';
	if (!take(text, "+-") || !take_digits(text, 2, 23, &hour))
		return false;
	(void)take(text, ":");
	if (text->at < text->end && !take_digits(text, 2, 59, &minute))
		return false;
	hour = hour * 3600 + minute * 60;
	*seconds += west ? hour : -hour;
	return true;
}

bool cli_read_iso8601(const void *text, size_t size_bytes, int64_t *ns_out)
{
	struct text left = {text, (const char *)text + size_bytes};
	int64_t seconds, fraction = 0;

	if (!take_date(&left, &seconds))
		return false;
	if (left.at < left.end &&
	    (!take(&left, "Tt ") || !take_clock(&left, &seconds, &fraction) ||
	     !take_offset(&left, &seconds) || left.at < left.end))
		return false;
	*ns_out = seconds * NS_PER_SECOND + fraction;
	return true;
}
