/* Rotating a log: what gets which name, and what those do who had it open. */
#include "support.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#define FRAMES 5u

/* A log in a folder of its own, so that all that is left behind is seen. */
struct place {
	char folder[320];
	char path[400];
};

static struct place make_place(const char *name)
{
	struct place place;

	snprintf(place.folder, sizeof(place.folder), "%s", scratch(name));
	assert_int_equal(mkdir(place.folder, 0700), 0);
	snprintf(place.path, sizeof(place.path), "%s/log", place.folder);
	return place;
}

static void expect_entries(const struct place *place, size_t count)
{
	assert_int_equal(directory_entries(place->folder), count);
}

static uint64_t inode_of(const char *path)
{
	struct stat file;

	assert_int_equal(stat(path, &file), 0);
	return file.st_ino;
}

static void expect_numbered(const char *path, unsigned count)
{
	struct shmlog *log = open_log(path);
	struct shmlog_reader *reader = open_reader(log, SHMLOG_READER_BUFFERED,
	                                           0);
	struct shmlog_frame frame;

	for (unsigned i = 0; i < count; i++) {
		expect_status(shmlog_reader_next(reader, &frame), 1);
		assert_memory_equal(frame.payload, numbered_text(i),
		                    frame.size_bytes);
	}
	expect_status(shmlog_reader_next(reader, &frame), 0);
	shmlog_reader_close(reader);
	shmlog_close(log);
}

static int append_number(struct shmlog *log, unsigned number)
{
	const char *text = numbered_text(number);

	return append_payload(log, text, strlen(text), 0);
}

/* LOG.YYYYMMDDTHHMMSSZ, and perhaps a number. */
static void expect_rotated_name(const struct place *place, const char *path)
{
	const char *stamp = path + strlen(place->path);

	assert_memory_equal(path, place->path, strlen(place->path));
	assert_int_equal(strspn(stamp + 1, "0123456789"), 8);
	assert_int_equal(stamp[0], '.');
	assert_int_equal(stamp[9], 'T');
	assert_int_equal(strspn(stamp + 10, "0123456789"), 6);
	assert_int_equal(stamp[16], 'Z');
	if (stamp[17] != '\0') {
		assert_int_equal(stamp[17], '.');
		assert_true(stamp[18] != '\0');
		assert_int_equal(strspn(stamp + 18, "0123456789"),
		                 strlen(stamp + 18));
	}
}

TEST(test_rotate_gives_the_log_another_name_and_leaves_an_empty_one)
{
	struct place place = make_place("names");
	struct shmlog_rotate_result result;
	struct shmlog_header header;

	write_numbered_log(place.path, 5000, FRAMES);
	uint64_t inode = inode_of(place.path);
	struct shmlog *log = open_log(place.path);

	expect_status(shmlog_rotate(log, NULL, &result), 0);
	expect_rotated_name(&place, result.path);
	assert_int_equal(result.end_cursor, FRAMES * 11);
	assert_int_equal(inode_of(result.path), inode);
	assert_true(inode_of(place.path) != inode);
	expect_numbered(result.path, FRAMES);
	expect_numbered(place.path, 0);
	expect_status(shmlog_inspect(place.path, &header), 0);
	assert_int_equal(header.capacity, 5000);
	assert_int_equal(header.size, 24);
	expect_entries(&place, 2);
	shmlog_close(log);
}

TEST(test_rotate_finds_another_name_for_each_time)
{
	struct place place = make_place("times");
	char last[SHMLOG_ROTATED_NAME_BYTES] = "";

	write_numbered_log(place.path, 5000, 0);
	for (unsigned i = 0; i < 12; i++) {
		struct shmlog_rotate_result result;
		struct shmlog *log = open_log(place.path);

		expect_status(append_number(log, 0), 0);
		expect_status(shmlog_rotate(log, NULL, &result), 0);
		expect_rotated_name(&place, result.path);
		assert_true(strcmp(result.path, last) != 0);
		expect_numbered(result.path, 1);
		snprintf(last, sizeof(last), "%s", result.path);
		shmlog_close(log);
	}
	expect_entries(&place, 13);
}

/* Writes the name that a rotation of this very second, or of the next, gives to
 * a log, without its number. */
