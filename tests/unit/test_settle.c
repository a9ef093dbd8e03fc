/*
 * What has become of frames that were published while a writer that takes no
 * lock had the log open: each state that it may leave behind, built by hand.
 */
#include "support.h"

#include "settle.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* One frame is committed, then three of ours, 11 bytes each, were. */
#define START 35u
#define LENGTH 33u
#define END (START + LENGTH)

/* A log after a writer has been there, and what settling says of it. */
struct scene {
	const char *name;
	const char *theirs[4]; /* payloads stored where ours were, in order */
	uint64_t size;         /* as it is now */
	int status;
	uint64_t from, end; /* what of ours is missing; none: 0, 0 */
	bool mended;        /* our bytes are all there afterwards */
	uint64_t size_after;
};

static const struct scene scenes[] = {
	{.name = "all there", .size = END, .mended = true, .size_after = END},
	{.name = "size inside of ours",
         .size = START + 5,
         .mended = true,
         .size_after = END},
	{.name = "size between two of ours",
         .size = START + 22,
         .mended = true,
         .size_after = END},
	{.name = "overwritten by as many of the same size",
         .theirs = {"theirs0", "theirs1", "theirs2"},
         .size = END,
         .status = SHMLOG_ERR_OVERWRITTEN,
         .end = LENGTH,
         .size_after = END},
	{.name = "overwritten by a shorter one",
         .theirs = {"short"},
         .size = START + 9,
         .status = SHMLOG_ERR_OVERWRITTEN,
         .end = LENGTH,
         .size_after = START + 9},
	{.name = "overwritten by more than there was",
         .theirs = {"a longer one", "and another", "and a third"},
         .size = START + 16 + 15 + 15,
         .status = SHMLOG_ERR_OVERWRITTEN,
         .end = LENGTH,
         .size_after = START + 46},
	{.name = "the first one overwritten, the others left",
         .theirs = {"theirs0"},
         .size = END,
         .status = SHMLOG_ERR_OVERWRITTEN,
         .end = 11,
         .size_after = END},
	{.name = "the first two made one",
         .theirs = {"eighteen bytes of."},
         .size = END,
         .status = SHMLOG_ERR_OVERWRITTEN,
         .end = 22,
         .size_after = END},
	{.name = "the first one left, the others not",
         .theirs = {"frame 1", "theirs1", "theirs2"},
         .size = START + 11,
         .status = SHMLOG_ERR_OVERWRITTEN,
         .from = 11,
         .end = LENGTH,
         .size_after = START + 11},
	{.name = "stored, not committed, and the chain broken",
         .theirs = {"short"},
         .size = END,
         .mended = true,
         .size_after = END},
	{.name = "committed across ours, and the chain broken",
         .theirs = {"short"},
         .size = START + 20,
         .status = SHMLOG_ERR_FRAME_CORRUPT,
         .size_after = START + 20},
	{.name = "torn behind ours",
         .size = END + 6,
         .status = SHMLOG_ERR_FRAME_CORRUPT,
         .mended = true,
         .size_after = END + 6},
	{.name = "size below ours",
         .size = 24,
         .status = SHMLOG_ERR_WENT_BACK,
         .mended = true,
         .size_after = 24},
};

static void write_scene(const struct scene *scene, const char *path)
{
	struct raw_log raw;

	write_numbered_log(path, 4096, 4);
	raw_init(&raw, 4096);
	raw_append_text(&raw, numbered_text(0));
	for (size_t i = 0; i < 4 && scene->theirs[i] != NULL; i++)
		raw_append_text(&raw, scene->theirs[i]);
	file_put(path, START, raw.bytes + START, (size_t)(raw.size - START));
	file_put64(path, 16, scene->size);
	raw_free(&raw);
}

/* Our frames, in a file too. */
static void make_ours(unsigned char ours[LENGTH], const char *path)
{
	size_t at = 0;

	for (unsigned i = 1; i <= 3; i++)
		at += shmlog_frame_encode(ours + at, numbered_text(i), 7);
	assert_int_equal(at, LENGTH);
	close(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
	file_put(path, 0, ours, LENGTH);
}

static void play(const struct scene *scene, bool from_file)
{
	const struct shmlog_access_terms terms = {.lock_timeout_ns = -1};
	const char *path = scratch("scene");
	const char *ours_path = scratch("ours");
	unsigned char ours[LENGTH];
	struct shmlog_window window;
	struct shmlog_write_access access;

	make_ours(ours, ours_path);
	write_scene(scene, path);
	struct shmlog *log = open_log(path);
	int fd = open(ours_path, O_RDONLY);
	struct shmlog_commit commit = {
		.access = &access,
		.source = {.bytes = from_file ? NULL : ours,
	                   .window = &window,
	                   .end = LENGTH},
		.at = START,
	};

	assert_int_equal(shmlog_window_init(&window, fd, 0, 65536), 0);
	expect_status(shmlog_access_acquire_unchecked(log, &terms, &access), 0);
	int status = shmlog_settle(&commit);

	shmlog_access_release(&access);
	if (status == SHMLOG_ERR_TORN)
		status = SHMLOG_ERR_FRAME_CORRUPT;
	if (status != scene->status)
		fail_with("%s: status %d", scene->name, status);
	if (status == SHMLOG_ERR_OVERWRITTEN &&
	    (commit.source.from != scene->from ||
	     commit.source.end != scene->end ||
	     commit.at != START + scene->from))
		fail_with("%s: missing from %d to %d", scene->name,
		          (int)commit.source.from, (int)commit.source.end);

	size_t length;
	unsigned char *bytes = file_bytes(path, &length);

	if (file_get64(path, 16) != scene->size_after)
		fail_with("%s: size is %d", scene->name,
		          (int)file_get64(path, 16));
	if (scene->mended != (memcmp(bytes + START, ours, LENGTH) == 0))
		fail_with("%s: the bytes are not as they should be",
		          scene->name);
	free(bytes);
	close(fd);
	shmlog_window_release(&window);
	shmlog_close(log);
}

TEST(test_settle_tells_every_state_that_a_writer_may_leave)
{
	for (size_t i = 0; i < COUNT_OF(scenes); i++) {
		play(&scenes[i], false);
		play(&scenes[i], true);
	}
}

TEST(test_settle_finds_frames_in_doubt_while_the_writer_is_there)
{
	const struct shmlog_access_terms terms = {.lock_timeout_ns = -1,
	                                          .force = true};
	const struct scene all_there = {.size = END};
	const char *path = scratch("doubt");
	unsigned char ours[LENGTH];
	struct shmlog_write_access access;
	struct plain_writer other;

	if (!plain_writers_are_visible())
		skip();
	make_ours(ours, scratch("ours"));
	write_scene(&all_there, path);
	plain_writer_start(&other, path);
	struct shmlog *log = open_log(path);
	struct shmlog_commit commit = {
		.access = &access,
		.source = {.bytes = ours, .end = LENGTH},
		.at = START,
	};

	expect_status(shmlog_access_acquire_unchecked(log, &terms, &access), 0);
	expect_status(shmlog_settle(&commit), SHMLOG_ERR_IN_DOUBT);
	plain_writer_stop(&other);
	expect_status(shmlog_settle(&commit), 0);
	shmlog_access_release(&access);
	shmlog_close(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_settle_tells_every_state_that_a_writer_may_leave),
		cmocka_unit_test(
			test_settle_finds_frames_in_doubt_while_the_writer_is_there),
	};

	return cmocka_run_group_tests_name("settle", tests, scratch_setup,
	                                   scratch_teardown);
}
