/* Messages: their form, their safety, and the statuses that go with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <shmlog.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "failure.h"
#include "fault_text.h"
#include "message.h"

static char said[65536];
static int stderr_copy;
static FILE *stderr_file;

static void listen(void)
{
	stderr_file = tmpfile();
	assert_non_null(stderr_file);
	stderr_copy = dup(STDERR_FILENO);
	assert_true(stderr_copy >= 0);
	assert_true(dup2(fileno(stderr_file), STDERR_FILENO) == STDERR_FILENO);
}

static void stop_listening(void)
{
	size_t bytes;

	assert_true(dup2(stderr_copy, STDERR_FILENO) == STDERR_FILENO);
	close(stderr_copy);
	rewind(stderr_file);
	bytes = fread(said, 1, sizeof(said) - 1, stderr_file);
	said[bytes] = '\0';
	fclose(stderr_file);
}

static void test_message_names_command_and_subject(void **state)
{
	(void)state;
	listen();
	cli_message("/dev/shm/x", "full: %d frames committed", 3);
	stop_listening();
	assert_string_equal(said, "shmlog append: /dev/shm/x: full: 3 frames "
	                          "committed\n");
	listen();
	cli_message(NULL, "no subject");
	stop_listening();
	assert_string_equal(said, "shmlog append: no subject\n");
	listen();
	cli_message("", "empty subject");
	stop_listening();
	assert_string_equal(said, "shmlog append: '': empty subject\n");
}

static void test_message_before_a_command_names_the_program(void **state)
{
	(void)state;
	cli_message_command(NULL);
	listen();
	assert_int_equal(cli_usage_error("unknown command %s", "'x'"),
	                 CLI_USAGE);
	stop_listening();
	cli_message_command("append");
	assert_string_equal(said, "shmlog: unknown command 'x'\n"
	                          "Try 'shmlog --help'.\n");
}

static void test_message_keeps_control_bytes_from_the_terminal(void **state)
{
	(void)state;
	listen();
	cli_message("a\nb\x1b[2J", "text\r\xc2\x9b\xe2\x80\xae\xff%s", "\x07");
	stop_listening();
	assert_string_equal(said, "shmlog append: a\\nb\\x1b[2J: "
	                          "text\\r\\u{9b}\\u{202e}\\xff\\x07\n");
}

static void test_message_keeps_errno(void **state)
{
	(void)state;
	listen();
	errno = EXDEV;
	cli_message("x", "y");
	assert_int_equal(errno, EXDEV);
	stop_listening();
}

static void test_huge_message_is_cut_and_marked(void **state)
{
	static char huge[1000001];
	size_t length;

	(void)state;
	memset(huge, '\x01', sizeof(huge) - 1);
	listen();
	cli_message(huge, "%s", huge);
	stop_listening();
	length = strlen(said);
	assert_true(length < 10000);
	assert_string_equal(said + length - 8, "\\x01...\n");
	assert_non_null(strstr(said, "\\x01...: \\x01"));
	assert_ptr_equal(strchr(said, '\n'), said + length - 1);
}

static void test_fail_says_what_and_why_and_gives_the_status(void **state)
{
	(void)state;
	listen();
	assert_int_equal(cli_fail("/x", "cannot open", -ENOENT), CLI_SYSTEM);
	stop_listening();
	assert_string_equal(said, "shmlog append: /x: cannot open: No such "
	                          "file or directory\n");
	listen();
	assert_int_equal(cli_fail("/x", NULL, -EACCES), CLI_SYSTEM);
	stop_listening();
	assert_string_equal(said, "shmlog append: /x: Permission denied\n");
}

static void test_every_status_has_its_exit_status(void **state)
{
	static const struct {
		int status;
		int expected;
	} rows[] = {
		{0, CLI_OK},
		{1, CLI_OK},
		{SHMLOG_ERR_NOT_REGULAR, CLI_NOT_LOG},
		{SHMLOG_ERR_TOO_SHORT, CLI_NOT_LOG},
		{SHMLOG_ERR_NO_HEADER, CLI_NOT_LOG},
		{SHMLOG_ERR_HEADER_SIZE, CLI_NOT_LOG},
		{SHMLOG_ERR_DATA_OFFSET, CLI_NOT_LOG},
		{SHMLOG_ERR_SIZE, CLI_NOT_LOG},
		{SHMLOG_ERR_CURSOR, CLI_NO},
		{SHMLOG_ERR_FRAME_CORRUPT, CLI_NO},
		{SHMLOG_ERR_TORN, CLI_NOT_LOG},
		{SHMLOG_ERR_MAPPING_GONE, CLI_NOT_LOG},
		{SHMLOG_ERR_WENT_BACK, CLI_WRITER},
		{SHMLOG_ERR_REPLACED, CLI_NOT_LOG},
		{SHMLOG_ERR_PAYLOAD_SIZE, CLI_INPUT},
		{SHMLOG_ERR_FULL, CLI_FULL},
		{SHMLOG_ERR_LOCK_TIMEOUT, CLI_WRITER},
		{SHMLOG_ERR_WRITER_ACTIVE, CLI_WRITER},
		{SHMLOG_ERR_INTERFERED, CLI_WRITER},
		{SHMLOG_ERR_IN_DOUBT, CLI_WRITER},
		{SHMLOG_ERR_OVERWRITTEN, CLI_WRITER},
		{SHMLOG_ERR_BAD_FRAMES, CLI_INPUT},
		{SHMLOG_ERR_CAPACITY, CLI_USAGE},
		{-EPERM, CLI_SYSTEM},
		{-ENOSPC, CLI_SYSTEM},
		{-EINTR, CLI_SYSTEM},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(cli_exit_status(rows[i].status),
		                 rows[i].expected);
}

static void test_quote_shows_the_bounds(void **state)
{
	struct cli_quoted quoted;

	(void)state;
	assert_string_equal(cli_quote(&quoted, ""), "''");
	assert_string_equal(cli_quote(&quoted, "a b"), "'a b'");
	assert_string_equal(cli_quote(&quoted, "it's'"), "'it\\'s\\''");
	assert_string_equal(cli_quote_bytes(&quoted, "a\0b\n", 4),
	                    "'a\\x00b\\n'");
	assert_string_equal(cli_quote(&quoted, "gr\xc3\xbc\xc3\x9f"),
	                    "'gr\xc3\xbc\xc3\x9f'");
}

static void test_quote_is_cut_between_characters(void **state)
{
	struct cli_quoted quoted;
	char text[1001];

	(void)state;
	/* Wherever the cut falls, no escape is halved. */
	for (size_t lead = 0; lead < 8; lead++) {
		size_t length;

		memset(text, '\x02', sizeof(text) - 1);
		memset(text, 'x', lead);
		text[sizeof(text) - 1] = '\0';
		length = strlen(cli_quote(&quoted, text));
		assert_true(length < sizeof(quoted.text));
		assert_string_equal(quoted.text + length - 8, "\\x02...'");
	}
	memset(text, '\'', sizeof(text) - 1);
	cli_quote(&quoted, text);
	assert_string_equal(quoted.text + strlen(quoted.text) - 6, "\\'...'");
}