static void name_at(const struct place *place, time_t when, const char *rest,
                    char *path, size_t path_bytes)
{
	char stamp[32];
	struct tm parts;

	assert_non_null(gmtime_r(&when, &parts));
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &parts);
	snprintf(path, path_bytes, "%s.%s%s", place->path, stamp, rest);
}

TEST(test_rotate_never_gives_a_newer_log_an_older_number)
{
	struct place place = make_place("order");
	struct shmlog_rotate_result result;
	char path[500];

	write_numbered_log(place.path, 4096, FRAMES);
	struct shmlog *log = open_log(place.path);
	time_t now = time(NULL);

	/* Of the times that may be the rotation's, one archived log each. */
	for (time_t when = now; when < now + 60; when++) {
		name_at(&place, when, ".7.zst", path, sizeof(path));
		write_numbered_log(path, 4096, 0);
	}
	expect_status(shmlog_rotate(log, NULL, &result), 0);
	expect_rotated_name(&place, result.path);
	/* Where names cannot be exchanged, the new log had the next one. */
	assert_true(strtoul(strrchr(result.path, '.') + 1, NULL, 10) > 7);
	shmlog_close(log);
}

TEST(test_rotate_leaves_a_log_with_the_same_header_permissions_and_space)
{
	static const struct {
		mode_t mode;
		unsigned flags;
	} cases[] = {{0640, 0}, {0604, SHMLOG_CREATE_SPARSE}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct place place = make_place(i == 0 ? "full" : "sparse");
		const struct shmlog_create_options options = {
			.capacity = 1 << 16,
			.mode = 0600,
			.flags = cases[i].flags,
			.metadata_bytes = 10,
			.metadata = "0123456789",
		};
		struct shmlog_rotate_result result;
		struct stat file;
		char metadata[10];

		expect_status(shmlog_create_with(place.path, &options), 0);
		assert_int_equal(chmod(place.path, cases[i].mode), 0);
		if (getuid() == 0)
			assert_int_equal(chown(place.path, 12345, 54321), 0);
		struct shmlog *log = open_log(place.path);

		expect_status(shmlog_rotate(log, NULL, &result), 0);
		shmlog_close(log);
		log = open_log(place.path);
		expect_status(shmlog_read_metadata(log, 0, metadata, 10), 0);
		assert_memory_equal(metadata, "0123456789", 10);
		assert_int_equal(shmlog_data_offset(log), 34);
		assert_int_equal(stat(place.path, &file), 0);
		assert_int_equal(file.st_mode & 07777, cases[i].mode);
		assert_int_equal(file.st_size, 1 << 16);
		assert_int_equal(file.st_blocks * 512 >= (1 << 16), i == 0);
		if (getuid() == 0) {
			assert_int_equal(file.st_uid, 12345);
			assert_int_equal(file.st_gid, 54321);
		}
		shmlog_close(log);
	}
}

TEST(test_rotate_keeps_a_gap_between_header_and_frames)
{
	struct place place = make_place("gap");
	struct shmlog_header header;
	struct raw_log raw;

	raw_init_at(&raw, 4096, 100);
	memset(raw.bytes + 24, 'g', 76);
	raw_append_text(&raw, "x");
	raw_write(&raw, place.path);
	raw_free(&raw);
	struct shmlog *log = open_log(place.path);

	expect_status(shmlog_rotate(log, NULL, NULL), 0);
	shmlog_close(log);
	expect_status(shmlog_inspect(place.path, &header), 0);
	assert_int_equal(header.header_size, 24);
	assert_int_equal(header.data_offset, 100);
	assert_int_equal(header.size, 100);
	assert_int_equal(file_get64(place.path, 80), 0x6767676767676767);
}

