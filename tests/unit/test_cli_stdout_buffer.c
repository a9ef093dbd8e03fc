/* Buffered output: every byte leaves in order, or the failure is told. */
#include "support.h"

#include "blocking.h"
#include "command.h"
#include "message.h"
#include "signals.h"
#include "stdout_buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#define LARGE_BYTES ((size_t)3 << 20)

/* Bytes that tell their place. */
static unsigned char *pattern(size_t size_bytes)
{
	unsigned char *bytes = malloc(size_bytes);

	assert_non_null(bytes);
	for (size_t i = 0; i < size_bytes; i++)
		bytes[i] = (unsigned char)(i * 2654435761u >> 13);
	return bytes;
}

/* An output to a file that is removed already. */
static void open_file(struct cli_output *output)
{
	const char *path = scratch("output");
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(cli_output_init(output, fd), 0);
}

/* Flushes, compares what is in the file, and closes it. */
static void expect_output(struct cli_output *output, const void *bytes,
                          size_t size_bytes)
{
	unsigned char *found = malloc(size_bytes + 1);

	assert_int_equal(cli_output_flush(output), 0);
	assert_int_equal(pread(output->fd, found, size_bytes + 1, 0),
	                 size_bytes);
	assert_memory_equal(found, bytes, size_bytes);
	free(found);
	close(output->fd);
	cli_output_release(output);
}

TEST(test_output_keeps_order_whatever_the_pieces)
{
	unsigned char *bytes = pattern(LARGE_BYTES);
	struct chance chance = chance_start("pieces", 1);
	struct cli_output output;
	size_t at = 0;

	open_file(&output);
	while (at < LARGE_BYTES) {
		size_t piece = (size_t)chance_below(
			&chance, chance_below(&chance, 4) == 0 ? 700000 : 300);
		unsigned char *room;

		if (piece > LARGE_BYTES - at)
			piece = LARGE_BYTES - at;
		if (chance_below(&chance, 2) == 0) {
			cli_output_bytes(&output, bytes + at, piece);
		} else {
			room = cli_output_reserve(&output, piece + 99);
			assert_non_null(room);
			memcpy(room, bytes + at, piece);
			cli_output_advance(&output, piece);
		}
		at += piece;
	}
	expect_output(&output, bytes, LARGE_BYTES);
	free(bytes);
}

TEST(test_output_reserves_its_whole_capacity)
{
	struct cli_output output;
	unsigned char *room;
	size_t capacity;

	open_file(&output);
	capacity = output.capacity;
	cli_output_string(&output, "before");
	room = cli_output_reserve(&output, capacity);
	assert_non_null(room);
	memset(room, 'x', capacity);
	assert_null(cli_output_reserve(&output, capacity + 1));
	expect_output(&output, "before", 6);
}

TEST(test_output_writes_numbers_and_formats)
{
	static const char want[] =
		"0 18446744073709551615 9007199254740993 x=007 end";
	struct cli_output output;

	open_file(&output);
	cli_output_u64(&output, 0);
	cli_output_string(&output, " ");
	cli_output_u64(&output, UINT64_MAX);
	cli_output_format(&output, " %llu %c=%03d %s", 9007199254740993ull, 'x',
	                  7, "end");
	cli_output_bytes(&output, NULL, 0);
	expect_output(&output, want, sizeof(want) - 1);
}

TEST(test_output_failure_sticks)
{
	struct cli_output output;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(cli_output_init(&output, fd), 0);
	cli_output_string(&output, "lost");
	assert_int_equal(cli_output_flush(&output), -EBADF);
	assert_null(cli_output_reserve(&output, 1));
	cli_output_string(&output, "also lost");
	cli_output_u64(&output, 1);
	cli_output_format(&output, "%d", 1);
	assert_int_equal(cli_output_flush(&output), -EBADF);
	assert_int_equal(output.error, EBADF);
	cli_output_release(&output);
	close(fd);
}

/* ------------------------------------------------------------------- pipes */

/* Reads a pipe to its end in small pieces, slowly at first, and exits with 0
 * if it found the pattern. */
static int read_pattern(void *context)
{
	const int *pipe_ends = context;
	unsigned char *bytes = malloc(LARGE_BYTES + 1);
	size_t used = 0;
	ssize_t result;

	close(pipe_ends[1]);
	sleep_ns(MILLISECONDS(50));
	do {
		size_t room = LARGE_BYTES + 1 - used;

		result = read(pipe_ends[0], bytes + used,
		              room < 1000 ? room : 1000);
		if (result > 0)
			used += (size_t)result;
	} while (result > 0 && used <= LARGE_BYTES);
	if (used != LARGE_BYTES)
		return 1;
	for (size_t i = 0; i < used; i++) {
		if (bytes[i] != (unsigned char)(i * 2654435761u >> 13))
			return 2;
	}
	return 0;
}

