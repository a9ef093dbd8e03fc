/* Readers that show where they are, and who sees it. */
#include "support.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRAMES 40u

/* A process that reads a log as it is told, a command a byte. */
struct peer {
	const char *path;
	unsigned flags;
	int commands[2];
	int answers[2];
	pid_t pid;
};

static void obey(char command, struct shmlog_reader *reader)
{
	struct shmlog_frame frames[64];

	switch (command) {
	case 'n': (void)shmlog_reader_next(reader, frames); break;
	case 'b': (void)shmlog_reader_next_batch(reader, 10, 0, frames); break;
	case 'w': (void)shmlog_reader_wait(reader, 1, 0); break;
	default:
		while (shmlog_reader_next(reader, frames) == 1)
			;
	}
}

static int serve(void *context)
{
	struct peer *peer = context;
	const struct shmlog_reader_options options = {.flags = peer->flags};
	struct shmlog_reader *reader;
	struct shmlog *log;
	char command = 0;

	close(peer->commands[1]);
	if (shmlog_open(peer->path, &log) != 0 ||
	    shmlog_reader_open(log, &options, &reader) != 0)
		return 1;
	do {
		if (command != 0)
			obey(command, reader);
		if (write(peer->answers[1], "", 1) != 1)
			return 2;
	} while (read(peer->commands[0], &command, 1) == 1);
	shmlog_reader_close(reader);
	shmlog_close(log);
	return 0;
}

static void await(const struct peer *peer)
{
	char answer;

	if (read(peer->answers[0], &answer, 1) != 1)
		fail_with("the reader gave up");
}

static void start(struct peer *peer, const char *path, unsigned flags)
{
	*peer = (struct peer){.path = path, .flags = flags};
	assert_int_equal(pipe(peer->commands), 0);
	assert_int_equal(pipe(peer->answers), 0);
	peer->pid = child_start(serve, peer);
	close(peer->commands[0]);
	close(peer->answers[1]);
	await(peer);
}

static void tell(const struct peer *peer, const char *commands)
{
	for (; *commands != '\0'; commands++) {
		assert_int_equal(write(peer->commands[1], commands, 1), 1);
		await(peer);
	}
}

static void stop(struct peer *peer)
{
	close(peer->commands[1]);
	assert_int_equal(child_wait(peer->pid), 0);
	close(peer->answers[0]);
}

/* What was found. */
struct found {
	struct shmlog_follower followers[8];
	unsigned count;
};

static int note(void *context, const struct shmlog_follower *follower)
{
	struct found *found = context;

	if (found->count < COUNT_OF(found->followers))
		found->followers[found->count] = *follower;
	found->count++;
	return 0;
}

static struct found look(const char *path)
{
	struct found found = {.count = 0};
	struct shmlog *log = open_log(path);
	int unseen = shmlog_followers(log, note, &found);

	if (unseen < 0)
		fail_with("shmlog_followers: %s", shmlog_strerror(unseen));
	shmlog_close(log);
	return found;
}

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

/* The position of the peer's place, as anybody can read it: the highest of its
 * descriptors' positions that has a record lock beside it. */
static uint64_t position_in_proc(pid_t pid)
{
	uint64_t position = 0;

	for (int fd = 3; fd < 30; fd++) {
		char path[64];
		char line[256];
		uint64_t here = 0;

		snprintf(path, sizeof(path), "/proc/%ld/fdinfo/%d", (long)pid,
		         fd);
		FILE *info = fopen(path, "re");

		while (info != NULL &&
		       fgets(line, sizeof(line), info) != NULL) {
			(void)sscanf(line, "pos: %" SCNu64, &here);
			if (strstr(line, "OFDLCK") != NULL)
				position = here;
		}
		if (info != NULL)
			fclose(info);
	}
	return position;
}

static void expect_place(const struct peer *peer, uint64_t cursor)
{
	struct found found = look(peer->path);

	assert_int_equal(found.count, 1);
	assert_int_equal(found.followers[0].pid, peer->pid);
	assert_int_equal(found.followers[0].uid, getuid());
	assert_int_equal(found.followers[0].readers, 1);
	assert_int_equal(found.followers[0].cursor, cursor);
	assert_true(found.followers[0].command[0] != '\0');
	assert_int_equal(position_in_proc(peer->pid), 24 + cursor);
}

/* The cursor behind the first `count` frames of a numbered log. */
static uint64_t cursor_behind(unsigned count)
{
	uint64_t cursor = 0;

	for (unsigned i = 0; i < count; i++)
		cursor += strlen(numbered_text(i)) + 4;
	return cursor;
}

TEST(test_follower_is_seen_where_it_came_back_for_more)
{
	static const unsigned kinds[] = {0, SHMLOG_READER_BUFFERED};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		char path[512];
		struct peer peer;

		snprintf(path, sizeof(path), "%s", scratch("seen"));
		write_numbered_log(path, 1 << 16, FRAMES);
		start(&peer, path, kinds[i] | SHMLOG_READER_SHOWN);
		expect_place(&peer, 0);
		/* What was handed out may not be dealt with yet. */
		tell(&peer, "b");
		expect_place(&peer, 0);
		tell(&peer, "b");
		expect_place(&peer, cursor_behind(10));
		tell(&peer, "w");
		expect_place(&peer, cursor_behind(20));
		tell(&peer, "a");
		expect_place(&peer, cursor_behind(FRAMES));
		stop(&peer);
		assert_int_equal(look(path).count, 0);
	}
}