static void describe(const struct shmlog_fault *fault, const char *expected)
{
	struct cli_fault_text text;

	assert_string_equal(cli_describe_fault(&text, fault), expected);
}

static void test_fault_forwards_is_described(void **state)
{
	struct shmlog_fault fault = {.cursor = 12, .available = 900};

	(void)state;
	fault.status = SHMLOG_ERR_CURSOR;
	fault.first_word = 3;
	describe(&fault, "damaged frame at cursor 12: its size word says 3, "
	                 "but no frame has fewer than 4 bytes");
	fault.status = SHMLOG_ERR_FRAME_CORRUPT;
	fault.first_word = 4468;
	fault.second_word = 16705;
	fault.wrapped_payload_bytes = 70000;
	describe(&fault, "damaged frame at cursor 12: its size word says 4468, "
	                 "the one behind it says 16705; looks like a payload "
	                 "of 70000 bytes whose size wrapped");
	fault.wrapped_payload_bytes = 0;
	fault.status = SHMLOG_ERR_TORN;
	describe(&fault, "torn frame at cursor 12: its size word says 4468, "
	                 "but there are only 900 bytes to the end of the "
	                 "committed data");
	fault.available = 1;
	fault.first_word = 0;
	describe(&fault, "torn frame at cursor 12: 1 byte is too few for a "
	                 "size word");
	fault.cursor = UINT64_MAX;
	fault.available = UINT64_MAX;
	fault.first_word = UINT32_MAX;
	fault.second_word = UINT32_MAX;
	fault.wrapped_payload_bytes = UINT64_MAX;
	fault.status = SHMLOG_ERR_FRAME_CORRUPT;
	describe(&fault, "damaged frame at cursor 18446744073709551615: its "
	                 "size word says 4294967295, the one behind it says "
	                 "4294967295; looks like a payload of "
	                 "18446744073709551615 bytes whose size wrapped");
}

static void test_fault_backwards_is_described(void **state)
{
	struct shmlog_fault fault = {
		.cursor = 120, .available = 120, .backwards = true};

	(void)state;
	fault.status = SHMLOG_ERR_CURSOR;
	fault.first_word = 0;
	describe(&fault, "damaged frame that ends at cursor 120: its last size "
	                 "word says 0, but no frame has fewer than 4 bytes");
	fault.first_word = 500;
	describe(&fault, "damaged frame that ends at cursor 120: its last size "
	                 "word says 500, but there are only 120 bytes from the "
	                 "start of the log");
	fault.status = SHMLOG_ERR_FRAME_CORRUPT;
	fault.second_word = 7;
	fault.first_word = 20;
	describe(&fault, "damaged frame that ends at cursor 120: its last size "
	                 "word says 20, its first one says 7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_names_command_and_subject),
		cmocka_unit_test(
			test_message_before_a_command_names_the_program),
		cmocka_unit_test(
			test_message_keeps_control_bytes_from_the_terminal),
		cmocka_unit_test(test_message_keeps_errno),
		cmocka_unit_test(test_huge_message_is_cut_and_marked),
		cmocka_unit_test(
			test_fail_says_what_and_why_and_gives_the_status),
		cmocka_unit_test(test_every_status_has_its_exit_status),
		cmocka_unit_test(test_quote_shows_the_bounds),
		cmocka_unit_test(test_quote_is_cut_between_characters),
		cmocka_unit_test(test_fault_forwards_is_described),
		cmocka_unit_test(test_fault_backwards_is_described),
	};

	cli_message_command("append");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