TEST(test_rotate_is_noticed_by_all_who_have_the_old_log)
{
	struct place place = make_place("old");
	struct shmlog_rotate_result result;
	struct shmlog_append_session *session;
	struct shmlog_writer *writer;
	unsigned char frame[16];
	size_t bytes = shmlog_frame_encode(frame, "kept", 4);
	int64_t began = now_ns();
	unsigned kept = 0;

	write_numbered_log(place.path, 1 << 16, 0);
	struct shmlog *log = open_log(place.path);
	struct shmlog *other = open_log(place.path);
	struct shmlog_reader *reader = open_reader(log, 0, 0);
	struct shmlog_frame found;

	expect_status(shmlog_append_session_open(log, &session), 0);
	const struct shmlog_append_options options = {.lock_timeout_ns = -1,
	                                              .session = session};

	do {
		expect_status(
			shmlog_append_frames(log, frame, bytes, &options, NULL),
			0);
		kept++;
		sleep_ns(MILLISECONDS(5));
	} while (shmlog_append_session_fd(session) < 0 &&
	         now_ns() - began < MILLISECONDS(600));
	if (shmlog_append_session_fd(session) >= 0) {
		expect_status(shmlog_rotate(other, NULL, &result),
		              SHMLOG_ERR_LOCK_TIMEOUT);
		assert_string_equal(result.path, "");
		shmlog_append_session_release(session);
	}
	expect_status(shmlog_rotate(other, NULL, &result), 0);
	uint64_t size = file_get64(result.path, 16);

	expect_status(shmlog_append_frames(log, frame, bytes, &options, NULL),
	              SHMLOG_ERR_REPLACED);
	expect_status(append_payload(log, "x", 1, SHMLOG_APPEND_FORCE),
	              SHMLOG_ERR_REPLACED);
	expect_status(append_payload(other, "x", 1, 0), SHMLOG_ERR_REPLACED);
	expect_status(shmlog_writer_open(other, NULL, &writer),
	              SHMLOG_ERR_REPLACED);
	expect_status(shmlog_grow(other, 1 << 20, NULL), SHMLOG_ERR_REPLACED);
	expect_status(shmlog_rotate(log, NULL, NULL), SHMLOG_ERR_REPLACED);
	expect_status(shmlog_check_name(log), SHMLOG_ERR_REPLACED);
	assert_int_equal(file_get64(result.path, 16), size);
	for (unsigned i = 0; i < kept; i++)
		expect_status(shmlog_reader_next(reader, &found), 1);
	expect_status(shmlog_reader_next(reader, &found), 0);
	expect_numbered(place.path, 0);
	expect_entries(&place, 2);
	shmlog_reader_close(reader);
	shmlog_append_session_close(session);
	shmlog_close(other);
	shmlog_close(log);
}

/* The handle that is kept is the one that rotates. */
TEST(test_rotate_by_a_handle_that_keeps_the_lock)
{
	struct place place = make_place("keeps");
	struct shmlog_rotate_result result;
	struct shmlog_append_session *session;
	unsigned char frame[16];
	size_t bytes = shmlog_frame_encode(frame, "kept", 4);
	int64_t began = now_ns();

	write_numbered_log(place.path, 1 << 16, 0);
	struct shmlog *log = open_log(place.path);

	expect_status(shmlog_append_session_open(log, &session), 0);
	const struct shmlog_append_options options = {.session = session};

	do {
		expect_status(
			shmlog_append_frames(log, frame, bytes, &options, NULL),
			0);
		sleep_ns(MILLISECONDS(5));
	} while (shmlog_append_session_fd(session) < 0 &&
	         now_ns() - began < MILLISECONDS(600));
	expect_status(shmlog_rotate(log, NULL, &result), 0);
	assert_int_equal(shmlog_append_session_fd(session), -1);
	expect_status(shmlog_append_frames(log, frame, bytes, &options, NULL),
	              SHMLOG_ERR_REPLACED);
	shmlog_append_session_close(session);
	shmlog_close(log);
	expect_numbered(place.path, 0);
}

TEST(test_rotate_of_a_symbolic_link_is_about_what_it_leads_to)
{
	struct place place = make_place("links");
	struct shmlog_rotate_result result;
	char link_path[420];
	struct stat file;

	write_numbered_log(place.path, 4096, FRAMES);
	snprintf(link_path, sizeof(link_path), "%s/link", place.folder);
	assert_int_equal(symlink("log", link_path), 0);
	struct shmlog *log = open_log(link_path);

	expect_status(shmlog_rotate(log, NULL, &result), 0);
	shmlog_close(log);
	expect_rotated_name(&place, result.path);
	assert_int_equal(lstat(link_path, &file), 0);
	assert_true(S_ISLNK(file.st_mode));
	expect_numbered(link_path, 0);
	expect_numbered(result.path, FRAMES);
	expect_entries(&place, 3);
}