TEST(test_follower_that_is_killed_leaves_nothing)
{
	char path[512];
	struct peer peer;

	snprintf(path, sizeof(path), "%s", scratch("killed"));
	write_numbered_log(path, 1 << 16, FRAMES);
	start(&peer, path, SHMLOG_READER_SHOWN);
	tell(&peer, "aw");
	expect_place(&peer, cursor_behind(FRAMES));
	child_kill(peer.pid);
	assert_int_equal(look(path).count, 0);
	close(peer.commands[1]);
	close(peer.answers[0]);
}

static int read_twice(void *context)
{
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_SHOWN};
	struct shmlog_reader *readers[2];
	struct shmlog_frame frame;
	struct peer *peer = context;
	struct shmlog *log;
	char command;

	close(peer->commands[1]);
	if (shmlog_open(peer->path, &log) != 0)
		return 1;
	for (size_t i = 0; i < 2; i++) {
		if (shmlog_reader_open(log, &options, &readers[i]) != 0)
			return 1;
	}
	while (shmlog_reader_next(readers[0], &frame) == 1)
		;
	(void)shmlog_reader_next(readers[1], &frame);
	(void)shmlog_reader_next_batch(readers[1], 1, 0, &frame);
	if (write(peer->answers[1], "", 1) != 1)
		return 2;
	return read(peer->commands[0], &command, 1) == 0 ? 0 : 3;
}

TEST(test_follower_with_several_readers_is_seen_where_the_last_of_them_is)
{
	char path[512];
	struct peer peer = {.path = path};

	snprintf(path, sizeof(path), "%s", scratch("several"));
	write_numbered_log(path, 1 << 16, FRAMES);
	assert_int_equal(pipe(peer.commands), 0);
	assert_int_equal(pipe(peer.answers), 0);
	peer.pid = child_start(read_twice, &peer);
	close(peer.commands[0]);
	close(peer.answers[1]);
	await(&peer);

	struct found found = look(path);

	assert_int_equal(found.count, 1);
	assert_int_equal(found.followers[0].readers, 2);
	assert_int_equal(found.followers[0].cursor, cursor_behind(1));
	stop(&peer);
}

TEST(test_followers_are_told_from_readers_that_show_nothing)
{
	char path[512];
	struct peer plain, shown;

	snprintf(path, sizeof(path), "%s", scratch("plain"));
	write_numbered_log(path, 1 << 16, FRAMES);
	start(&plain, path, SHMLOG_READER_BUFFERED);
	tell(&plain, "aw");
	assert_int_equal(look(path).count, 0);
	start(&shown, path, SHMLOG_READER_SHOWN);
	tell(&shown, "aw");
	expect_place(&shown, cursor_behind(FRAMES));
	/* The later one has the pipe of the other one as well. */
	stop(&shown);
	stop(&plain);
}

/* A place is no writer's and no appender's. */
TEST(test_follower_is_in_nobodys_way)
{
	char path[512];
	struct peer peer;

	snprintf(path, sizeof(path), "%s", scratch("way"));
	write_numbered_log(path, 1 << 16, FRAMES);
	start(&peer, path, SHMLOG_READER_SHOWN);
	struct shmlog *log = open_log(path);

	expect_status(append_payload(log, "x", 1, 0), 0);
	shmlog_writer_close(open_writer(log, 0));
	expect_status(shmlog_grow(log, 1 << 17, NULL), 0);
	expect_status(shmlog_rotate(log, NULL, NULL), 0);
	shmlog_close(log);
	stop(&peer);
}

#else

TEST(test_followers_are_not_seen_where_the_system_has_no_such_list)
{
	const char *path = scratch("portable");
	struct found found = {.count = 0};
	struct peer peer;

	write_numbered_log(path, 1 << 16, FRAMES);
	start(&peer, path, SHMLOG_READER_SHOWN);
	tell(&peer, "baw");
	struct shmlog *log = open_log(path);

	expect_status(shmlog_followers(log, note, &found), -ENOTSUP);
	shmlog_close(log);
	stop(&peer);
	(void)look;
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#if defined(__linux__) && !defined(SHMLOG_PORTABLE)
		cmocka_unit_test(
			test_follower_is_seen_where_it_came_back_for_more),
		cmocka_unit_test(test_follower_that_is_killed_leaves_nothing),
		cmocka_unit_test(
			test_follower_with_several_readers_is_seen_where_the_last_of_them_is),
		cmocka_unit_test(
			test_followers_are_told_from_readers_that_show_nothing),
		cmocka_unit_test(test_follower_is_in_nobodys_way),
#else
		cmocka_unit_test(
			test_followers_are_not_seen_where_the_system_has_no_such_list),
#endif
	};

	return cmocka_run_group_tests_name("followers", tests, scratch_setup,
	                                   scratch_teardown);
}
