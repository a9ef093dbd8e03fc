/* Telling a log from another file, and finding who holds many of them. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Looks at a file by its name. */
static int look_at(const char *path, struct shmlog_look *look_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail_with("%s: %s", path, strerror(errno));
	int status = shmlog_look(fd, look_out);

	close(fd);
	return status;
}

static const char *const goldens[] = {"empty",      "json",         "binary",
                                      "full",       "odd-capacity", "bendec",
                                      "uncommitted"};

TEST(test_look_takes_every_golden_log_for_one)
{
	for (size_t i = 0; i < COUNT_OF(goldens); i++) {
		struct shmlog_look look;
		char path[256];

		snprintf(path, sizeof(path), "%s/%s.shm", TEST_FIXTURES,
		         goldens[i]);
		expect_status(look_at(path, &look), 0);
		assert_int_equal(look.header.capacity, file_length(path));
		assert_int_equal(look.header.size, file_get64(path, 16));
		expect_status(look.first_frame, 0);
		expect_status(look.last_frame, 0);
	}
}

/* A first frame that reaches beyond what is read at once, and frames that share
 * no page. */
TEST(test_look_sees_ends_that_are_far_apart)
{
	const char *path = scratch("far");
	struct shmlog_look look;
	struct raw_log raw;

	raw_init_at(&raw, 1 << 20, 5000);
	raw_append_fill(&raw, 'a', 65531);
	raw_append_fill(&raw, 'b', 300000 % 65532);
	raw_append_fill(&raw, 'c', 9000);
	raw_write(&raw, path);
	expect_status(look_at(path, &look), 0);
	expect_status(look.first_frame, 0);
	expect_status(look.last_frame, 0);
	raw_put16(&raw, 5000 + 65533, 1);
	raw_write(&raw, path);
	expect_status(look_at(path, &look), 0);
	expect_status(look.first_frame, SHMLOG_ERR_FRAME_CORRUPT);
	raw_free(&raw);
}

/* Whether one end or both are broken, and what is wrong there. */
TEST(test_look_tells_which_end_is_broken)
{
	const char *path = scratch("ends");
	struct shmlog_look look;
	struct raw_log raw;

	raw_init(&raw, 4096);
	raw_append_text(&raw, "one");
	raw_append_text(&raw, "two");
	raw_append_text(&raw, "three");
	raw_put16(&raw, 24, 3);
	raw_write(&raw, path);
	expect_status(look_at(path, &look), 0);
	expect_status(look.first_frame, SHMLOG_ERR_CURSOR);
	expect_status(look.last_frame, 0);
	raw_put16(&raw, 24, 60000);
	raw_write(&raw, path);
	expect_status(look_at(path, &look), 0);
	expect_status(look.first_frame, SHMLOG_ERR_TORN);
	raw_put16(&raw, 24, 7);
	raw_put16(&raw, raw.size - 2, 8);
	raw_write(&raw, path);
	expect_status(look_at(path, &look), 0);
	expect_status(look.first_frame, 0);
	expect_status(look.last_frame, SHMLOG_ERR_TORN);
	raw_put16(&raw, 24 + 5, 8);
	raw_write(&raw, path);
	expect_status(look_at(path, &look), SHMLOG_ERR_FRAME_CORRUPT);
	for (uint64_t size = 25; size < 28; size++) {
		raw_set_size(&raw, size);
		raw_write(&raw, path);
		expect_status(look_at(path, &look), SHMLOG_ERR_TORN);
	}
	raw_free(&raw);
}

TEST(test_look_refuses_what_is_no_log)
{
	const char *path = scratch("other");
	struct shmlog_look look;
	struct raw_log raw;

	close(open(path, O_CREAT | O_WRONLY, 0600));
	file_put(path, 0, "#!/bin/sh\n", 10);
	expect_status(look_at(path, &look), SHMLOG_ERR_TOO_SHORT);
	expect_status(look_at(TEST_FIXTURES "/manifest.json", &look),
	              SHMLOG_ERR_HEADER_SIZE);
	expect_status(look_at(TEST_FIXTURES, &look), SHMLOG_ERR_NOT_REGULAR);
	expect_status(look_at("/dev/null", &look), SHMLOG_ERR_NOT_REGULAR);
	expect_status(shmlog_look(-1, &look), -EBADF);
	raw_init(&raw, 4096);
	raw_put64(&raw, 0, 25);
	raw_write(&raw, path);
	expect_status(look_at(path, &look), SHMLOG_ERR_HEADER_SIZE);
	assert_int_equal(look.header.header_size, 25);
	raw_put64(&raw, 0, 0);
	raw_put64(&raw, 8, 0);
	raw_put64(&raw, 16, 0);
	raw_write(&raw, path);
	expect_status(look_at(path, &look), SHMLOG_ERR_NO_HEADER);
	raw_free(&raw);
}

/* Every length that a log could be cut to. */
TEST(test_look_reads_no_cut_log_beyond_its_end)
{
	const char *path = scratch("cut");
	struct shmlog_look look;

	write_numbered_log(path, 200, 5);
	for (uint64_t length = 199; length > 0; length--) {
		uint64_t size = file_get64(path, 16);

		file_truncate(path, length);
		expect_status(look_at(path, &look),
		              length < 24     ? SHMLOG_ERR_TOO_SHORT
		              : length < size ? SHMLOG_ERR_SIZE
		                              : 0);
		if (length == 24)
			break;
	}
}