TEST(test_rotate_refuses_beside_a_writer_unless_it_is_forced)
{
	const struct shmlog_change_options force = {
		.flags = SHMLOG_CHANGE_FORCE};
	struct place place = make_place("writers");
	struct shmlog_rotate_result result;
	struct plain_writer plain;

	if (!plain_writers_are_visible())
		skip();
	write_numbered_log(place.path, 4096, FRAMES);
	struct shmlog *log = open_log(place.path);

	plain_writer_start(&plain, place.path);
	expect_status(shmlog_rotate(log, NULL, &result),
	              SHMLOG_ERR_WRITER_ACTIVE);
	assert_string_equal(result.path, "");
	expect_entries(&place, 1);
	expect_status(shmlog_rotate(log, &force, &result), 0);
	/* It goes on in the file that it has. */
	plain_writer_append(&plain, 10);
	plain_writer_stop(&plain);
	assert_int_equal(file_get64(result.path, 16), 24 + FRAMES * 11 + 14);
	expect_numbered(place.path, 0);
	shmlog_close(log);
}

TEST(test_rotate_that_fails_leaves_nothing_behind)
{
	struct place place = make_place("fails");
	struct shmlog_rotate_result result;
	char long_path[800];

	/* A name that leaves no room for the time. */
	snprintf(long_path, sizeof(long_path), "%s/%0245d", place.folder, 0);
	write_numbered_log(long_path, 4096, FRAMES);
	struct shmlog *log = open_log(long_path);

	expect_status(shmlog_rotate(log, NULL, &result), -ENAMETOOLONG);
	assert_string_equal(result.path, "");
	shmlog_close(log);
	expect_numbered(long_path, FRAMES);
	expect_entries(&place, 1);
	assert_int_equal(unlink(long_path), 0);

	write_numbered_log(place.path, 4096, FRAMES);
	log = open_log(place.path);
	assert_int_equal(unlink(place.path), 0);
	expect_status(shmlog_rotate(log, NULL, &result), -ENOENT);
	expect_entries(&place, 0);
	write_numbered_log(place.path, 4096, 1);
	expect_status(shmlog_rotate(log, NULL, &result), SHMLOG_ERR_REPLACED);
	expect_entries(&place, 1);
	expect_numbered(place.path, 1);
	shmlog_close(log);
}

TEST(test_rotate_makes_room_for_a_log_that_is_damaged)
{
	struct place place = make_place("damaged");
	struct shmlog_rotate_result result;

	write_numbered_log(place.path, 4096, FRAMES);
	file_put64(place.path, 16, file_get64(place.path, 16) - 1);
	struct shmlog *log = open_log(place.path);

	expect_status(append_number(log, 0), SHMLOG_ERR_TORN);
	expect_status(shmlog_rotate(log, NULL, &result), 0);
	shmlog_close(log);
	log = open_log(place.path);
	expect_status(append_number(log, 0), 0);
	shmlog_close(log);
}

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

/* The writer that comes in the moment of the exchange, and the log's name. */
static struct plain_writer *comes;
static const char *comes_to;

/* Takes the place of the C library's, as the library exchanges names by it. */
long syscall(long number, ...)
{
	static long (*real)(long, ...);
	va_list arguments;
	long words[6];

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	va_start(arguments, number);
	for (size_t i = 0; i < COUNT_OF(words); i++)
		words[i] = va_arg(arguments, long);
	va_end(arguments);
	if (comes != NULL && number == SYS_renameat2) {
		plain_writer_start(comes, comes_to);
		comes = NULL;
	}
	return real(number, words[0], words[1], words[2], words[3], words[4],
	            words[5]);
}

/* Rotates while a writer without the lock opens the log behind the look for
 * one. */
static int rotate_beside_late_writer(const struct place *place, unsigned flags,
                                     struct plain_writer *plain,
                                     struct shmlog_rotate_result *result)
{
	const struct shmlog_change_options options = {.flags = flags};
	struct shmlog *log = open_log(place->path);

	comes_to = place->path;
	comes = plain;
	int status = shmlog_rotate(log, &options, result);

	assert_null(comes);
	shmlog_close(log);
	return status;
}

