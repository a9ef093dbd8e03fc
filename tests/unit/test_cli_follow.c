/*
 * The last look of a follow.  A call returns CLI_NEWS_NONE between two looks,
 * so what these tests do then falls into a moment that no command can be
 * stopped at.  The logs' folder is not there before, so nothing tells the
 * follow of them but its own look, which is not due for another tenth of a
 * second.
 */
#include "support.h"

#include "follow.h"
#include "message.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_PROCESS 2000000000 /* beyond any process id */

static struct cli_follow follow;
static char said[256];

static enum cli_news next(struct cli_batch *batch)
{
	return cli_follow_next(&follow, UINT64_MAX, INT64_MAX, batch);
}

static void begin(void)
{
	cli_message_divert(said, sizeof(said));
	cli_follow_init(&follow, 1);
}

/* The first look finds nothing. */
static void expect_no_news(void)
{
	struct cli_batch batch;
	enum cli_news news;

	while ((news = next(&batch)) == CLI_NEWS_ADDED)
		;
	assert_int_equal(news, CLI_NEWS_NONE);
}

/* What a process makes right before its end. */
static void make_log(const char *folder, const char *path)
{
	struct shmlog *log;
	struct shmlog_writer *writer;

	assert_int_equal(mkdir(folder, 0700), 0);
	expect_status(shmlog_create(path, 4096, 0600, 0), 0);
	log = open_log(path);
	writer = open_writer(log, 0);
	write_frame(writer, "last words", 10);
	shmlog_writer_close(writer);
	shmlog_close(log);
}

/* Follows to the end, which comes once the log was opened and read. */
static void expect_last_words(enum cli_follow_end end)
{
	enum cli_news seen[3] = {CLI_NEWS_NONE, CLI_NEWS_NONE, CLI_NEWS_NONE};
	size_t count = 0;

	while (count < COUNT_OF(seen)) {
		struct cli_batch batch;
		enum cli_news news = next(&batch);

		if (news == CLI_NEWS_NONE || news == CLI_NEWS_ADDED)
			continue;
		if (news == CLI_NEWS_FRAMES) {
			assert_int_equal(batch.count, 1);
			expect_frame(&batch.frames[0], "last words", 10, 0);
		}
		seen[count++] = news;
		if (news != CLI_NEWS_ENDED)
			continue;
		assert_int_equal(batch.end, end);
		break;
	}
	assert_int_equal(seen[0], CLI_NEWS_OPENED);
	assert_int_equal(seen[1], CLI_NEWS_FRAMES);
	assert_int_equal(seen[2], CLI_NEWS_ENDED);
	cli_follow_release(&follow);
	cli_message_divert(NULL, 0);
}

TEST(test_follow_reads_a_log_that_its_process_made_last)
{
	const char *folder = scratch("process");
	const char *path = scratch("process/log");

	begin();
	assert_non_null(cli_follow_add(&follow, path, CLI_FOLLOW_NAME));
	follow.ends.process.pid = NO_PROCESS;
	expect_no_news();
	assert_non_null(strstr(said, "waiting for the log"));
	make_log(folder, path);
	expect_last_words(CLI_END_WRITER_GONE);
}

TEST(test_follow_reads_a_log_that_came_while_it_was_idle)
{
	const char *folder = scratch("idle");
	const char *path = scratch("idle/log");

	begin();
	assert_non_null(cli_follow_add(&follow, path, CLI_FOLLOW_NAME));
	expect_no_news();
	make_log(folder, path);
	follow.ends.idle_ns = 0;
	expect_last_words(CLI_END_IDLE);
}

TEST(test_follow_reads_a_match_that_its_process_made_last)
{
	const char *folder = scratch("match");
	const char *path = scratch("match/log");

	begin();
	assert_true(cli_follow_add_pattern(&follow, scratch("match/l*"),
	                                   CLI_FOLLOW_NAME));
	follow.ends.process.pid = NO_PROCESS;
	expect_no_news();
	make_log(folder, path);
	expect_last_words(CLI_END_WRITER_GONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_follow_reads_a_log_that_its_process_made_last),
		cmocka_unit_test(
			test_follow_reads_a_log_that_came_while_it_was_idle),
		cmocka_unit_test(
			test_follow_reads_a_match_that_its_process_made_last),
	};

	return cmocka_run_group_tests_name("cli_follow", tests, scratch_setup,
	                                   scratch_teardown);
}