/* ---------------------------------------------------------------- holders */

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

#define LOGS 20u

struct holds {
	struct stat files[LOGS];
	unsigned readers[LOGS];
	unsigned writers[LOGS];
	unsigned unnamed;
	char path[128];
};

static bool wants(void *context, const struct shmlog_held_file *file)
{
	const struct holds *holds = context;

	for (unsigned i = 0; i < LOGS; i++) {
		if (holds->files[i].st_ino == file->inode &&
		    holds->files[i].st_dev == file->device)
			return true;
	}
	return false;
}

static int note(void *context, const struct shmlog_hold *hold)
{
	struct holds *holds = context;

	for (unsigned i = 0; i < LOGS; i++) {
		if (holds->files[i].st_ino != hold->file.inode)
			continue;
		*(hold->process->writes ? &holds->writers[i]
		                        : &holds->readers[i]) += 1;
	}
	holds->unnamed += !hold->file.named;
	snprintf(holds->path, sizeof(holds->path), "%s", hold->path);
	return 0;
}

static void name_log(char *name, size_t name_bytes, unsigned number)
{
	char file[32];

	snprintf(file, sizeof(file), "many-%u", number);
	snprintf(name, name_bytes, "%s", scratch_keep(file));
}

/* Holds the logs of an even number, every fourth for writing, one of them
 * twice, until it is killed. */
static int hold_some(void *context)
{
	const int *answers = context;
	char name[512];

	for (unsigned i = 0; i < LOGS; i += 2) {
		name_log(name, sizeof(name), i);
		if (open(name, i % 4 == 0 ? O_RDWR : O_RDONLY) < 0)
			return 1;
	}
	if (open(name, O_RDONLY) < 0 || write(answers[1], "", 1) != 1)
		return 2;
	pause();
	return 0;
}

TEST(test_holds_of_many_files_are_found_by_one_look)
{
	struct holds holds = {.unnamed = 0};
	char name[512];
	char answer;
	int answers[2];

	for (unsigned i = 0; i < LOGS; i++) {
		name_log(name, sizeof(name), i);
		write_numbered_log(name, 4096, 3);
		assert_int_equal(stat(name, &holds.files[i]), 0);
	}
	assert_int_equal(pipe(answers), 0);
	pid_t pid = child_start(hold_some, answers);

	assert_int_equal(read(answers[0], &answer, 1), 1);
	assert_true(shmlog_holds(wants, note, &holds) >= 0);
	for (unsigned i = 0; i < LOGS; i++) {
		assert_int_equal(holds.writers[i], i % 4 == 0);
		assert_int_equal(holds.readers[i], i % 4 == 2);
	}
	assert_int_equal(holds.unnamed, 0);
	name_log(name, sizeof(name), 2);
	unlink(name);
	assert_true(shmlog_holds(wants, note, &holds) >= 0);
	assert_int_equal(holds.unnamed, 1);
	child_kill(pid);
	close(answers[0]);
	close(answers[1]);
}

static bool wants_unnamed(void *context, const struct shmlog_held_file *file)
{
	const struct holds *holds = context;

	return !file->named && holds->files[0].st_ino == file->inode &&
	       holds->files[0].st_dev == file->device;
}

/* A mapping alone, as a Node process may have it, tells of a lost name. */
TEST(test_hold_of_a_mapped_file_without_a_name_leads_to_it)
{
	struct holds holds = {.unnamed = 0};
	const char *path = scratch("mapped");
	struct plain_writer writer;
	struct shmlog_look look;

	write_numbered_log(path, 4096, 3);
	assert_int_equal(stat(path, &holds.files[0]), 0);
	plain_writer_start(&writer, path);
	assert_true(shmlog_holds(wants_unnamed, note, &holds) >= 0);
	assert_int_equal(holds.writers[0], 0);
	unlink(path);
	assert_true(shmlog_holds(wants_unnamed, note, &holds) >= 0);
	assert_int_equal(holds.writers[0], 1);
	assert_int_equal(holds.unnamed, 1);
	if (access(holds.path, R_OK) == 0) {
		expect_status(look_at(holds.path, &look), 0);
		assert_int_equal(look.header.capacity, 4096);
	}
	child_kill(writer.pid);
}

#else

TEST(test_holds_are_not_found_where_the_system_has_no_such_list)
{
	expect_status(shmlog_holds(NULL, NULL, NULL), -ENOTSUP);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look_takes_every_golden_log_for_one),
		cmocka_unit_test(test_look_sees_ends_that_are_far_apart),
		cmocka_unit_test(test_look_tells_which_end_is_broken),
		cmocka_unit_test(test_look_refuses_what_is_no_log),
		cmocka_unit_test(test_look_reads_no_cut_log_beyond_its_end),
#if defined(__linux__) && !defined(SHMLOG_PORTABLE)
		cmocka_unit_test(
			test_holds_of_many_files_are_found_by_one_look),
		cmocka_unit_test(
			test_hold_of_a_mapped_file_without_a_name_leads_to_it),
#else
		cmocka_unit_test(
			test_holds_are_not_found_where_the_system_has_no_such_list),
#endif
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
