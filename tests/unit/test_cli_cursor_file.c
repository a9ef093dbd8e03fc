/*
 * Which cursor of a cursor file belongs to a log, and what it takes to find it
 * among thousands.
 */
#include "support.h"

#include "command.h"
#include "cursor_file.h"

#include <inttypes.h>
#include <string.h>

static size_t compared;

/* In the place of the C library's: how often names are compared. */
int strcmp(const char *one, const char *other)
{
	compared++;
	for (; *one != '\0' && *one == *other; one++)
		other++;
	return (unsigned char)*one - (unsigned char)*other;
}

static void put_cursor(FILE *file, const char *name,
                       const struct shmlog_identity *log, uint64_t cursor)
{
	fputc('{', file);
	if (name != NULL)
		fprintf(file, "\"log\":\"%s\",", name);
	fprintf(file,
	        "\"device\":%" PRIu64 ",\"inode\":%" PRIu64
	        ",\"birth_ns\":%" PRId64 ",\"filesystem\":%" PRIu64
	        ",\"cursor\":%" PRIu64 "}\n",
	        log->device, log->inode, log->birth_ns, log->filesystem,
	        cursor);
}

TEST(test_cursor_is_found_by_name_or_else_by_log)
{
	const char *path = scratch("cursors");
	const char *log_path = scratch("log");
	struct cli_cursors cursors;
	FILE *file = fopen(path, "w");

	write_numbered_log(log_path, 4096, 1);

	struct shmlog *log = open_log(log_path);
	struct shmlog_identity here = shmlog_identity(log);
	struct shmlog_identity other = here;

	other.birth_ns++;
	put_cursor(file, "b", &other, 1);
	put_cursor(file, NULL, &other, 2);
	put_cursor(file, "a", &here, 3);
	put_cursor(file, NULL, &here, 4);
	put_cursor(file, "b", &here, 5);
	fclose(file);
	assert_int_equal(cli_cursor_file_load(path, &cursors), CLI_OK);
	assert_int_equal(cursors.count, 5);
	/* The first one in the file, also where the log is another one. */
	assert_int_equal(cli_cursors_named(&cursors, "b")->cursor, 1);
	assert_int_equal(cli_cursors_find(&cursors, "b", log)->cursor, 1);
	assert_int_equal(cli_cursors_find(&cursors, "a", log)->cursor, 3);
	assert_int_equal(cli_cursors_find(&cursors, "", log)->cursor, 3);
	assert_int_equal(cli_cursors_find(&cursors, "c", log)->cursor, 3);
	assert_null(cli_cursors_named(&cursors, ""));
	assert_null(cli_cursors_named(&cursors, "c"));
	for (size_t i = 2; i < cursors.count; i++)
		cursors.list[i].log = other;
	assert_null(cli_cursors_find(&cursors, "c", log));
	cli_cursors_release(&cursors);
	shmlog_close(log);
}

TEST(test_no_cursor_is_found_where_there_is_none)
{
	struct cli_cursors cursors;

	assert_int_equal(cli_cursor_file_load(scratch("absent"), &cursors),
	                 CLI_OK);
	assert_null(cli_cursors_named(&cursors, "a"));
	cli_cursors_release(&cursors);
}

/* To find all of them takes twice as long for twice as many, or a little
 * more. */
TEST(test_cursors_of_thousands_of_logs_are_found_with_few_comparisons)
{
	enum {
		MANY = 20000,
		STEP = 7919
	};
	const struct shmlog_identity log = {.inode = 7};
	const char *path = scratch("many");
	struct cli_cursors cursors;
	FILE *file = fopen(path, "w");
	char name[32];

	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%u", i * STEP % MANY);
		put_cursor(file, name, &log, i * STEP % MANY);
	}
	fclose(file);
	compared = 0;
	assert_int_equal(cli_cursor_file_load(path, &cursors), CLI_OK);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(cli_cursors_named(&cursors, name)->cursor, i);
	}
	/* To sort them and to find each: some 15 for each, both times; 36 and
	 * 15 with the sort of musl.  One by one it would be 10,000. */
	assert_in_range(compared, MANY, 100 * MANY);
	cli_cursors_release(&cursors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cursor_is_found_by_name_or_else_by_log),
		cmocka_unit_test(test_no_cursor_is_found_where_there_is_none),
		cmocka_unit_test(
			test_cursors_of_thousands_of_logs_are_found_with_few_comparisons),
	};

	return cmocka_run_group_tests_name("cli_cursor_file", tests,
	                                   scratch_setup, scratch_teardown);
}
