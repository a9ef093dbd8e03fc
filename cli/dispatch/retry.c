/* Judges failures of a server. */
#include "retry.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* No server is waited for longer than this. */
#define MOST_WAIT_S 86400.0

static bool is_any(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* No other request would fare better. */
static bool is_end(const struct server_failure *failure)
{
	static const char *const types[] = {
		"authentication_error", "billing_error", "permission_error"};
	static const char *const codes[] = {"enforced_spend_limit_reached",
	                                    "contract_spend_limit_reached"};

	return failure->status == 401 || failure->status == 402 ||
	       failure->status == 403 ||
	       is_any(failure->error_type, types, COUNT(types)) ||
	       is_any(failure->error_code, codes, COUNT(codes));
}

/* An error in a stream, which came behind a status of 200. */
static bool is_passing(const char *error_type)
{
	static const char *const types[] = {"rate_limit_error", "timeout_error",
	                                    "api_error", "overloaded_error",
	                                    "conflict_error"};

	return is_any(error_type, types, COUNT(types));
}

enum call_outcome retry_judge(const struct server_failure *failure)
{
	bool retry = failure->status == 408 || failure->status == 409 ||
	             failure->status == 429 || failure->status >= 500;

	if (is_end(failure))
		return CALL_END;
	if (failure->status < 300)
		retry = is_passing(failure->error_type);
	if (failure->has_advice)
		retry = failure->should_retry;
	return retry ? CALL_RETRY : CALL_FAILED;
}

/* -------------------------------------------------------------------- times */

static bool take_seconds(double seconds, int64_t *wait_ns_out)
{
	if (!(seconds > 0))
		return false;
	if (seconds > MOST_WAIT_S)
		seconds = MOST_WAIT_S;
	*wait_ns_out = (int64_t)(seconds * 1e9);
	return true;
}

/* A decimal number and nothing else. */
static bool read_number(const char *text, double *number_out)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	*number_out = strtod(text, &end);
	return *end == '\0' && strspn(text, "0123456789.") == strlen(text);
}

bool retry_read_ms(const char *value, int64_t *wait_ns_out)
{
	double ms;

	return read_number(value, &ms) && take_seconds(ms / 1e3, wait_ns_out);
}

static int two_digits(const char *at)
{
	return (at[0] - '0') * 10 + (at[1] - '0');
}

static int month_of(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++) {
		if (memcmp(name, names + 3 * (size_t)i, 3) == 0)
			return i + 1;
	}
	return 0;
}

/* Days from the epoch to a date of the Gregorian calendar: years begin in
 * March, so that the leap day is the last one. */
static int64_t days_of(int64_t year, int month, int day)
{
	int64_t years = month > 2 ? year : year - 1;
	int64_t era = years / 400, of_era = years % 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day -
	                  1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	       of_year - 719468;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool read_date(const char *text, int64_t *seconds_out)
{
	static const char form[] = "Aaa, 00 Aaa 0000 00:00:00 GMT";
	int month;

	if (strlen(text) != strlen(form))
		return false;
	for (size_t i = 0; form[i] != '\0'; i++) {
		bool is_digit = text[i] >= '0' && text[i] <= '9';

		if (form[i] == '0' ? !is_digit
		                   : form[i] != 'a' && form[i] != 'A' &&
		                             text[i] != form[i])
			return false;
	}
	month = month_of(text + 8);
	if (month == 0)
		return false;
	*seconds_out = days_of(two_digits(text + 12) * 100 +
	                               two_digits(text + 14),
	                       month, two_digits(text + 5)) *
	                       86400 +
	               two_digits(text + 17) * 3600 +
	               two_digits(text + 20) * 60 + two_digits(text + 23);
	return true;
}

bool retry_read_after(const char *value, int64_t now_s, int64_t *wait_ns_out)
{
	double seconds;
	int64_t date_s;

	if (read_number(value, &seconds))
		return take_seconds(seconds, wait_ns_out);
	return read_date(value, &date_s) &&
	       take_seconds((double)(date_s - now_s), wait_ns_out);
}