TEST(test_rotate_is_in_doubt_when_a_writer_came_meanwhile)
{
	struct place place = make_place("late");
	struct shmlog_rotate_result result;
	struct plain_writer plain;

	if (!plain_writers_are_visible())
		skip();
	write_numbered_log(place.path, 4096, FRAMES);
	expect_status(rotate_beside_late_writer(&place, 0, &plain, &result),
	              SHMLOG_ERR_IN_DOUBT);
	/* It has been rotated, and the writer is in the old log. */
	expect_rotated_name(&place, result.path);
	assert_int_equal(result.end_cursor, FRAMES * 11);
	plain_writer_append(&plain, 10);
	plain_writer_stop(&plain);
	assert_int_equal(file_get64(result.path, 16), 24 + FRAMES * 11 + 14);
	expect_numbered(place.path, 0);
	expect_entries(&place, 2);

	/* Who forces it does not ask. */
	expect_status(rotate_beside_late_writer(&place, SHMLOG_CHANGE_FORCE,
	                                        &plain, &result),
	              0);
	plain_writer_stop(&plain);
	expect_numbered(result.path, 0);
	expect_entries(&place, 3);
}

/* Holds a lease on a file, as one does for a moment who looks for writers. */
static int hold_lease(void *context)
{
	const char *path = context;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	signal(SIGIO, SIG_IGN);
	if (fd < 0)
		return 1;
	/* Refused while the other process has the file open for writing. */
	while (fcntl(fd, F_SETLEASE, F_RDLCK) != 0) {
		if (errno != EAGAIN)
			return 1;
		sleep_ns(MILLISECONDS(1));
	}
	pause();
	return 0;
}

TEST(test_rotate_is_noticed_while_somebody_has_a_lease_on_the_new_log)
{
	struct place place = make_place("lease");
	struct shmlog_rotate_result result;

	if (!plain_writers_are_visible())
		skip();
	write_numbered_log(place.path, 4096, FRAMES);
	struct shmlog *log = open_log(place.path);

	expect_status(shmlog_rotate(log, NULL, &result), 0);
	pid_t pid = child_start(hold_lease, place.path);
	int fd;

	/* Until the lease is there, which an opening for writing meets. */
	while ((fd = open(place.path, O_RDWR | O_NONBLOCK | O_CLOEXEC)) >= 0) {
		close(fd);
		sleep_ns(MILLISECONDS(1));
	}
	assert_int_equal(errno, EWOULDBLOCK);
	expect_status(append_number(log, FRAMES), SHMLOG_ERR_REPLACED);
	expect_numbered(result.path, FRAMES);
	child_kill(pid);
	shmlog_close(log);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] =
	{ cmocka_unit_test(
		  test_rotate_gives_the_log_another_name_and_leaves_an_empty_one),
	  cmocka_unit_test(test_rotate_finds_another_name_for_each_time),
	  cmocka_unit_test(test_rotate_never_gives_a_newer_log_an_older_number),
	  cmocka_unit_test(
		  test_rotate_leaves_a_log_with_the_same_header_permissions_and_space),
	  cmocka_unit_test(test_rotate_keeps_a_gap_between_header_and_frames),
	  cmocka_unit_test(test_rotate_is_noticed_by_all_who_have_the_old_log),
	  cmocka_unit_test(test_rotate_by_a_handle_that_keeps_the_lock),
	  cmocka_unit_test(
		  test_rotate_of_a_symbolic_link_is_about_what_it_leads_to),
	  cmocka_unit_test(
		  test_rotate_refuses_beside_a_writer_unless_it_is_forced),
	  cmocka_unit_test(test_rotate_that_fails_leaves_nothing_behind),
	  cmocka_unit_test(test_rotate_makes_room_for_a_log_that_is_damaged),
#if defined(__linux__) && !defined(SHMLOG_PORTABLE)
	  cmocka_unit_test(
		  test_rotate_is_in_doubt_when_a_writer_came_meanwhile),
	  cmocka_unit_test(
		  test_rotate_is_noticed_while_somebody_has_a_lease_on_the_new_log),
#endif
	};

	return cmocka_run_group_tests_name("rotate", tests, scratch_setup,
	                                   scratch_teardown);
}
