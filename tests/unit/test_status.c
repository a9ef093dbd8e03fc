/* Every status has a text and a name, and no other number breaks either. */
#include "support.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

struct named_status {
	int status;
	const char *name;
};

/* The package's words where the meaning is the same; else the enumerator's
 * own. */
static const struct named_status statuses[] = {
	{SHMLOG_ERR_NOT_REGULAR, "SHMLOG_ERR_NOT_REGULAR"},
	{SHMLOG_ERR_TOO_SHORT, "SHMLOG_ERR_TOO_SHORT"},
	{SHMLOG_ERR_NO_HEADER, "SHMLOG_ERR_NO_HEADER"},
	{SHMLOG_ERR_HEADER_SIZE, "SHMLOG_ERR_HEADER_SIZE"},
	{SHMLOG_ERR_DATA_OFFSET, "SHMLOG_ERR_DATA_OFFSET"},
	{SHMLOG_ERR_SIZE, "SHMLOG_ERR_SIZE"},
	{SHMLOG_ERR_CURSOR, "ERR_SHM_CURSOR"},
	{SHMLOG_ERR_FRAME_CORRUPT, "ERR_SHM_FRAME_CORRUPT"},
	{SHMLOG_ERR_TORN, "SHMLOG_ERR_TORN"},
	{SHMLOG_ERR_MAPPING_GONE, "ERR_SHM_MAPPING_GONE"},
	{SHMLOG_ERR_WENT_BACK, "SHMLOG_ERR_WENT_BACK"},
	{SHMLOG_ERR_REPLACED, "SHMLOG_ERR_REPLACED"},
	{SHMLOG_ERR_PAYLOAD_SIZE, "SHMLOG_ERR_PAYLOAD_SIZE"},
	{SHMLOG_ERR_FULL, "SHMLOG_ERR_FULL"},
	{SHMLOG_ERR_LOCK_TIMEOUT, "SHMLOG_ERR_LOCK_TIMEOUT"},
	{SHMLOG_ERR_WRITER_ACTIVE, "SHMLOG_ERR_WRITER_ACTIVE"},
	{SHMLOG_ERR_INTERFERED, "SHMLOG_ERR_INTERFERED"},
	{SHMLOG_ERR_BAD_FRAMES, "SHMLOG_ERR_BAD_FRAMES"},
	{SHMLOG_ERR_IN_DOUBT, "SHMLOG_ERR_IN_DOUBT"},
	{SHMLOG_ERR_OVERWRITTEN, "SHMLOG_ERR_OVERWRITTEN"},
	{SHMLOG_ERR_MOVED, "SHMLOG_ERR_MOVED"},
	{SHMLOG_ERR_READER_ACTIVE, "SHMLOG_ERR_READER_ACTIVE"},
	{SHMLOG_ERR_CAPACITY, "SHMLOG_ERR_CAPACITY"},
	{SHMLOG_ERR_METADATA, "SHMLOG_ERR_METADATA"},
};

TEST(test_status_values_lie_below_every_errno)
{
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		assert_true(statuses[i].status < -10000);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(statuses[i].status,
			                     statuses[j].status);
	}
}

TEST(test_status_texts_are_short_plain_and_distinct)
{
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		const char *text = shmlog_strerror(statuses[i].status);
		size_t length = strlen(text);

		assert_in_range(length, 4, 80);
		assert_false(isupper((unsigned char)text[0]));
		assert_int_not_equal(text[length - 1], '.');
		assert_null(strchr(text, '\n'));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(
				text, shmlog_strerror(statuses[j].status));
	}
}

TEST(test_status_names_are_the_packages_own_words)
{
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		const char *name = shmlog_status_name(statuses[i].status);

		assert_non_null(name);
		assert_string_equal(name, statuses[i].name);
	}
}

TEST(test_status_text_of_an_errno_is_the_systems)
{
	static const int numbers[] = {ENOENT, EACCES, EEXIST, ENOSPC,
	                              EINTR,  ENOMEM, EIO};

	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		char expected[128];

		snprintf(expected, sizeof(expected), "%s",
		         strerror(numbers[i]));
		assert_string_equal(shmlog_strerror(-numbers[i]), expected);
		assert_null(shmlog_status_name(-numbers[i]));
	}
}

TEST(test_status_that_is_nobodys_has_a_text_and_no_name)
{
	static const int numbers[] = {INT_MIN, INT_MIN + 1, -99999, -10042,
	                              -10013,  -10000,      -9999,  -5000,
	                              1,       64,          INT_MAX};

	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		const char *text = shmlog_strerror(numbers[i]);

		assert_non_null(text);
		assert_true(strlen(text) > 0);
		assert_null(shmlog_status_name(numbers[i]));
	}
}

TEST(test_status_of_success_has_a_text)
{
	assert_true(strlen(shmlog_strerror(SHMLOG_OK)) > 0);
}

TEST(test_version_is_the_headers)
{
	assert_string_equal(shmlog_version(), SHMLOG_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_values_lie_below_every_errno),
		cmocka_unit_test(
			test_status_texts_are_short_plain_and_distinct),
		cmocka_unit_test(test_status_names_are_the_packages_own_words),
		cmocka_unit_test(test_status_text_of_an_errno_is_the_systems),
		cmocka_unit_test(
			test_status_that_is_nobodys_has_a_text_and_no_name),
		cmocka_unit_test(test_status_of_success_has_a_text),
		cmocka_unit_test(test_version_is_the_headers),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