TEST(test_output_waits_for_a_pipe_that_is_not_blocking)
{
	unsigned char *bytes = pattern(LARGE_BYTES);
	struct cli_output output;
	int ends[2];
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = child_start(read_pattern, ends);
	close(ends[0]);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(cli_output_init(&output, ends[1]), 0);
	cli_output_bytes(&output, bytes, LARGE_BYTES);
	assert_int_equal(cli_output_flush(&output), 0);
	cli_output_release(&output);
	close(ends[1]);
	assert_int_equal(child_wait(child), 0);
	free(bytes);
}

/* ------------------------------------------------ who takes nothing or much */

struct ending {
	int64_t after_ns;
	int64_t longest_ns; /* that it was told of */
};

static bool give_up(void *context, int64_t stalled_ns)
{
	struct ending *ending = context;

	ending->longest_ns = stalled_ns;
	return stalled_ns >= ending->after_ns;
}

static void expect_given_up(int flags, size_t filled)
{
	struct ending ending = {.after_ns = MILLISECONDS(120)};
	unsigned char *bytes = pattern(LARGE_BYTES);
	unsigned char *found = malloc(LARGE_BYTES);
	struct cli_output output;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], bytes, filled), filled);
	assert_int_equal(fcntl(ends[1], F_SETFL, flags), 0);
	assert_int_equal(cli_output_init(&output, ends[1]), 0);
	output.gives_up = give_up;
	output.context = &ending;
	cli_output_bytes(&output, bytes, LARGE_BYTES);
	assert_int_equal(cli_output_flush(&output), -ECANCELED);
	assert_true(cli_output_gave_up(&output));
	assert_true(ending.longest_ns >= ending.after_ns);
	/* It knows exactly how much has left it. */
	assert_int_equal(read(ends[0], found, LARGE_BYTES),
	                 filled + output.written);
	assert_memory_equal(found + filled, bytes, output.written);
	assert_int_equal(cli_output_finish(&output, 42), 42);
	close(ends[0]);
	close(ends[1]);
	free(found);
	free(bytes);
}

TEST(test_output_gives_up_a_reader_that_takes_nothing)
{
	expect_given_up(0, 0);
	expect_given_up(0, 65536);
	expect_given_up(O_NONBLOCK, 1000);
}

#ifdef F_GETPIPE_SZ
static void drain(int fd, size_t size_bytes)
{
	static unsigned char bytes[65536];

	while (size_bytes > 0) {
		ssize_t got = read(fd, bytes,
		                   size_bytes < sizeof(bytes) ? size_bytes
		                                              : sizeof(bytes));

		assert_true(got > 0);
		size_bytes -= (size_t)got;
	}
}

#if defined(RWF_NOWAIT) && !defined(SHMLOG_PORTABLE)
/* Whether the timer was made that cuts a write which waits. */
static bool has_timer(void)
{
	struct sigaction action;

	sigaction(SIGURG, NULL, &action);
	return action.sa_handler != SIG_DFL;
}

/* Small writes into a pipe, up to one that finds no room: 0, or the step that
 * went wrong. */
static int fill_pipe(void *context)
{
	static const char bytes[4096];
	int *fds = context;
	ssize_t put, written = 0;

	for (int i = 0; i < 3; i++)
		written += cli_write_briefly(fds[1], "small", 5);
	if (written != 15 || has_timer())
		return 1;
	while ((put = cli_write_briefly(fds[1], bytes, sizeof(bytes))) > 0)
		written += put;
	if (put != -1 || errno != EINTR || written < 15 + 4096)
		return 2;
	return has_timer() ? 0 : 3;
}

TEST(test_output_needs_a_timer_only_where_there_is_no_room)
{
	struct iovec piece = {.iov_base = "x", .iov_len = 1};
	char byte;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	if (pwritev2(fds[1], &piece, 1, -1, RWF_NOWAIT) != 1)
		skip(); /* an older system */
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(child_wait(child_start(fill_pipe, fds)), 0);
	close(fds[0]);
	close(fds[1]);
}
#endif

/* A reader of all of it, until it is killed. */
static int read_on(void *context)
{
	const int *pipe_ends = context;
	static unsigned char bytes[65536];

	while (read(pipe_ends[0], bytes, sizeof(bytes)) >= 0)
		continue;
	return 1;
}

