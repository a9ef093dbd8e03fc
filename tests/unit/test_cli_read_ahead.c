/* A file that is read ahead gives its bytes in order, whatever is left over of
 * each read, and its offset is behind those that were taken. */
#include "support.h"

#include "helper_thread.h"
#include "read_ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES ((size_t)5 << 20)
#define READ_BYTES 65536u
#define LEFT_MAX 5000u

static unsigned char *content;

/* The file, open at an offset. */
static int open_file(const char *path, int flags, off_t at)
{
	int fd = open(path, flags | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(lseek(fd, at, SEEK_SET), at);
	return fd;
}

static const char *make_file(size_t bytes)
{
	const char *path = scratch("input");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, bytes), bytes);
	close(fd);
	return path;
}

static struct cli_read_ahead *begin(int fd)
{
	struct cli_read_ahead *ahead = cli_read_ahead_begin(fd, READ_BYTES,
	                                                    LEFT_MAX);

	if (ahead == NULL && !cli_has_processors())
		skip();
	assert_non_null(ahead);
	return ahead;
}

TEST(test_bytes_come_in_order_behind_what_is_left_over)
{
	struct chance chance = chance_start("leftovers", 7);
	const char *path = make_file(FILE_BYTES);

	for (int round = 0; round < 20; round++) {
		size_t at = (size_t)chance_below(&chance, 1000);
		int fd = open_file(path, O_RDONLY, (off_t)at);
		struct cli_read_ahead *ahead = begin(fd);
		unsigned char *buffer = NULL;
		size_t left = 0, used = 0;
		ssize_t got;

		/* `at` is where the file is read, `left` bytes are behind. */
		while ((got = cli_read_ahead_next(ahead, buffer + used, left,
		                                  &buffer)) > 0) {
			assert_memory_equal(buffer, content + at - left,
			                    left + (size_t)got);
			at += (size_t)got;
			assert_int_equal(lseek(fd, 0, SEEK_CUR), at);
			used = left + (size_t)got;
			left = (size_t)chance_below(&chance, LEFT_MAX + 1);
			if (left > used)
				left = used;
			used -= left;
		}
		assert_int_equal(got, 0);
		assert_int_equal(at, FILE_BYTES);
		/* The end comes again. */
		assert_int_equal(
			cli_read_ahead_next(ahead, buffer, left, &buffer), 0);
		assert_memory_equal(buffer, content + at - left, left);
		cli_read_ahead_end(ahead);
		close(fd);
	}
}

TEST(test_file_is_read_on_where_it_was_ended)
{
	int fd = open_file(make_file(FILE_BYTES), O_RDONLY, 0);
	struct cli_read_ahead *ahead = begin(fd);
	unsigned char *buffer, byte;
	ssize_t first = cli_read_ahead_next(ahead, NULL, 0, &buffer);
	ssize_t second = cli_read_ahead_next(ahead, buffer, 10, &buffer);

	assert_int_equal(first, READ_BYTES);
	assert_int_equal(second, READ_BYTES);
	cli_read_ahead_end(ahead);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(byte, content[first + second]);
	close(fd);
	cli_read_ahead_end(NULL);
}

TEST(test_end_of_a_file_that_is_cut_is_its_new_end)
{
	const char *path = make_file(FILE_BYTES);
	int fd = open_file(path, O_RDONLY, 0);
	struct cli_read_ahead *ahead = begin(fd);
	unsigned char *buffer;
	size_t at = 0;
	ssize_t got;

	/* More than can be read ahead stays. */
	file_truncate(path, 20 * READ_BYTES + 100);
	while ((got = cli_read_ahead_next(ahead, NULL, 0, &buffer)) > 0) {
		assert_memory_equal(buffer, content + at, (size_t)got);
		at += (size_t)got;
	}
	assert_int_equal(got, 0);
	assert_int_equal(at, 20 * READ_BYTES + 100);
	cli_read_ahead_end(ahead);
	close(fd);
}

TEST(test_error_comes_where_the_bytes_would)
{
	int fd = open_file(make_file(FILE_BYTES), O_WRONLY, 0);
	struct cli_read_ahead *ahead = begin(fd);
	unsigned char *buffer;

	for (int i = 0; i < 2; i++)
		assert_int_equal(
			cli_read_ahead_next(ahead, content, 100, &buffer),
			-EBADF);
	assert_memory_equal(buffer, content, 100);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	cli_read_ahead_end(ahead);
	close(fd);
}

TEST(test_little_and_what_is_no_file_is_not_read_ahead)
{
	const char *path = make_file(FILE_BYTES);
	int fd = open_file(path, O_RDONLY, FILE_BYTES - 1000);
	int ends[2];

	assert_null(cli_read_ahead_begin(fd, READ_BYTES, LEFT_MAX));
	close(fd);
	assert_int_equal(pipe(ends), 0);
	assert_null(cli_read_ahead_begin(ends[0], READ_BYTES, LEFT_MAX));
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_bytes_come_in_order_behind_what_is_left_over),
		cmocka_unit_test(test_file_is_read_on_where_it_was_ended),
		cmocka_unit_test(test_end_of_a_file_that_is_cut_is_its_new_end),
		cmocka_unit_test(test_error_comes_where_the_bytes_would),
		cmocka_unit_test(
			test_little_and_what_is_no_file_is_not_read_ahead),
	};
	struct chance chance = chance_start("content", 9);

	content = malloc(FILE_BYTES);
	if (content == NULL)
		return 1;
	for (size_t i = 0; i < FILE_BYTES; i++)
		content[i] = (unsigned char)chance_below(&chance, 256);
	int failed = cmocka_run_group_tests(tests, scratch_setup,
	                                    scratch_teardown);

	free(content);
	return failed;
}