TEST(test_output_borrows_a_large_pipe_for_bulk_alone)
{
	unsigned char *bytes = pattern(LARGE_BYTES);
	struct cli_output output;
	int ends[2];

	assert_int_equal(pipe(ends), 0);

	int size = fcntl(ends[1], F_GETPIPE_SZ);

	assert_int_equal(cli_output_init(&output, ends[1]), 0);
	for (int i = 0; i < 100; i++) {
		cli_output_bytes(&output, bytes, 50000);
		assert_int_equal(cli_output_flush(&output), 0);
		drain(ends[0], 50000);
	}
	assert_int_equal(fcntl(ends[1], F_GETPIPE_SZ), size);

	pid_t reader = child_start(read_on, ends);

	cli_output_bytes(&output, bytes, LARGE_BYTES);
	assert_int_equal(cli_output_flush(&output), 0);
	/* Unless the user has no more of that memory. */
	if (output.pipe_bytes != 0)
		assert_true(fcntl(ends[1], F_GETPIPE_SZ) > size);
	for (int i = 0; i < 1000 && output.pipe_bytes != 0; i++) {
		cli_output_rest(&output);
		sleep_ns(MILLISECONDS(10));
	}
	assert_int_equal(fcntl(ends[1], F_GETPIPE_SZ), size);
	child_kill(reader);
	cli_output_release(&output);
	close(ends[0]);
	close(ends[1]);
	free(bytes);
}
#endif

TEST(test_output_knows_a_pipe_that_nobody_reads)
{
	struct cli_output output;
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(cli_output_init(&output, ends[1]), 0);
	assert_false(cli_output_is_closed(&output));
	close(ends[0]);
	assert_true(cli_output_is_closed(&output));
	cli_output_string(&output, "x");
	assert_int_equal(cli_output_flush(&output), -EPIPE);
	cli_output_release(&output);
	close(ends[1]);
	signal(SIGPIPE, SIG_DFL);
}

TEST(test_output_to_a_file_is_never_closed)
{
	struct cli_output output;

	open_file(&output);
	assert_false(cli_output_is_closed(&output));
	expect_output(&output, "", 0);
}

/* ------------------------------------------------------------------ finish */

struct finish {
	int status;
	bool fails;  /* the descriptor takes no bytes */
	bool closed; /* nobody reads the pipe */
};

/* In a child, for messages and signals; the exit status is the result. */
static int finish_in_child(void *context)
{
	const struct finish *finish = context;
	const struct rlimit no_core = {0, 0};
	struct cli_output output;
	int ends[2];
	int fd;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	cli_signals_catch();
	close(STDERR_FILENO);
	fd = open("/dev/null", finish->fails ? O_RDONLY : O_WRONLY);
	if (finish->closed) {
		if (pipe(ends) != 0)
			return 100;
		close(ends[0]);
		fd = ends[1];
	}
	if (cli_output_init(&output, fd) != 0)
		return 101;
	cli_output_string(&output, "text");
	return cli_output_finish(&output, finish->status);
}

static int finish(int status, bool fails, bool closed)
{
	struct finish context = {status, fails, closed};

	return child_wait(child_start(finish_in_child, &context));
}

TEST(test_output_finish_tells_the_truth_about_what_was_written)
{
	assert_int_equal(finish(CLI_OK, false, false), CLI_OK);
	assert_int_equal(finish(CLI_NO, false, false), CLI_NO);
	assert_int_equal(finish(CLI_OK, true, false), CLI_SYSTEM);
	assert_int_equal(finish(CLI_NO, true, false), CLI_SYSTEM);
	assert_int_equal(finish(CLI_FULL, true, false), CLI_FULL);
	assert_int_equal(finish(CLI_OK, false, true), -SIGPIPE);
	assert_int_equal(finish(CLI_NO, false, true), -SIGPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#if defined(RWF_NOWAIT) && !defined(SHMLOG_PORTABLE)
		/* The first: another one may make the timer. */
		cmocka_unit_test(
			test_output_needs_a_timer_only_where_there_is_no_room),
#endif
		cmocka_unit_test(test_output_keeps_order_whatever_the_pieces),
		cmocka_unit_test(test_output_reserves_its_whole_capacity),
		cmocka_unit_test(test_output_writes_numbers_and_formats),
		cmocka_unit_test(test_output_failure_sticks),
		cmocka_unit_test(
			test_output_waits_for_a_pipe_that_is_not_blocking),
		cmocka_unit_test(
			test_output_gives_up_a_reader_that_takes_nothing),
#ifdef F_GETPIPE_SZ
		cmocka_unit_test(
			test_output_borrows_a_large_pipe_for_bulk_alone),
#endif
		cmocka_unit_test(test_output_knows_a_pipe_that_nobody_reads),
		cmocka_unit_test(test_output_to_a_file_is_never_closed),
		cmocka_unit_test(
			test_output_finish_tells_the_truth_about_what_was_written),
	};

	return cmocka_run_group_tests_name("cli_output", tests, scratch_setup,
	                                   scratch_teardown);
}
